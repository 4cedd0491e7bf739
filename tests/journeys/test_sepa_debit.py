"""A SEPA debit from the plan to the money: the customer is told in time, the file leaves by itself, and what goes back
is tried again or asked for with kind words."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from relight.audit.run import audit
from relight.flow.cases.people import operator
from relight.flow.database import Database
from relight.flow.payments.mandates import calendar, noting, running
from relight.flow.payments.mandates.noting import Told
from relight.flow.road.intake import import_payments
from tests.flow.factories import Account
from tests.flow.mandating import CREDITOR_ID, IBAN, KARI, PAYER
from tests.journeys.world import World
from tests.unit.payments.files.written import Paid, camt, details, entry, statement

OWED, MANDATE = 6150, "NL-4711-1"
BOTH = {"sms": "+31600000001", "email": "jan@kunde.example"}


class Desk:
    """A Dutch partner whose bills are collected by the workers, into a folder of its bank's."""

    def __init__(self, world: World, folder: Path, *, announced_by: str = "message"):
        self.world, self.folder = world, folder
        world.owner.execute(
            "UPDATE partner SET country = 'NL', currency = 'EUR', time_zone = 'Europe/Amsterdam' WHERE id = %s",
            (world.partner,),
        )
        world.owner.execute("UPDATE creditor SET bank_account = %s WHERE partner_id = %s", (IBAN, world.partner))
        with world.db.transaction(world.partner) as tx:
            name = tx.value("SELECT name FROM creditor")
            noting.keep_creditor(
                tx, creditor=name, scheme="sepa", number=CREDITOR_ID, group_number="", by=operator("test"),
                now=world.moment, announced_by=announced_by,
            )  # fmt: skip
            calendar.keep(
                tx, scheme="sepa", folder=folder, from_hour=8, receipt_days=1, by=operator("test"), now=world.moment
            )

    def customer(self, contacts: dict[str, str] | None = None) -> Account:
        """Somebody with a mandate and a bill of today."""
        world = self.world
        account = world.customer(currency="EUR", contacts=BOTH if contacts is None else contacts, language="nl")
        world.service(account, kind="electricity", driver="")
        day = world.moment.date()
        world.invoice(account, amount=OWED, kind="electricity", currency="EUR", issued_date=day)
        with world.db.transaction(world.partner) as tx:
            told = Told(
                account.ref, "sepa", f"{MANDATE}-{account.id}", day - timedelta(days=90), payer_name="Jan de Vries",
                payer_account=PAYER, signed_date=day - timedelta(days=90),
            )  # fmt: skip
            noting.by_hand(tx, told, by=KARI, now=world.moment)
        return account

    def passes(self, days: int) -> None:
        """Days go by, each with a pass of the workers."""
        for _ in range(days):
            self.world.days(1)
            self.works()

    def works(self) -> None:
        """One pass of the workers."""
        running.run(self.world.db, self.world.partner, now=self.world.moment)
        self.world.run()

    def until_ordered(self) -> None:
        """Days go by until a file lies in the folder."""
        for _ in range(40):
            self.passes(1)
            if self.files():
                return
        raise AssertionError(f"no file came: {self.collections()}")

    def files(self) -> list[Path]:
        """What lies in the folder for the bank, oldest first."""
        return sorted((self.folder / "out").glob("*.xml")) if (self.folder / "out").is_dir() else []

    def bank(self, tmp_path: Path, *, back: str = "") -> None:
        """The bank's file of this day: the newest collection's money came, or went back for a reason."""
        world = self.world
        ref = world.value("SELECT ref FROM collection ORDER BY id DESC LIMIT 1")
        day = world.moment.date().isoformat()
        paid = Paid("61.50", "", f"{'OUT' if back else 'IN'}{day}", ref, currency="EUR")
        why = f"<RtrInf><Rsn><Cd>{back}</Cd></Rsn></RtrInf>"
        told = entry(paid, day=day, mark="DBIT", inside=details(paid, extra=why)) if back else entry(paid, day=day)
        path = tmp_path / f"{day}{back}.xml"
        path.write_bytes(camt(statement([told], kind="camt.054", account=IBAN), kind="camt.054"))
        import_payments(world.db, world.partner, path, format="camt", now=world.moment)
        world.run()

    def collections(self) -> list[tuple[str, str]]:
        """How each went, and why."""
        return self.world.rows("SELECT state, reason FROM collection ORDER BY id")

    def day(self) -> date:
        """The newest collection's day."""
        return self.world.value("SELECT collect_date FROM collection ORDER BY id DESC LIMIT 1")

    def said(self, account: Account, template: str) -> str:
        """The words of the newest message of a kind."""
        return self.world.value(
            "SELECT b.text FROM sent_message m JOIN message_body b ON b.message_id = m.id"
            " WHERE m.account_id = %(a)s AND m.template = %(t)s ORDER BY m.id DESC LIMIT 1",
            a=account.id, t=template,
        )  # fmt: skip

    def audit(self) -> list[tuple[str, str]]:
        """What `relight audit` finds wrong."""
        slug = self.world.value("SELECT slug FROM partner")
        found = audit(self.world.db.conninfo, partner=slug, as_of=self.world.moment)
        return [(one.code, one.why) for one in found.violations]


@pytest.fixture
def home(db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> Iterator[World]:
    made = World(db, owner, partner, now, policies=("power-supplier-nl",))
    yield made
    made.close()


@pytest.fixture
def desk(home: World, tmp_path: Path) -> Desk:
    folder = tmp_path / "bank"
    folder.mkdir()
    return Desk(home, folder)


def test_the_customer_is_told_in_time_and_the_file_leaves_once_by_itself(desk: Desk, tmp_path: Path) -> None:
    account = desk.customer()
    desk.works()
    told_on = desk.world.moment.date()
    words = desk.said(account, "collection_notice").replace("\xa0", " ")
    day = desk.day()

    desk.until_ordered()
    sent_on, content = desk.world.moment.date(), desk.files()[0].read_bytes()
    desk.passes((day - sent_on).days)
    desk.bank(tmp_path)

    assert "61,50" in words
    assert str(day.day) in words
    assert f"{MANDATE}-{account.id}" in words
    assert CREDITOR_ID in words
    assert day - told_on >= timedelta(days=14)
    assert day - sent_on >= timedelta(days=2)
    assert [path.read_bytes() for path in desk.files()] == [content]
    assert desk.collections() == [("collected", "")]
    assert [template for template, _ in desk.world.messages(account)] == ["collection_notice", "payment_received"]
    assert desk.audit() == []


def test_who_cannot_be_told_is_not_collected_from_and_nothing_holds_the_ordinary_road_up(desk: Desk) -> None:
    nobody = desk.customer(contacts={})

    desk.passes(3)

    assert desk.collections() == []
    assert desk.files() == []
    assert not desk.world.rows("SELECT 1 FROM hold WHERE account_id = %(a)s", a=nobody.id)


def test_a_message_that_bounces_goes_out_on_another_channel_and_the_day_waits_for_it(desk: Desk) -> None:
    account = desk.customer()
    desk.works()
    first = desk.day()
    desk.world.days(10)
    with desk.world.db.transaction(desk.world.partner) as tx:
        tx.run("UPDATE sent_message SET undeliverable_at = %(now)s", {"now": desk.world.moment})

    desk.passes(12)

    told = [row for row in desk.world.messages(account) if row[0] == "collection_notice"]
    assert ("collection_notice", "email") in told
    assert desk.day() > first
    assert desk.collections()[0] == ("called_back", "not_announced")
    assert [state for state, _ in desk.collections()[1:]] in (["planned"], ["sent"])


def test_who_pays_after_the_message_is_not_collected_from(desk: Desk) -> None:
    account = desk.customer()
    desk.works()

    desk.world.pays(account, OWED, currency="EUR")
    desk.passes(20)

    assert desk.collections() == [("called_back", "not_sent")]
    assert desk.files() == []
    assert desk.world.value("SELECT credit FROM account WHERE id = %(a)s", a=account.id) == 0


def test_who_pays_after_the_file_left_is_called_back_and_what_comes_all_the_same_is_credit(
    desk: Desk, tmp_path: Path
) -> None:
    account = desk.customer()
    desk.works()
    desk.until_ordered()

    desk.world.pays(account, OWED, currency="EUR")
    desk.works()
    recalled = [path for path in desk.files() if b"CstmrPmtCxlReq" in path.read_bytes()]
    called_back = desk.collections()
    desk.passes(4)
    desk.bank(tmp_path)

    assert len(recalled) == 1
    assert called_back == [("called_back", "")]
    assert desk.collections() == [("collected", "")]
    assert desk.world.value("SELECT credit FROM account WHERE id = %(a)s", a=account.id) == OWED
    assert desk.world.tasks(account) == ["overpaid"]
    assert desk.audit() == []


def test_a_debit_that_goes_back_is_told_of_anew_tried_again_and_asked_for_kindly_in_the_end(
    desk: Desk, tmp_path: Path
) -> None:
    account = desk.customer()
    desk.works()
    for _ in range(3):
        known = len(desk.files())
        while len(desk.files()) == known:
            desk.passes(1)
        desk.passes((desk.day() - desk.world.moment.date()).days)
        desk.bank(tmp_path)
        desk.passes(2)
        desk.bank(tmp_path, back="AM04")
    desk.passes(3)

    words = desk.said(account, "collection_failed")
    told = [template for template, _ in desk.world.messages(account) if template != "payment_received"]
    assert told[:4] == ["collection_notice"] * 3 + ["collection_failed"]
    assert set(told[4:]) <= {"reminder"}  # the case goes on
    assert "nog een keer" in desk.said(account, "collection_notice")
    assert "iedereen overkomen" in words
    assert desk.collections() == [("returned", "AM04")] * 3
    assert "collection_failed" in desk.world.tasks(account)
    assert desk.audit() == []


@pytest.mark.parametrize("lies_there", [False, True])
def test_a_worker_that_is_killed_before_or_after_the_file_lies_there_leaves_the_rest_to_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, lies_there: bool
) -> None:
    class Killed(BaseException):
        pass

    put = running.folder.put

    def dies(folder: Path, scheme: str, message: str, content: bytes) -> None:
        if lies_there:
            put(folder, scheme, message, content)
        raise Killed

    desk.customer()
    desk.works()
    monkeypatch.setattr(running.folder, "put", dies)
    with pytest.raises(Killed):
        desk.until_ordered()
    ordered, lying = desk.collections(), [path.read_bytes() for path in desk.files()]
    monkeypatch.undo()

    desk.works()
    desk.passes(1)
    files = [path.read_bytes() for path in desk.files()]

    assert ordered == [("sent", "")]
    assert len(files) == 1
    assert lying == (files if lies_there else [])
    assert desk.world.rows("SELECT number, count FROM collection_file") == [(1, 1)]
    assert desk.world.value("SELECT count(*) FROM collection_delivery") == 1


def test_a_folder_that_is_gone_is_a_persons_task_until_the_file_lies_there(desk: Desk) -> None:
    desk.customer()
    desk.works()
    desk.folder.rename(desk.folder.with_name("elsewhere"))
    while not desk.world.rows("SELECT 1 FROM collection_file"):
        desk.passes(1)
    open_before = desk.world.rows("SELECT code FROM task WHERE state = 'open'")

    desk.folder.with_name("elsewhere").rename(desk.folder)
    desk.works()

    assert open_before == [("collection_file_stuck",)]
    assert desk.world.rows("SELECT code FROM task WHERE state = 'open'") == []
    assert len(desk.files()) == 1


def test_a_file_of_which_nothing_is_heard_is_asked_after_until_the_bank_speaks(desk: Desk) -> None:
    desk.customer()
    desk.works()
    desk.until_ordered()
    message = desk.world.value("SELECT message FROM collection_file")
    desk.passes(5)
    asked = desk.world.rows("SELECT code, params ->> 'detail' FROM task WHERE state = 'open'")
    status = desk.folder / "in" / "status.xml"
    status.parent.mkdir()
    status.write_text(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt><GrpHdr><MsgId>B</MsgId>'
        f"</GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><GrpSts>ACCP</GrpSts></OrgnlGrpInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    )

    desk.works()

    assert asked == [("collection_file_unheard", message)]
    assert desk.world.rows("SELECT outcome, told FROM collection_receipt") == [("accepted", "ACCP")]
    assert desk.world.rows("SELECT code FROM task WHERE state = 'open'") == []
    assert [path.name[:6] for path in (desk.folder / "in" / "read").iterdir()] == ["status"]


def test_nothing_leaves_while_somebody_has_stopped_the_partner(desk: Desk, owner: psycopg.Connection) -> None:
    desk.customer()
    desk.works()
    owner.execute("UPDATE partner SET stopped_at = %s WHERE id = %s", (desk.world.moment, desk.world.partner))

    desk.passes(20)

    assert desk.files() == []
    assert "sent" not in [state for state, _ in desk.collections()]
