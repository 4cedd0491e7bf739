"""Files and the road: corrections withdraw the notices that they falsify, and running cases go on where they were."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from relight.flow.claims import fees
from relight.flow.database import Database
from relight.flow.road.intake import import_cases, import_invoices
from relight.flow.road.report import Report
from tests.flow import ledger
from tests.flow.factories import Account
from tests.flow.importing import INVOICES, counts, where, write_csv
from tests.journeys.world import World

CASES = ("account", "step", "completed_date", "pay_by_date", "claims", "proof")
BROADBAND = (*INVOICES, "service_kind")


@pytest.fixture
def world(db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> Iterator[World]:
    made = World(db, owner, partner, now)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def invoices(world: World, folder: Path, *rows: tuple[object, ...], header: tuple[str, ...] = BROADBAND) -> Report:
    path = write_csv(folder / "invoices.csv", header, rows)
    return import_invoices(world.db, world.partner, path, now=world.moment)


def running(world: World, folder: Path, *rows: tuple[object, ...]) -> Report:
    return import_cases(world.db, world.partner, write_csv(folder / "cases.csv", CASES, rows), now=world.moment)


def noticed(world: World, folder: Path, step: str, amount: str = "799.00") -> tuple[Account, int]:
    """A customer with an invoice F1 due on 1 March, followed up to a step; their service."""
    account = world.customer(ref="A1")
    service = world.service(account)
    invoices(world, folder, ("F1", "A1", amount, "2026-03-01", "broadband"))
    world.until_step(account, step)
    world.run()
    return account, service


def add_up(world: World) -> None:
    with world.db.transaction(world.partner) as tx:
        assert ledger.differences(tx) == []


# -- corrections


def test_an_invoice_that_was_too_high_takes_its_notices_back_and_begins_anew(world: World, folder: Path) -> None:
    account, _ = noticed(world, folder, "reminder")

    invoices(world, folder, ("F1", "A1", "599.00", "2026-03-01", "broadband"))
    at_once = world.steps(account)
    world.until_step(account, "reminder")

    assert at_once == []
    assert world.log(account).count("step_withdrawn") == 2
    assert world.codes(account) >= {"withdrawn.corrected"}
    assert world.steps(account) == ["friendly", "reminder"]
    sums = world.rows(
        "SELECT k.principal FROM step_claim k JOIN step_taken s ON s.id = k.step_id WHERE s.voided_at IS NULL"
    )
    assert sums == [(59900,), (59900,)]
    add_up(world)


def test_a_correction_after_the_cut_gives_the_service_back(world: World, folder: Path) -> None:
    account, service = noticed(world, folder, "limit")
    limited = world.observed(service)

    invoices(world, folder, ("F1", "A1", "599.00", "2026-03-01", "broadband"))
    world.run()

    assert limited == "walled_garden"
    assert world.observed(service) == "full"
    assert world.steps(account) == ["restore", "friendly"]  # the way begins anew


def test_a_cancelled_invoice_ends_the_case_and_gives_the_service_back(world: World, folder: Path) -> None:
    account, service = noticed(world, folder, "limit")

    invoices(
        world, folder, ("F1", "A1", "799.00", "2026-03-01", "broadband", "cancelled"), header=(*BROADBAND, "status")
    )
    world.run()

    assert world.observed(service) == "full"
    assert world.state(account) == "closed"
    assert world.value("SELECT count(*) FROM step_taken WHERE voided_at IS NULL AND step <> 'restore'") == 0


def test_a_credit_note_on_a_noticed_invoice_withdraws_the_notice(world: World, folder: Path) -> None:
    account, _ = noticed(world, folder, "reminder")

    invoices(world, folder, ("K1", "A1", "-200.00", "2026-03-20", "broadband", "F1"), header=(*BROADBAND, "credits"))

    assert world.steps(account) == []
    assert world.value("SELECT principal FROM claim WHERE number = 'F1'") == 59900


def test_crediting_what_was_disputed_all_along_leaves_the_notices_standing(world: World, folder: Path) -> None:
    header = (*BROADBAND, "disputed")
    account = world.customer(ref="A1")
    world.service(account)
    invoices(world, folder, ("F1", "A1", "799.00", "2026-03-01", "broadband", "200.00"), header=header)
    world.until_step(account, "reminder")

    invoices(world, folder, ("F1", "A1", "599.00", "2026-03-01", "broadband", "0"), header=header)

    assert world.steps(account) == ["friendly", "reminder"]  # they asked for 599 only
    assert "step_withdrawn" not in world.log(account)


def test_a_later_due_date_withdraws_the_notices_that_went_out_before_it(world: World, folder: Path) -> None:
    account, _ = noticed(world, folder, "reminder")

    invoices(world, folder, ("F1", "A1", "799.00", "2026-06-01", "broadband"))
    world.run()

    assert world.steps(account) == []


def test_what_does_not_touch_the_notice_leaves_it_standing(world: World, folder: Path) -> None:
    account, _ = noticed(world, folder, "reminder")

    invoices(world, folder, ("F1", "A1", "899.00", "2026-02-27", "broadband"))
    world.run()

    assert world.steps(account) == ["friendly", "reminder"]


def test_the_fee_of_a_withdrawn_notice_is_taken_back(world: World, folder: Path) -> None:
    account, _ = noticed(world, folder, "reminder")
    decided = world.value("SELECT decided_at FROM step_taken WHERE step = 'reminder'")
    with world.db.transaction(world.partner) as tx:
        fees.post(tx, [(tx.value("SELECT id FROM claim"), 3500)], decided)
    world.pays(account, 80000)

    invoices(world, folder, ("F1", "A1", "599.00", "2026-03-01", "broadband"))

    assert world.rows("SELECT principal, costs, state FROM claim") == [(0, 0, "settled")]
    assert world.value("SELECT credit FROM account") == 20100
    add_up(world)


def test_an_approval_given_for_what_was_withdrawn_is_not_used_later(world: World, folder: Path) -> None:
    account, _ = noticed(world, folder, "limit")
    world.until_asked(account)
    world.approve(account)

    invoices(world, folder, ("F1", "A1", "599.00", "2026-03-01", "broadband"))

    assert world.rows("SELECT state FROM approval") == [("lapsed",)]
    assert world.tasks(account) == []


def test_a_notice_of_several_invoices_is_withdrawn_whole_and_the_others_begin_anew(world: World, folder: Path) -> None:
    account = world.customer(ref="A1")
    world.service(account)
    rows = [("F1", "A1", "799.00", "2026-03-01", "broadband"), ("F2", "A1", "799.00", "2026-03-01", "broadband")]
    invoices(world, folder, *rows)
    world.until_step(account, "reminder")

    invoices(world, folder, ("F1", "A1", "599.00", "2026-03-01", "broadband"), rows[1])

    assert world.steps(account) == []
    assert world.log(account).count("step_withdrawn") == 2


def test_a_flag_that_protects_wakes_the_case_at_once(world: World, folder: Path) -> None:
    noticed(world, folder, "reminder")
    world.days(1)
    asleep = world.value("SELECT wakes_at FROM dunning_case")

    invoices(
        world,
        folder,
        ("F1", "A1", "799.00", "2026-03-01", "broadband", "yes"),
        header=(*BROADBAND, "flag:life_support"),
    )

    assert asleep > world.moment
    assert world.value("SELECT wakes_at FROM dunning_case") == world.moment
    assert world.value("SELECT value FROM flag WHERE name = 'life_support'") == "yes"


# -- running cases


def taken_over(world: World, folder: Path) -> tuple[Account, int]:
    """A customer whose reminder another system sent on 2 March; the invoice was due on 10 February."""
    world.until(world.moment + timedelta(days=3))
    account = world.customer(ref="A1")
    service = world.service(account)
    invoices(world, folder, ("F1", "A1", "799.00", "2026-02-10", "broadband"))
    report = running(
        world,
        folder,
        ("A1", "friendly", "2026-02-16", "", "F1", "SMS 4711, delivered 16 February"),
        ("A1", "reminder", "2026-03-02", "2026-03-16", "F1", "letter 88 of 2 March"),
    )
    assert (counts(report), report.errors) == ((2, 2, 0, 0, 0), [])
    return account, service


def test_a_running_case_goes_on_from_its_last_step_and_sends_nothing_twice(world: World, folder: Path) -> None:
    account, service = taken_over(world, folder)

    world.until_step(account, "limit")
    day = world.value("SELECT decided_at FROM step_taken WHERE step = 'limit'").date()

    # One month after 2 March, then three working days for payments in transit: 7 to 9 April, since Easter lies between.
    # The day after is a Friday, and services are limited from Monday to Thursday.
    assert day == date(2026, 4, 13)
    assert world.steps(account) == ["friendly", "reminder", "limit"]
    sent = [template for template, _ in world.messages(account)]
    assert "friendly_reminder" not in sent
    assert "reminder" not in sent
    assert world.observed(service) == "walled_garden"


def test_what_was_taken_over_stands_on_the_log_with_its_proof(world: World, folder: Path) -> None:
    account, _ = taken_over(world, folder)

    events = world.rows("SELECT number, params ->> 'step', params ->> 'proof', actor FROM case_event ORDER BY number")
    steps = world.rows("SELECT number, step, proof, pay_by_date FROM step_taken ORDER BY number")

    assert events == [
        (1, "friendly", "SMS 4711, delivered 16 February", "import"),
        (2, "reminder", "letter 88 of 2 March", "import"),
    ]
    assert steps == [
        (1, "friendly", "SMS 4711, delivered 16 February", None),
        (2, "reminder", "letter 88 of 2 March", date(2026, 3, 16)),
    ]
    assert world.log(account) == ["step_taken_over"] * 2


def test_the_same_running_cases_again_change_nothing(world: World, folder: Path) -> None:
    taken_over(world, folder)

    report = running(
        world,
        folder,
        ("A1", "friendly", "2026-02-16", "", "F1", "SMS 4711"),
        ("A1", "reminder", "2026-03-02", "2026-03-16", "F1", "letter 88"),
    )

    assert counts(report) == (2, 0, 2, 0, 0)
    assert world.value("SELECT count(*) FROM case_event") == 2


def test_a_customer_who_pays_after_the_take_over_is_left_alone(world: World, folder: Path) -> None:
    account, service = taken_over(world, folder)

    world.pays(account, 79900)
    world.days(60)

    assert world.steps(account) == ["friendly", "reminder"]
    assert world.observed(service) == "full"


def test_a_correction_withdraws_a_step_that_was_taken_over(world: World, folder: Path) -> None:
    account, _ = taken_over(world, folder)

    invoices(world, folder, ("F1", "A1", "599.00", "2026-02-10", "broadband"))

    assert world.steps(account) == []


def test_an_older_step_is_refused_where_relight_has_acted_itself_meanwhile(world: World, folder: Path) -> None:
    """The customer was just given time to pay; a reminder of last month beside it would cut that short."""
    account = world.customer(ref="A1")
    world.service(account)
    invoices(world, folder, ("F1", "A1", "799.00", "2026-02-10", "broadband"))
    world.until_step(account, "friendly")
    day = world.moment.date()

    report = running(
        world,
        folder,
        ("A1", "friendly", "2026-02-16", "", "F1", "SMS 4711"),
        ("A1", "reminder", "2026-02-23", "2026-03-01", "F1", "letter 88"),
    )

    assert counts(report) == (2, 0, 0, 0, 2)
    assert [problem.reason for problem in report.errors] == [
        "The case has already come to friendly for these invoices. Give each step once, in order.",
        f"Since then, on {day}, these invoices came to friendly. If that was wrong, void it first.",
    ]
    assert world.steps(account) == ["friendly"]


def test_steps_that_cannot_be_taken_over_say_why(world: World, folder: Path) -> None:
    world.until(world.moment + timedelta(days=10))
    for ref in ("A1", "A2"):
        world.service(world.customer(ref=ref))
    paid = world.customer(ref="A3")
    invoices(
        world,
        folder,
        ("F1", "A1", "799.00", "2026-02-10", "broadband"),
        ("F2", "A2", "799.00", "2026-02-10", "telephony"),
        ("F3", "A3", "100.00", "2026-02-10", "broadband"),
        ("F4", "A1", "799.00", "2026-03-09", "broadband"),
        ("F5", "A1", "799.00", "2026-02-10", "electricity_grid"),
    )
    world.pays(paid, 10000)

    report = running(
        world,
        folder,
        ("A9", "reminder", "2026-03-02", "", "F1", "x"),  # 2: no such account
        ("A1", "reminder", "2026-03-02", "", "F9", "x"),  # 3: no such invoice
        ("A1", "reminder", "2026-03-02", "", "F2", "x"),  # 4: another account's invoice
        ("A1", "reminder", "2026-03-12", "", "F1", "x"),  # 5: today
        ("A1", "reminder", "2026-03-02", "", "F4", "x"),  # 6: not due then
        ("A1", "purring", "2026-03-02", "", "F1", "x"),  # 7: no such step
        ("A2", "reminder", "2026-03-02", "", "F2", "x"),  # 8: no policy for telephony
        ("A3", "reminder", "2026-03-02", "", "F3", "x"),  # 9: settled
        ("A1", "reminder", "2026-03-02", "2026-03-01", "F1", "x"),  # 10: a term that had ended
        ("A1", "reminder", "2026-03-02", "", "F1", ""),  # 11: no proof
        ("A1", "reminder", "2026-03-02", "", "F1 F5", "x"),  # 12: two cases
        ("A1", "reminder", "2026-03-02", "", "F1", "x"),  # 13: good
        ("A1", "friendly", "2026-03-03", "", "F1", "x"),  # 14: after the step that follows it
        ("A1", "reminder", "2026-03-04", "", "F1", "x"),  # 15: the same step on another day
    )

    assert where(report) == [
        (2, "account"), (3, "claims"), (4, "claims"), (5, "completed_date"), (6, "claims"), (7, "step"),
        (8, "account"), (9, "claims"), (10, "pay_by_date"), (11, "proof"), (12, "claims"), (14, "step"), (15, "step"),
    ]  # fmt: skip
    assert counts(report) == (14, 1, 0, 0, 13)
