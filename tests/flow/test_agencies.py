"""What agencies say, and what they settle: told twice, out of order, of unknown cases, or otherwise than was agreed."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from relight.flow.database import Database, Tx
from relight.flow.handover import operations
from relight.flow.handover.errors import UnableToNote, UnableToRecall, UnableToSettle
from relight.flow.handover.hearing import Heard
from relight.flow.handover.port import Letter, StatusRefused, read_status
from relight.flow.handover.settlement_file import read_settlement
from relight.flow.handover.settling import Settled
from relight.flow.road.agencies import hear_agency, read_letter, settle_agency
from tests.flow import collecting
from tests.flow.collecting import AGENCY, Placed, paid, status
from tests.flow.factories import make_source, pay

OWED = 89900


@pytest.fixture
def placed(db: Database, partner: int, now: datetime) -> Placed:
    """A case that the agency has."""
    with db.transaction(partner) as tx:
        make_source(tx, now)
        collecting.set_up(tx, now)
        return collecting.place(tx, now)


@pytest.fixture
def told(db: Database, partner: int, now: datetime) -> Callable[..., list[Heard]]:
    """The agency tells something, a transaction each time."""

    def tell(*statuses: dict[str, Any]) -> list[Heard]:
        with db.transaction(partner) as tx:
            return hear_agency(tx, AGENCY, [read_status(one) for one in statuses], way="file", now=now)

    return tell


@pytest.fixture
def settled(db: Database, partner: int, now: datetime) -> Callable[..., Settled]:
    """The agency settles lines of a CSV table."""

    def settle(*lines: str, ref: str = "2026-03") -> Settled:
        table = "\n".join(("case,payment,received,fee,paid_over,direct", *lines)).encode()
        found = read_settlement(table, ref=ref, day=date(2026, 3, 31), currency="NOK")
        with db.transaction(partner) as tx:
            return settle_agency(tx, AGENCY, found, file_name="settlement.csv", now=now)

    return settle


def value(db: Database, partner: int, statement: str) -> Any:
    with db.transaction(partner) as tx:
        return tx.value(statement)


def owed(db: Database, partner: int) -> int:
    return value(db, partner, "SELECT sum(principal + costs + interest)::bigint FROM claim")


def tasks(db: Database, partner: int) -> list[str]:
    with db.transaction(partner) as tx:
        return [row[0] for row in tx.rows("SELECT code FROM task WHERE state = 'open' ORDER BY id")]


def ledger(tx: Tx) -> dict[str, int]:
    return dict(tx.rows(
        "SELECT x.name, sum(x.amount)::bigint FROM transfer t CROSS JOIN LATERAL (VALUES (t.debit, t.amount),"
        " (t.credit, -t.amount)) x (name, amount) GROUP BY x.name HAVING sum(x.amount) <> 0"))  # fmt: skip


# -- what they say


def test_a_payment_that_is_told_five_times_counts_once(
    placed: Placed, told: Callable[..., list[Heard]], db: Database, partner: int, now: datetime
) -> None:
    said = paid(placed.ref, 30000, now, payment="NI-1")

    verdicts = [one.verdict for one in told(*[said] * 5, {**said, "id": "another message"})]

    assert verdicts == ["taken", "repeated", "repeated", "repeated", "repeated", "taken"]
    assert owed(db, partner) == OWED - 30000
    assert value(db, partner, "SELECT sum(amount)::bigint FROM transfer WHERE debit = 'agency'") == 30000


def test_an_older_word_is_kept_and_does_not_undo_a_newer_one(
    placed: Placed, told: Callable[..., list[Heard]], db: Database, partner: int, now: datetime
) -> None:
    given_up = status(placed.ref, "uncollectable", now)
    accepted = status(placed.ref, "accepted", now - timedelta(days=3))

    verdicts = [one.verdict for one in told(given_up, accepted)]

    assert verdicts == ["taken", "older"]
    assert value(db, partner, "SELECT state FROM handover") == "uncollectable"
    assert value(db, partner, "SELECT count(*) FROM agency_notice") == 2
    assert tasks(db, partner) == ["agency_uncollectable"]


def test_money_counts_however_late_it_is_told(
    placed: Placed, told: Callable[..., list[Heard]], db: Database, partner: int, now: datetime
) -> None:
    told(status(placed.ref, "recall_confirmed", now))

    told(paid(placed.ref, OWED, now - timedelta(days=2)))

    assert owed(db, partner) == 0
    assert value(db, partner, "SELECT state FROM handover") == "recalled"


def test_a_case_that_nobody_gave_them_is_kept_for_a_person_and_stops_no_other(
    placed: Placed, told: Callable[..., list[Heard]], db: Database, partner: int, now: datetime
) -> None:
    stray, known = told(paid("4711", 100, now), paid(placed.ref, 100, now))

    assert (stray.verdict, known.verdict) == ("unknown_case", "taken")
    assert "4711" in stray.why
    assert tasks(db, partner) == ["agency_unknown_case"]
    assert value(db, partner, "SELECT body ->> 'case' FROM agency_notice WHERE verdict = 'unknown_case'") == "4711"


def test_the_same_message_with_other_words_is_a_persons_work(
    placed: Placed, told: Callable[..., list[Heard]], db: Database, partner: int, now: datetime
) -> None:
    said = paid(placed.ref, 30000, now)
    told(said)

    (again,) = told({**said, "amount": 50000})

    assert again.verdict == "differs"
    assert owed(db, partner) == OWED - 30000
    assert tasks(db, partner) == ["agency_differs"]
    assert value(db, partner, "SELECT count(*) FROM agency_notice") == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [({"currency": "DKK"}, "NOK"), ({"payment": "NI-known", "amount": 1}, "another amount")],
    ids=["another currency", "another amount"],
)
def test_a_payment_that_cannot_be_is_booked_nowhere(
    placed: Placed,
    told: Callable[..., list[Heard]],
    db: Database,
    partner: int,
    now: datetime,
    change: dict[str, Any],
    why: str,
) -> None:
    told(paid(placed.ref, 100, now, payment="NI-known"))

    (answer,) = told({**paid(placed.ref, 100, now), **change})

    assert (answer.verdict, why in answer.why) == ("differs", True)
    assert owed(db, partner) == OWED - 100


def test_a_payment_that_goes_back_opens_the_claim_and_leaves_nothing_with_the_agency(
    placed: Placed, told: Callable[..., list[Heard]], db: Database, partner: int, now: datetime
) -> None:
    said = paid(placed.ref, OWED, now, payment="NI-9")
    told(said)
    was = value(db, partner, "SELECT state FROM handover")

    told({**said, "id": "went back", "status": "payment_returned"})

    assert was == "paid"
    assert value(db, partner, "SELECT state FROM handover") == "accepted"
    assert owed(db, partner) == OWED
    with db.transaction(partner) as tx:
        assert ledger(tx) == {"receivable": OWED, "revenue": -OWED}


def test_what_was_paid_to_the_creditor_is_not_booked_again(
    placed: Placed, told: Callable[..., list[Heard]], db: Database, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        pay(tx, placed.account, 50000, now)

    told(paid(placed.ref, 50000, now, direct=True))

    assert owed(db, partner) == OWED - 50000
    assert value(db, partner, "SELECT count(*) FROM payment") == 1


def test_a_line_that_is_wrong_is_told_and_stops_no_other(
    placed: Placed, db: Database, partner: int, now: datetime
) -> None:
    fine = paid(placed.ref, 100, now)
    lines = ["no JSON at all", "{}", f'{{"id": "x", "case": "{placed.ref}", "status": "vanished"}}']
    text = "\n".join([*lines, str(fine).replace("'", '"')])

    read = read_letter(db, partner, AGENCY, Letter("status.jsonl", text.encode()), now)

    assert [one.verdict for one in read.heard] == ["taken"]
    assert [error.split(":")[0] for error in read.errors] == ["line 1", "line 2", "line 3"]
    assert tasks(db, partner) == ["agency_unreadable"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 12.5}, "amount"),
        ({"amount": True}, "amount"),
        ({"date": "yesterday"}, "date"),
        ({"at": "2026-03-02T09:00:00"}, "at"),
        ({"payment": ""}, "payment"),
        ({"case": "x" * 501}, "case"),
        ({"status": "refused"}, "reason"),
    ],
)
def test_a_status_that_lacks_something_says_what(now: datetime, change: dict[str, Any], field: str) -> None:
    with pytest.raises(StatusRefused, match=f"^{field}:"):
        read_status({**paid("1-1-1-0", 100, now), **change})


# -- recall


def test_a_case_is_called_back_once_and_only_from_an_agency_that_has_it(
    placed: Placed, told: Callable[..., list[Heard]], db: Database, partner: int, now: datetime
) -> None:
    wanted = {"case_id": placed.case_id, "why": "person", "actor": "bente", "note": "a mistake", "now": now}
    with db.transaction(partner) as tx:
        operations.recall(tx, **wanted)

    with pytest.raises(UnableToRecall), db.transaction(partner) as tx:
        operations.recall(tx, **wanted)

    assert value(db, partner, "SELECT wanted_back || ' ' || wanted_by FROM handover") == "person bente"
    assert value(db, partner, "SELECT lane FROM dunning_case") == "urgent"


# -- settlement


def test_a_settlement_takes_in_a_payment_that_nobody_had_told(
    placed: Placed, settled: Callable[..., Settled], db: Database, partner: int
) -> None:
    done = settled(f"{placed.ref},NI-5,500.00,50.00,450.00,")

    assert [line.wrong for line in done.lines] == [""]
    assert owed(db, partner) == OWED - 50000
    with db.transaction(partner) as tx:
        assert ledger(tx) == {
            "receivable": OWED - 50000, "revenue": -OWED, "settlement": 45000, "agency_fee": 5000,
        }  # fmt: skip


def test_a_fee_beyond_the_agreement_stays_owed_by_the_agency_and_is_a_persons_work(
    placed: Placed, settled: Callable[..., Settled], db: Database, partner: int
) -> None:
    done = settled(f"{placed.ref},NI-5,500.00,80.00,420.00,")

    assert [(line.wrong, line.agreed) for line in done.lines] == [("fee_differs", 5000)]
    assert tasks(db, partner) == ["agency_settlement_differs"]
    with db.transaction(partner) as tx:
        found = ledger(tx)
    assert (found["settlement"], found["agency_fee"], found["agency"]) == (42000, 5000, 3000)


def test_a_fee_on_what_was_paid_to_us_is_kept_from_the_payout(
    placed: Placed, settled: Callable[..., Settled], db: Database, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        pay(tx, placed.account, OWED, now)

    settled(f"{placed.ref},own-1,899.00,89.90,-89.90,yes")

    with db.transaction(partner) as tx:
        assert ledger(tx) == {"settlement": OWED - 8990, "agency_fee": 8990, "revenue": -OWED}


def test_a_payment_is_settled_once_and_a_number_says_one_thing(
    placed: Placed, settled: Callable[..., Settled], db: Database, partner: int
) -> None:
    line = f"{placed.ref},NI-5,500.00,50.00,450.00,"
    settled(line)

    same, again = settled(line), settled(line, ref="2026-04")
    with pytest.raises(UnableToSettle, match="another content"):
        settled(f"{placed.ref},NI-6,1.00,0.10,0.90,")

    assert (same.repeated, [one.wrong for one in again.lines]) == (True, ["settled_before"])
    assert value(db, partner, "SELECT sum(amount)::bigint FROM transfer WHERE debit = 'agency_fee'") == 5000


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["1,NI-5,500.00,50.00,500.00,"], "received less the fee"),
        (["1,NI-5,500.00,50.00,450.00,", "1,NI-5,500.00,50.00,450.00,"], "there twice"),
        (["1,NI-5,five hundred,50.00,450.00,"], "received"),
        ([",NI-5,500.00,50.00,450.00,"], "no case"),
        ([], "no lines"),
    ],
)
def test_a_settlement_that_does_not_add_up_posts_nothing(
    settled: Callable[..., Settled], placed: Placed, db: Database, partner: int, lines: list[str], why: str
) -> None:
    with pytest.raises(UnableToSettle, match=why):
        settled(*lines)

    assert value(db, partner, "SELECT count(*) FROM agency_settlement") == 0


def test_sums_that_a_file_tells_are_those_of_its_lines() -> None:
    line = '{"case": "1", "payment": "NI-5", "received": 500.00, "fee": "50.00", "paid_over": 450.00}'
    head = '"settlement": "S1", "date": "2026-03-31", "currency": "NOK"'

    fine = read_settlement(f'{{{head}, "paid_over": "450.00", "lines": [{line}]}}'.encode())

    assert (fine.ref, fine.received, fine.fee, fine.paid_over) == ("S1", 50000, 5000, 45000)
    with pytest.raises(UnableToSettle, match="not the sum"):
        read_settlement(f'{{{head}, "paid_over": "451.00", "lines": [{line}]}}'.encode())


def test_the_agreement_of_the_day_counts_in_its_highest_band(
    placed: Placed, settled: Callable[..., Settled], db: Database, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        for least, share, amount in ((0, None, 10000), (50000, 2000, None)):
            operations.note_fee(tx, AGENCY, from_date=date(2026, 3, 1), least=least, basis_points=share, amount=amount,
                                by="bente", now=now)  # fmt: skip

    done = settled(f"{placed.ref},NI-5,499.99,100.00,399.99,", f"{placed.ref},NI-6,500.00,100.00,400.00,")

    assert [line.agreed for line in done.lines] == [10000, 10000]
    with pytest.raises(UnableToNote), db.transaction(partner) as tx:
        operations.note_fee(tx, AGENCY, from_date=date(2026, 3, 1), least=0, basis_points=1, amount=None, by="bente",
                            now=now)  # fmt: skip
