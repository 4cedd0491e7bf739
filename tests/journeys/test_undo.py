"""A version of a policy was wrong for two months: one act takes back all that it did, and says that we are sorry."""

import json
import signal
import subprocess
from datetime import timedelta
from typing import Any

import pytest

from relight.audit.run import audit
from relight.flow.cases.people import Person, UnableToAct
from relight.flow.road.moving import move, plan
from relight.flow.road.undo import apology, asking
from relight.flow.road.undo.asking import ALONE_MAX, UnableToUndo, Undo
from relight.flow.road.undo.doing import carry_out, go_on, step
from relight.flow.road.undo.finding import Found, Scope, look
from tests.flow.factories import Account
from tests.flow.ledger import differences
from tests.journeys.processes import Workers, holding, wait_for
from tests.journeys.test_voided_fee import FEE, OWED, WITH_A_FEE
from tests.journeys.world import World
from tests.web.console_sample import add_user

NAME = "broadband-no"
ANNE, BENTE, CARL = Person("anne", "manager"), Person("bente", "manager"), Person("carl", "agent")


class Wrong:
    """Customers who came to a step under version 2, which charges a fee; one beside them runs under version 1."""

    def __init__(self, world: World, count: int = 3, until: str = "reminder"):
        self.world = world
        self.bystander, self.other = self.owing()
        world.run()
        world.policy(NAME, *WITH_A_FEE)
        self.since = world.moment
        self.homes = [self.owing(language=language) for language in ("nb", "nl", "en", "da", "de")[:count]]
        for account, _ in self.homes:
            world.until_step(account, until)
        world.until(world.moment + timedelta(hours=1))

    @property
    def scope(self) -> Scope:
        """What was wrong."""
        return Scope(self.since, NAME, 2)

    def owing(self, **options: Any) -> tuple[Account, int]:
        """A customer with an unpaid bill, and the service."""
        account = self.world.customer(**options)
        service = self.world.service(account)
        self.world.invoice(account, amount=OWED)
        return account, service

    def seen(self) -> list[str]:
        """What each home's line is."""
        return [self.world.observed(service) for _, service in self.homes]

    def found(self) -> Found:
        with self.world.db.transaction(self.world.partner) as tx:
            return look(tx, self.scope, self.world.moment)

    def ask(self, by: Person = ANNE) -> int:
        with self.world.db.transaction(self.world.partner) as tx:
            return asking.ask(tx, self.scope, why="charged too early", by=by, now=self.world.moment)[0]

    def undo(self) -> Undo:
        return carry_out(self.world.db, self.world.partner, self.ask(), lambda: self.world.moment)

    def apologise(self, number: int) -> None:
        with self.world.db.transaction(self.world.partner) as tx:
            apology.approve(tx, number, by=BENTE, now=self.world.moment)
        go_on(self.world.db, self.world.partner, lambda: self.world.moment)


def fees(world: World) -> int:
    """What customers owe or have paid in fees."""
    return world.value(
        "SELECT coalesce(sum(CASE WHEN credit = 'fee_income' THEN amount ELSE -amount END), 0)::bigint FROM transfer"
        " WHERE 'fee_income' IN (debit, credit)"
    )


def told(process: subprocess.CompletedProcess[str]) -> Any:
    """What a command with `--json` answered."""
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def violations(world: World, urls: dict[str, str]) -> list[Any]:
    slug = str(world.value("SELECT slug FROM partner WHERE id = %(id)s", id=world.partner))
    return audit(urls["app"], partner=slug, as_of=world.moment).violations


def test_what_a_wrong_version_did_is_taken_back_and_what_another_did_stays(
    world: World, database_urls: dict[str, str]
) -> None:
    wrong = Wrong(world, until="limit")
    before = wrong.seen(), fees(world), world.observed(wrong.other)
    steps = world.steps(wrong.bystander)

    undone = wrong.undo()
    world.run()

    assert before == (["walled_garden"] * 3, 3 * FEE, "walled_garden")
    assert (undone.state, undone.done["cases"], undone.done["services"], undone.done["fees"]) == ("done", 3, 3, 3 * FEE)
    assert wrong.seen() == ["full"] * 3
    assert fees(world) == 0
    assert [world.steps(account) for account, _ in wrong.homes] == [["restore"]] * 3
    assert (world.steps(wrong.bystander), world.observed(wrong.other)) == (steps, "walled_garden")
    with world.db.transaction(world.partner) as tx:
        assert differences(tx) == []
    assert violations(world, database_urls) == []


def test_the_log_says_what_was_undone_by_whom_and_why_and_the_case_is_held_for_a_week(world: World) -> None:
    wrong = Wrong(world, 1)
    account, _ = wrong.homes[0]

    undone = wrong.undo()
    world.days(6)

    events = world.rows(
        "SELECT e.code, e.actor, e.cause, e.bulk_id, e.params ->> 'note' FROM case_event e"
        " JOIN dunning_case c ON c.id = e.case_id WHERE c.account_id = %(a)s AND e.bulk_id IS NOT NULL"
        " ORDER BY e.number",
        a=account.id,
    )
    said = ("anne", f"undo {undone.id}", undone.act, "charged too early")
    assert events[:-1] == [("step_voided", *said)] * 2
    assert events[-1] == ("hold_placed", *said[:3], None)
    assert world.steps(account) == []
    history = world.rows("SELECT code, version FROM policy_act WHERE code LIKE 'und%%' ORDER BY id")
    assert history == [("undoing", 2), ("undone", 2)]


def test_what_has_not_left_does_not_leave(world: World) -> None:
    wrong = Wrong(world, 1, until="limit")
    account, service = wrong.homes[0]
    world.until_asked(account)
    world.approve(account)
    while "cut" not in world.steps(account):
        world.moment = world.next_due() or world.moment
        world.bank_was_heard(world.moment)
        world.decide()
    waiting = wrong.found().stopped

    undone = wrong.undo()
    world.run()

    assert waiting
    assert undone.done["stopped"] == waiting
    assert ("off", "done") not in world.commands(service)
    assert world.observed(service) == "full"


def test_a_paid_fee_is_the_customers_money_again(world: World, database_urls: dict[str, str]) -> None:
    wrong = Wrong(world, 1)
    account, _ = wrong.homes[0]
    world.pays(account, OWED + FEE)
    world.days(1)

    wrong.undo()
    world.run()

    assert world.value("SELECT credit FROM account WHERE id = %(id)s", id=account.id) == FEE
    assert violations(world, database_urls) == []


def test_customers_get_an_apology_in_their_language_once_a_person_approves(
    world: World, database_urls: dict[str, str]
) -> None:
    wrong = Wrong(world, 5)
    undone = wrong.undo()
    world.days(2)
    before = [template for account, _ in wrong.homes for template, _ in world.messages(account)].count("apology")

    with world.db.transaction(world.partner) as tx:
        drafts = {one.language: one for one in apology.drafts(tx, undone.id, world.moment)}
    wrong.apologise(undone.id)
    world.days(7)  # over Easter

    assert before == 0
    assert set(drafts) == {"nb", "nl", "en", "da", "de"}
    told = [[template for template, _ in world.messages(account)].count("apology") for account, _ in wrong.homes]
    assert told == [1] * 5
    assert ("apology", "sms") not in world.messages(wrong.bystander)
    texts = world.rows(
        "SELECT m.language, b.text FROM sent_message m JOIN message_body b ON b.message_id = m.id"
        " WHERE m.template = 'apology'"
    )
    assert dict(texts) == {one.language: one.sms for one in drafts.values()}
    assert violations(world, database_urls) == []
    with pytest.raises(UnableToUndo, match="no apology"):
        wrong.apologise(undone.id)


@pytest.mark.parametrize("batch", [200, 1], ids=["one batch", "a batch for each case"])
def test_a_customer_with_two_cases_gets_one_apology(
    world: World, database_urls: dict[str, str], monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(apology, "BATCH", batch)
    wrong = Wrong(world, 1)
    account, _ = wrong.homes[0]
    world.service(account, kind="electricity_grid")
    world.invoice(account, amount=OWED, kind="electricity_grid", due=world.moment.date() - timedelta(days=20))
    world.until_true(lambda: len(_cases_that_wrote(world, account)) == 2, "both cases have written")
    world.moment += timedelta(minutes=1)
    with world.db.transaction(world.partner) as tx:
        number, found = asking.ask(tx, Scope(wrong.since), why="all of it", by=ANNE, now=world.moment)
    undone = carry_out(world.db, world.partner, number, lambda: world.moment)
    with world.db.transaction(world.partner) as tx:
        drafted = [one.customers for one in apology.drafts(tx, number, world.moment)]

    wrong.apologise(number)
    world.days(7)

    assert len(world.rows("SELECT case_id FROM undo_case WHERE account_id = %(a)s AND reached", a=account.id)) == 2
    assert [template for template, _ in world.messages(account)].count("apology") == 1
    assert world.log(account).count("apology_told") == 1
    assert world.rows("SELECT DISTINCT apology FROM undo_case WHERE reached") == [("told",)]
    assert (sum(drafted), undone.done["reached"], found.reached) == (2, 2, 3)  # the bystander is the other customer
    with world.db.transaction(world.partner) as tx:
        assert asking.undo(tx, number).done["sorry"] == 2
    assert violations(world, database_urls) == []


def _cases_that_wrote(world: World, account: Account) -> list[tuple[int]]:
    """The account's cases from which a message has left."""
    return world.rows(
        "SELECT DISTINCT case_id FROM effect WHERE account_id = %(a)s AND kind = 'message' AND attempts > 0 ORDER BY 1",
        a=account.id,
    )


def test_killed_in_the_middle_it_has_undone_whole_batches_and_goes_on(
    world: World, workers: Workers, database_urls: dict[str, str]
) -> None:
    wrong = Wrong(world)
    number = wrong.ask()
    step(world.db, world.partner, number, world.moment, batch=1)  # nobody's: the bystander's case comes first
    step(world.db, world.partner, number, world.moment, batch=1)
    last = wrong.homes[2][0].id

    lock = "SELECT 1 FROM account WHERE id = %(last)s FOR UPDATE"
    slug = world.value("SELECT slug FROM partner WHERE id = %(id)s", id=world.partner)
    with holding(database_urls["owner"], lock, last=last) as is_waited_for:
        process = workers.begin("undo", "go", str(number), "--partner", slug, at=world.moment)
        wait_for(is_waited_for, "the second batch is being written")
        process.send_signal(signal.SIGKILL)
        process.wait()
    in_the_middle = world.value("SELECT count(*) FROM undo_case"), fees(world)
    rest, again = (workers.at(world.moment, "undo", "go", str(number), "--partner", slug, "--json") for _ in range(2))
    world.until(world.moment + timedelta(hours=1))

    assert in_the_middle == (1, 2 * FEE)
    assert told(rest)["done"]["cases"] == 3
    assert told(again)["done"] == told(rest)["done"]
    assert fees(world) == 0
    assert world.value("SELECT count(*) FROM case_event WHERE code = 'step_voided'") == 6
    assert world.value("SELECT count(*) FROM transfer WHERE kind = 'fee' AND credit = 'receivable'") == 3
    assert violations(world, database_urls) == []


def test_over_twenty_cases_a_colleague_has_to_agree_and_both_may_void(world: World) -> None:
    wrong = Wrong(world, 1)
    _friendly(world, wrong, ALONE_MAX)
    world.moment += timedelta(minutes=1)
    number = wrong.ask()

    with pytest.raises(UnableToAct, match="undo what was done"):
        wrong.ask(by=CARL)
    with world.db.transaction(world.partner) as tx, pytest.raises(UnableToUndo, match="Ask a colleague"):
        asking.agree(tx, number, granted=True, by=ANNE, now=world.moment)
    with pytest.raises(UnableToUndo, match="nobody agreed"):
        step(world.db, world.partner, number, world.moment)
    with world.db.transaction(world.partner) as tx:
        asking.agree(tx, number, granted=True, by=BENTE, now=world.moment)
    go_on(world.db, world.partner, lambda: world.moment)

    with world.db.transaction(world.partner) as tx:
        found = asking.undo(tx, number)
    assert (found.state, found.answered_by, found.done["cases"]) == ("done", "bente", ALONE_MAX + 1)


def _friendly(world: World, wrong: Wrong, count: int) -> None:
    """So many more who got a friendly reminder."""
    more = [wrong.owing()[0] for _ in range(count)]
    world.until_step(more[-1], "friendly")
    world.run()


def test_by_command_it_is_shown_done_and_apologised_for(world: World, workers: Workers) -> None:
    wrong = Wrong(world, 1)
    anne = add_user(world.owner, world.partner, "manager")
    slug = world.value("SELECT slug FROM partner WHERE id = %(id)s", id=world.partner)
    since = ("--since", wrong.since.isoformat(), "--policy", NAME, "--version", "2", "--partner", slug)

    shown = workers.at(world.moment, "undo", *since, "--dry-run")
    done = workers.at(world.moment, "undo", *since, "--reason", "too early", "--as", anne, "--yes")
    number = str(world.value("SELECT id FROM undo"))
    sorry = workers.at(world.moment, "undo", "apologise", number, "--as", anne, "--yes", "--partner", slug, "--json")

    assert "Found 1 case with 2 steps: 1 × friendly, 1 × reminder." in shown.stdout, shown.stderr
    assert "1 case still run under broadband-no 2" in shown.stdout
    assert f"Undo {number} is done: 2 steps voided in 1 case." in done.stdout, done.stderr
    assert "35.00 in fees is taken back" in done.stdout.replace("\xa0", " ")
    assert "Cannot be taken back: " in done.stdout
    assert told(sorry)["apology"] == "approved"
    assert world.value("SELECT apology FROM undo_case") == "wanted"


def test_what_an_import_brought_is_undone_and_other_bills_are_not(world: World) -> None:
    wrong = Wrong(world, 2)
    run = world.value(
        "INSERT INTO import_run (partner_id, kind, file_name, sha256, started_at)"
        " VALUES (%(p)s, 'invoices', 'old.csv', repeat('0', 64), %(now)s) RETURNING id",
        p=world.partner,
        now=world.moment,
    )
    first, second = (account.id for account, _ in wrong.homes)
    world.owner.execute("UPDATE claim SET run_id = %s WHERE account_id = %s", (run, first))

    with world.db.transaction(world.partner) as tx:
        scope = Scope(wrong.since, run=run)
        number, found = asking.ask(tx, scope, why="last year's bills", by=ANNE, now=world.moment)
    carry_out(world.db, world.partner, number, lambda: world.moment)

    assert (found.cases, found.fees) == (1, FEE)
    assert world.rows("SELECT account_id FROM undo_case") == [(first,)]
    assert world.value("SELECT count(*) FROM hold WHERE account_id = %(a)s", a=second) == 0


def test_what_was_done_after_a_move_is_undone_with_what_rested_on_it(world: World) -> None:
    wrong = Wrong(world, 2, until="friendly")
    account, _ = wrong.homes[0]
    world.days(1)
    case = world.value("SELECT id FROM dunning_case WHERE account_id = %(a)s", a=account.id)
    with world.db.transaction(world.partner) as tx:
        wanted = plan(tx, NAME, old=2, new=1, cases=[case])
    moved = move(world.db, world.partner, wanted, by=BENTE, clock=lambda: world.moment)
    world.until_step(account, "reminder")
    world.moment += timedelta(minutes=1)

    with world.db.transaction(world.partner) as tx:
        number, _ = asking.ask(tx, Scope(wrong.since, bulk=moved.bulk), why="moved", by=ANNE, now=world.moment)
    carry_out(world.db, world.partner, number, lambda: world.moment)

    assert world.steps(account) == ["friendly"]
    assert world.rows("SELECT case_id, cardinality(steps) FROM undo_case") == [(case, 1)]
