"""Webhooks over HTTP: genuine ones are recorded before they are answered, others leave no trace."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import psycopg
import pytest

from relight.drivers.testpay import SIGNATURE_HEADER, HostedPayment, TestProvider
from relight.flow.claims.sources import provider_source
from relight.flow.database import Database
from relight.telemetry.metrics import WEBHOOKS
from relight.web.webhooks import views
from tests.flow.paying import OWED, Debtor, checked_out, make_debtor, with_policy, with_testpay
from tests.journeys.processes import wait_for

_WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted"
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


class Till(NamedTuple):
    """A provider with one open checkout, and the address that its webhooks go to."""

    client: httpx.Client
    path: str
    provider: TestProvider
    debtor: Debtor
    paid: HostedPayment

    def sends(self, headers: dict[str, str], body: bytes) -> httpx.Response:
        return self.client.post(self.path, content=body, headers=headers)


@pytest.fixture
def till(
    site: str, db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path
) -> Iterator[Till]:
    provider = with_testpay(owner, partner, tmp_path)
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        debtor = make_debtor(tx, now)
        slug = tx.value("SELECT slug FROM partner WHERE id = %(id)s", {"id": partner})
    paid = provider.finish(checked_out(db, partner, debtor, provider, now), "pay")
    with httpx.Client(base_url=site, trust_env=False, timeout=30) as client:
        yield Till(client, f"/webhooks/{slug}/testpay", provider, debtor, paid)


def on_record(db: Database, partner: int) -> tuple[int, int]:
    with db.transaction(partner) as tx:
        return tx.value("SELECT count(*) FROM provider_notice"), tx.value("SELECT count(*) FROM payment")


def _deadlocks(owner: psycopg.Connection) -> int:
    found = owner.execute(_DEADLOCKS).fetchone()
    assert found is not None
    return found[0]


def owed(db: Database, partner: int, till: Till) -> int:
    with db.transaction(partner) as tx:
        return tx.value("SELECT principal FROM claim WHERE id = %(id)s", {"id": till.debtor.claim_id})


def test_a_genuine_webhook_is_on_record_when_it_is_answered(till: Till, db: Database, partner: int) -> None:
    answer = till.sends(*till.provider.webhook_of(till.paid))

    assert (answer.status_code, answer.json()) == (200, {"recorded": ["paid"]})
    assert on_record(db, partner) == (1, 1)
    assert owed(db, partner, till) == 0


def test_delivered_five_times_it_is_answered_five_times_and_counts_once(till: Till, db: Database, partner: int) -> None:
    answers = [till.sends(*till.provider.webhook_of(till.paid)) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert on_record(db, partner) == (1, 1)


def test_one_that_stood_still_posts_the_money_at_the_moment_at_which_it_goes_on(
    till: Till, db: Database, partner: int, database_urls: dict[str, str]
) -> None:
    """It has read the clock, and comes to the accounts' locks much later: decisions in between could not see it."""
    with psycopg.connect(database_urls["admin"]) as other, ThreadPoolExecutor(1) as web:
        other.execute("LOCK TABLE relight.provider_notice IN ACCESS EXCLUSIVE MODE")
        answer = web.submit(till.sends, *till.provider.webhook_of(till.paid))
        wait_for(lambda: other.execute(_WAITING).fetchone(), "the webhook waits")
        went_on = db.clock()
        other.rollback()
        assert answer.result().status_code == 200

    with db.transaction(partner) as tx:
        assert tx.value("SELECT min(posted_at) FROM transfer WHERE payment_id IS NOT NULL") >= went_on


@pytest.fixture
def patient_server(database_urls: dict[str, str]) -> Iterator[None]:
    """Who waits looks for a circle once, and late enough that somebody else has closed it by then."""
    with psycopg.connect(database_urls["admin"], autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET deadlock_timeout = '5s'")
        admin.execute("SELECT pg_reload_conf()")
        yield
        admin.execute("ALTER SYSTEM RESET deadlock_timeout")
        admin.execute("SELECT pg_reload_conf()")


@pytest.mark.usefixtures("patient_server")
def test_one_that_is_in_anothers_way_is_recorded_all_the_same(
    till: Till, db: Database, partner: int, owner: psycopg.Connection, database_urls: dict[str, str]
) -> None:
    """Somebody has the source, and wants the account that the webhook has: the server ends the webhook."""
    with db.transaction(partner) as tx:
        provider_source(tx, "testpay")
    before = _deadlocks(owner)
    with (
        psycopg.connect(database_urls["admin"], options="-c search_path=relight") as other,
        ThreadPoolExecutor(1) as web,
    ):
        other.execute("SET LOCAL deadlock_timeout = '60s'")
        other.execute("SELECT FROM source WHERE partner_id = %s FOR UPDATE", [partner])
        answer = web.submit(till.sends, *till.provider.webhook_of(till.paid))
        wait_for(lambda: owner.execute(_WAITING).fetchone(), "the webhook waits for the source")
        other.execute("SELECT FROM account WHERE id = %s FOR UPDATE", [till.debtor.account.id])
        other.rollback()

        assert (answer.result().status_code, answer.result().json()) == (200, {"recorded": ["paid"]})
    assert _deadlocks(owner) == before + 1
    assert (on_record(db, partner), owed(db, partner, till)) == ((1, 1), 0)


def test_one_that_we_cannot_take_in_is_counted_as_its_providers(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(views, "record_notices", breaks)
    failures = WEBHOOKS.labels("testpay", 500)
    before = failures._value.get()

    answer = till.sends(*till.provider.webhook_of(till.paid))

    assert answer.status_code == 500
    assert failures._value.get() == before + 1


def test_whoever_names_a_source_keeps_nobody_from_it(db: Database, partner: int, owner: psycopg.Connection) -> None:
    with db.transaction(partner) as tx:
        made = provider_source(tx, "testpay")
    with db.transaction(partner) as tx:
        again = provider_source(tx, "testpay")

        owner.execute("SELECT FROM source WHERE id = %s FOR KEY SHARE NOWAIT", [made])
    assert again == made


def test_a_forged_signature_leaves_no_trace(till: Till, db: Database, partner: int) -> None:
    headers, body = till.provider.webhook_of(till.paid)
    forged = headers[SIGNATURE_HEADER][:-4] + "0000"

    answers = [
        till.sends({**headers, SIGNATURE_HEADER: forged}, body),
        till.sends({"Content-Type": "application/json"}, body),
        till.sends({**headers, SIGNATURE_HEADER: "t=1,v1="}, body),
    ]

    assert [answer.status_code for answer in answers] == [400] * 3
    assert on_record(db, partner) == (0, 0)


def test_a_body_changed_after_signing_is_refused(till: Till, db: Database, partner: int) -> None:
    headers, body = till.provider.webhook_of(till.paid)

    answer = till.sends(headers, body.replace(str(OWED).encode(), b"1"))

    assert answer.status_code == 400
    assert on_record(db, partner) == (0, 0)


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)], ids=["stale", "from the future"])
def test_a_signature_of_another_time_is_refused(
    age: timedelta, till: Till, db: Database, partner: int, tmp_path: Path
) -> None:
    at_another_time = TestProvider(
        {"secret": f"whsec-{partner}", "folder": str(tmp_path)}, clock=lambda: datetime.now(UTC) - age
    )

    answer = till.sends(*at_another_time.webhook_of(till.paid))

    assert answer.status_code == 400
    assert on_record(db, partner) == (0, 0)


def test_a_webhook_for_another_partner_is_refused_there(
    till: Till, db: Database, owner: psycopg.Connection, partner: int, other_partner: int, tmp_path: Path
) -> None:
    with_testpay(owner, other_partner, tmp_path / "theirs")
    (slug,) = owner.execute("SELECT slug FROM partner WHERE id = %s", (other_partner,)).fetchone()
    headers, body = till.provider.webhook_of(till.paid)

    answer = till.client.post(f"/webhooks/{slug}/testpay", content=body, headers=headers)

    assert answer.status_code == 400
    assert on_record(db, other_partner) == (0, 0)


@pytest.mark.parametrize("path", ["/webhooks/nobody/testpay", "/webhooks/{slug}/stripe", "/webhooks/{slug}/nonsense"])
def test_nobody_is_at_home_at_an_unknown_address(path: str, till: Till) -> None:
    headers, body = till.provider.webhook_of(till.paid)

    answer = till.client.post(path.format(slug=till.path.split("/")[2]), content=body, headers=headers)

    assert answer.status_code == 404


def test_a_browser_finds_nothing_to_look_at(till: Till) -> None:
    assert till.client.get(till.path).status_code == 405
