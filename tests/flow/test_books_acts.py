"""Writing off and forgiving: two people, transfers, what the case does then, and the way back."""

from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.books import acts
from relight.flow.books.errors import UnableToPost
from relight.flow.cases.errors import UnableToApprove
from relight.flow.cases.people import UnableToAct
from relight.flow.claims import fees
from relight.flow.database import Database
from tests.flow import ledger
from tests.flow.booking import AGENT, BENTE, OLE, add_person, books_of
from tests.flow.factories import make_claim, pay
from tests.flow.paying import OWED, Debtor, make_debtor, with_policy

FEE = 3500


@pytest.fixture
def debtor(db: Database, partner: int, now: datetime) -> Debtor:
    """Somebody who owes `OWED` and a fee, with a case."""
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        made = make_debtor(tx, now, reference="")
        fees.post(tx, [(made.claim_id, FEE)], now)
    return made


def number_of(db: Database, partner: int, debtor: Debtor) -> str:
    with db.transaction(partner) as tx:
        return tx.value("SELECT number FROM claim WHERE id = %(c)s", {"c": debtor.claim_id})


def test_what_one_person_asks_for_another_agrees_to_and_the_claim_is_off_the_books(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    number = number_of(db, partner, debtor)
    with db.transaction(partner) as tx:
        asked = acts.ask(tx, "write_off", number, by=AGENT, reason="no address", now=now)

    with db.transaction(partner) as tx:
        done = acts.answer(tx, asked.id, by=BENTE, granted=True, now=now)

    with db.transaction(partner) as tx:
        claim = tx.row("SELECT principal, costs, interest, state FROM claim WHERE id = %(c)s", {"c": debtor.claim_id})
        off = tx.rows("SELECT kind, debit, credit, part, amount FROM transfer WHERE debit = 'written_off' ORDER BY id")
        told = tx.row("SELECT code, actor FROM case_event ORDER BY number DESC LIMIT 1")
        lane = tx.value("SELECT lane FROM dunning_case WHERE id = %(c)s", {"c": debtor.case_id})
        assert ledger.differences(tx) == []
    assert (done.state, done.amount, done.requested_by) == ("posted", OWED + FEE, "ingrid")
    assert claim == (0, 0, 0, "settled")
    assert off == [
        ("write_off", "written_off", "receivable", "costs", FEE),
        ("write_off", "written_off", "receivable", "principal", OWED),
    ]
    assert told == ("claim_written_off", "bente")
    assert lane == "urgent"


@pytest.mark.parametrize(
    ("by", "refusal", "why"),
    [
        (BENTE, UnableToApprove, "Who asked for it cannot approve it"),
        (AGENT, UnableToAct, "ingrid is agent here, and may not approve"),
    ],
)
def test_never_by_who_asked_nor_by_who_has_no_right(
    db: Database, partner: int, debtor: Debtor, now: datetime, by, refusal: type[Exception], why: str
) -> None:
    number = number_of(db, partner, debtor)
    with db.transaction(partner) as tx:
        asked = acts.ask(tx, "remission", number, by=BENTE, reason="kindness", now=now)

    with pytest.raises(refusal, match=why), db.transaction(partner) as tx:
        acts.answer(tx, asked.id, by=by, granted=True, now=now)

    with db.transaction(partner) as tx:
        assert acts.act(tx, asked.id).state == "requested"
        assert ledger.balance(tx, "receivable") == OWED + FEE


def test_a_part_takes_costs_first_so_that_least_is_left_to_bear_interest(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    number = number_of(db, partner, debtor)
    with db.transaction(partner) as tx:
        asked = acts.ask(tx, "remission", number, by=AGENT, reason="hardship", now=now, amount=FEE + 100)

    with db.transaction(partner) as tx:
        acts.answer(tx, asked.id, by=BENTE, granted=True, now=now)

    with db.transaction(partner) as tx:
        assert tx.row("SELECT principal, costs, state FROM claim WHERE id = %(c)s", {"c": debtor.claim_id}) == (
            OWED - 100,
            0,
            "open",
        )
        assert ledger.balance(tx, "forgiven") == FEE + 100


def test_a_no_posts_nothing_and_nobody_answers_twice(db: Database, partner: int, debtor: Debtor, now: datetime) -> None:
    number = number_of(db, partner, debtor)
    with db.transaction(partner) as tx:
        asked = acts.ask(tx, "write_off", number, by=AGENT, reason="?", now=now)
        acts.answer(tx, asked.id, by=BENTE, granted=False, now=now, note="not yet")

    with pytest.raises(UnableToApprove, match="answered this already"), db.transaction(partner) as tx:
        acts.answer(tx, asked.id, by=OLE, granted=True, now=now)

    with db.transaction(partner) as tx:
        assert ledger.balance(tx, "written_off") == 0
        assert acts.ask(tx, "write_off", number, by=AGENT, reason="now", now=now).state == "requested"


def test_what_was_paid_while_it_was_asked_is_not_written_off(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    number = number_of(db, partner, debtor)
    with db.transaction(partner) as tx:
        asked = acts.ask(tx, "write_off", number, by=AGENT, reason="?", now=now)
        pay(tx, debtor.account, 100, now)

    with pytest.raises(UnableToPost, match="owes less by now"), db.transaction(partner) as tx:
        acts.answer(tx, asked.id, by=BENTE, granted=True, now=now)

    with db.transaction(partner) as tx:
        assert acts.act(tx, asked.id).state == "requested"


def test_undone_it_is_owed_again_and_what_was_paid_meanwhile_pays_it(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    number = number_of(db, partner, debtor)
    with db.transaction(partner) as tx:
        asked = acts.ask(tx, "write_off", number, by=AGENT, reason="no address", now=now)
        acts.answer(tx, asked.id, by=BENTE, granted=True, now=now)
        pay(tx, debtor.account, 1000, now)

    with db.transaction(partner) as tx:
        undone = acts.undo(tx, asked.id, by=OLE, now=now + timedelta(days=1), note="found them")

    with db.transaction(partner) as tx:
        owed = tx.value(
            "SELECT principal + costs FROM claim WHERE id = %(c)s AND state = 'open'", {"c": debtor.claim_id}
        )
        told = tx.row("SELECT code, params ->> 'note' FROM case_event ORDER BY case_id DESC, number DESC LIMIT 1")
        assert ledger.differences(tx) == []
        assert ledger.balance(tx, "written_off") == 0
    assert undone.state == "undone"
    assert owed == OWED + FEE - 1000
    assert told == ("claim_owed_again", "found them")
    with pytest.raises(UnableToPost, match="nothing to undo"), db.transaction(partner) as tx:
        acts.undo(tx, asked.id, by=OLE, now=now)


def test_what_its_invoice_no_longer_says_is_not_owed_again(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    number = number_of(db, partner, debtor)
    with db.transaction(partner) as tx:
        asked = acts.ask(tx, "write_off", number, by=AGENT, reason="no address", now=now)
        acts.answer(tx, asked.id, by=BENTE, granted=True, now=now)
        make_claim(tx, debtor.account, now, amount=OWED - 1, number=number)

    with pytest.raises(UnableToPost, match="was lowered or cancelled since"), db.transaction(partner) as tx:
        acts.undo(tx, asked.id, by=OLE, now=now)


def test_a_fee_that_was_forgiven_can_still_be_taken_back(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    number = number_of(db, partner, debtor)
    with db.transaction(partner) as tx:
        asked = acts.ask(tx, "remission", number, by=AGENT, reason="hardship", now=now, amount=FEE)
        acts.answer(tx, asked.id, by=BENTE, granted=True, now=now)
        charged = tx.value("SELECT id FROM transfer WHERE kind = 'fee'")

        fees.reverse(tx, [charged], now=now)

        assert ledger.differences(tx) == []
        assert (ledger.balance(tx, "fee_income"), ledger.balance(tx, "forgiven")) == (0, 0)
        assert ledger.balance(tx, "receivable") == OWED


def test_the_commands_ask_list_answer_and_undo(
    db: Database, partner: int, debtor: Debtor, owner: psycopg.Connection, database_urls: dict[str, str]
) -> None:
    books = books_of(owner, database_urls, partner)
    agent, manager = add_person(owner, partner, "agent"), add_person(owner, partner, "manager")
    number = number_of(db, partner, debtor)

    asked = books("forgive", number, "--amount", "100.50", "--reason", "hardship", "--as", agent)
    act = asked.stdout.split()[1].rstrip(":")
    listed = books("acts")
    agreed = books("approve", act, "--as", manager)
    undone = books("undo", act, "--as", manager)

    assert asked.stdout.startswith(f"Act {act}: 100.50 NOK of invoice {number}, to be forgiven")
    assert f"{act}  remission  requested  100.50 NOK  {number}" in " ".join(listed.stdout.split(" ")).replace(
        "   ", "  "
    )
    assert agreed.stdout == f"Forgiven: 100.50 NOK of invoice {number}.\n"
    assert undone.stdout == f"Taken back: 100.50 NOK of invoice {number} is owed again.\n"
