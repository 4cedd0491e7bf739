"""A voided notice has named no late interest: what only it named is taken back, and the next one names it anew."""

from datetime import date, timedelta

import pytest

from relight.core.interest.accrual import Bearing, late_interest
from relight.flow.books import acts
from relight.flow.cases.operations import void_step
from relight.flow.claims import rates
from relight.flow.claims.rows import ClaimRow
from relight.flow.partners import stopping
from relight.flow.road.intake import take_in_claims
from relight.flow.road.undo import asking
from relight.flow.road.undo.doing import carry_out
from relight.flow.road.undo.finding import Scope
from tests.flow import ledger
from tests.flow.factories import Account
from tests.journeys.test_late_interest import NAMES_INTEREST, OWED, interest_of
from tests.journeys.test_moving import FRIENDLY, moves
from tests.journeys.test_undo import ANNE, CARL
from tests.journeys.world import World

_BOOKED = (
    "SELECT coalesce(sum(CASE WHEN debit = 'receivable' THEN amount ELSE -amount END), 0)::bigint FROM transfer"
    " WHERE kind = 'interest' AND claim_id = %(id)s"
)


@pytest.fixture
def world(world: World) -> World:
    """Where notices name late interest."""
    world.policy("broadband-no", NAMES_INTEREST)
    return world


def owing(world: World) -> tuple[Account, int]:
    account = world.customer()
    world.service(account)
    return account, world.invoice(account, amount=OWED)


def void(world: World, account: Account, step: str) -> None:
    """A manager voids the step that was taken last by that name, a moment later."""
    world.moment += timedelta(seconds=1)
    (case, number), = world.rows(
        "SELECT s.case_id, max(s.number) FROM step_taken s JOIN dunning_case c ON c.id = s.case_id"
        " WHERE c.account_id = %(a)s AND s.step = %(step)s AND s.voided_at IS NULL GROUP BY s.case_id",
        a=account.id, step=step,
    )  # fmt: skip
    with world.db.transaction(world.partner) as tx:
        void_step(tx, case_id=case, step_number=number, actor="bente", now=world.moment, note="wrong address")


def due_and_until(world: World, claim: int) -> tuple[date, date | None]:
    return world.rows("SELECT due_date, interest_until FROM claim WHERE id = %(id)s", id=claim)[0]


def by_law(world: World, claim: int) -> int:
    """What the days from the due date to the last count come to, while nothing of the bill is paid."""
    due, until = due_and_until(world, claim)
    assert until is not None
    return late_interest(Bearing(OWED, due), rates.table_of("NO", "consumer"), until=until).amount


def is_in_order(world: World) -> bool:
    with world.db.transaction(world.partner) as tx:
        return ledger.differences(tx) == [] and world.audited() == []


def test_interest_that_only_a_voided_notice_named_is_taken_back_and_does_not_grow(world: World) -> None:
    account, claim = owing(world)
    world.until_step(account, "friendly")
    named = interest_of(world, claim)

    world.days(1)
    void(world, account, "friendly")
    at_once = interest_of(world, claim), world.value(_BOOKED, id=claim)
    world.days(6)  # while the case is held

    assert named > 0
    assert at_once == (0, 0)
    assert (interest_of(world, claim), due_and_until(world, claim)[1]) == (0, None)
    assert is_in_order(world)


def test_the_next_notice_names_it_anew_from_the_due_date_and_once(world: World) -> None:
    account, claim = owing(world)
    world.until_step(account, "friendly")
    void(world, account, "friendly")
    taken_back = interest_of(world, claim)

    world.days(8)
    world.until_step(account, "friendly")

    assert taken_back == 0
    assert interest_of(world, claim) == world.value(_BOOKED, id=claim) == by_law(world, claim) > 0
    assert is_in_order(world)


def test_while_an_earlier_notice_stands_that_named_it_the_interest_stays(world: World) -> None:
    account, claim = owing(world)
    world.until_step(account, "reminder")
    world.days(1)

    void(world, account, "reminder")

    assert interest_of(world, claim) == world.value(_BOOKED, id=claim) == by_law(world, claim) > 0
    assert is_in_order(world)


def test_a_notice_of_a_version_without_interest_that_stands_has_named_none(world: World) -> None:
    world.policy("broadband-no", ("max_per_7_days: 5", "max_per_7_days: 4"))
    account, claim = owing(world)
    world.until_step(account, "friendly")
    before = interest_of(world, claim)
    world.policy("broadband-no", NAMES_INTEREST)
    world.days(1)
    assert moves(world).moved == 1
    world.until_step(account, "reminder")
    named = interest_of(world, claim)

    void(world, account, "reminder")

    assert (before, interest_of(world, claim)) == (0, 0) < (0, named)
    assert is_in_order(world)


def test_what_was_paid_of_it_pays_the_next_bill(world: World) -> None:
    account, claim = owing(world)
    world.until_step(account, "friendly")
    coming = world.invoice(account, amount=OWED)
    named = interest_of(world, claim)
    world.pays(account, OWED + named)
    assert interest_of(world, claim) == 0

    void(world, account, "friendly")

    assert world.value("SELECT principal FROM claim WHERE id = %(id)s", id=coming) == OWED - named
    assert world.value("SELECT credit FROM account WHERE id = %(id)s", id=account.id) == 0
    assert is_in_order(world)


def test_a_notice_that_did_not_leave_since_it_was_paid_has_named_no_interest(world: World) -> None:
    world.policy("broadband-no", NAMES_INTEREST, (FRIENDLY, ""))
    account, claim = owing(world)
    world.until_step(account, "reminder")
    named = interest_of(world, claim)

    world.pays(account, OWED)
    world.days(6)

    assert named > 0
    assert "reminder" not in [template for template, _ in world.messages(account)]
    assert world.value(_BOOKED, id=claim) == 0
    assert world.state(account) == "closed"
    assert is_in_order(world)


def test_a_correction_that_withdraws_the_notices_takes_the_interest_along(world: World) -> None:
    account, claim = owing(world)
    world.until_step(account, "friendly")
    number, due = world.rows("SELECT number, due_date FROM claim WHERE id = %(id)s", id=claim)[0]
    named = interest_of(world, claim)

    with world.db.transaction(world.partner) as tx:
        smaller = ClaimRow(account.ref, number, OWED - 100_00, "NOK", due, service_kind="broadband")
        take_in_claims(tx, [smaller], run_id=None, now=world.moment)

    assert named > 0
    assert "step_withdrawn" in world.log(account)
    assert (world.value(_BOOKED, id=claim), due_and_until(world, claim)[1]) == (0, None)
    assert is_in_order(world)


def test_an_undo_takes_back_the_interest_that_the_wrong_version_named(world: World) -> None:
    since = world.moment
    account, claim = owing(world)
    world.until_step(account, "reminder")
    world.until(world.moment + timedelta(hours=1))
    named = interest_of(world, claim)

    with world.db.transaction(world.partner) as tx:
        number, _ = asking.ask(tx, Scope(since, "broadband-no", 2), why="too early", by=ANNE, now=world.moment)
    carry_out(world.db, world.partner, number, lambda: world.moment)
    world.run()

    assert named > 0
    assert (world.value(_BOOKED, id=claim), due_and_until(world, claim)[1]) == (0, None)
    assert is_in_order(world)


def test_interest_that_was_forgiven_and_is_named_by_nobody_is_not_owed_again(world: World) -> None:
    account, claim = owing(world)
    world.until_step(account, "friendly")
    number, named = world.rows("SELECT number, interest FROM claim WHERE id = %(id)s", id=claim)[0]
    with world.db.transaction(world.partner) as tx:
        asked = acts.ask(tx, "remission", number, by=CARL, reason="hardship", now=world.moment, amount=named // 2)
        acts.answer(tx, asked.id, by=ANNE, granted=True, now=world.moment)
    void(world, account, "friendly")

    with world.db.transaction(world.partner) as tx:
        acts.undo(tx, asked.id, by=ANNE, now=world.moment)

    assert (interest_of(world, claim), world.value(_BOOKED, id=claim)) == (0, 0)
    assert is_in_order(world)


def test_a_stop_holds_notices_back_and_what_was_named_grows_at_the_months_end(world: World) -> None:
    account, claim = owing(world)
    unnamed = world.invoice(account, amount=OWED, due=world.moment.date() + timedelta(days=20))
    world.until_step(account, "friendly")
    world.days(1)
    with world.db.transaction(world.partner) as tx:
        stopping.stop(tx, world.moment, "kari")

    world.days(45)

    with world.db.transaction(world.partner) as tx:
        stopping.resume(tx, "kari")
    _, until = due_and_until(world, claim)
    assert until == date(2026, 4, 30)
    assert interest_of(world, claim) == by_law(world, claim) > 0
    assert due_and_until(world, unnamed)[1] is None
    assert interest_of(world, unnamed) == 0
    assert is_in_order(world)


def test_the_audit_finds_interest_that_only_voided_notices_named(world: World) -> None:
    account, _ = owing(world)
    world.until_step(account, "friendly")
    as_it_is = world.audited()

    with world.db.transaction(world.partner) as tx:
        tx.run("UPDATE step_taken SET voided_at = %(now)s WHERE step = 'friendly'", {"now": world.moment})

    assert as_it_is == []
    found = [one.why for one in world.audited() if one.code == "late_interest"]
    assert ["which only voided notices named" in why for why in found] == [True]
