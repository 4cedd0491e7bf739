"""Bills that are collected by a mandate: planned, ordered once, paid, refused, sent back, called back."""

from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from relight.flow.database import Database
from relight.flow.payments.mandates import answering, hearing, noting
from tests.flow.mandating import KARI, Till


@pytest.fixture
def till(db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path) -> Till:
    return Till(db, owner, partner, now, tmp_path, "sepa")


def test_a_bill_is_planned_and_ordered_once_and_not_followed_up_meanwhile(till: Till) -> None:
    customer = till.customer()

    planned = [till.plan().planned for _ in range(2)]
    first, second = till.order(), till.order()

    assert planned == [1, 0]
    assert first is not None
    assert (first.collections, first.amount) == (1, 6150)
    assert second is None
    assert till.collected(customer) == [("sent", "2026-03-23", "")]
    assert till.held(customer)


def test_the_money_ends_the_collection_counts_once_and_pays_its_bill(till: Till) -> None:
    customer = till.customer()
    till.plan()
    till.order()

    till.pays_out(customer)
    till.pays_out(customer)

    assert till.collected(customer) == [("collected", "2026-03-23", "")]
    assert till.owes(customer.account) == 0
    assert not till.held(customer)
    assert till.rows("SELECT amount, state, unmatched FROM payment") == [(6150, "booked", 0)]


def test_money_that_goes_back_is_owed_again_and_collected_once_more_on_the_next_pay_day(till: Till) -> None:
    customer = till.customer()
    till.plan()
    till.order()
    till.pays_out(customer)
    till.now += timedelta(days=23)

    till.sends_back(customer, "AM04")

    assert till.collected(customer) == [("returned", "2026-03-23", "AM04"), ("planned", "2026-04-28", "")]
    assert till.owes(customer.account) == 6150
    assert till.held(customer)


def test_what_the_bank_refuses_before_its_day_is_no_money_and_a_person_asks_the_customer(
    till: Till, tmp_path: Path
) -> None:
    customer = till.customer()
    till.plan()
    till.order()
    status = tmp_path / "status.xml"
    status.write_text(
        '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>B</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId><GrpSts>PART</GrpSts>"
        "</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>M-1</OrgnlPmtInfId><TxInfAndSts><OrgnlEndToEndId>"
        f"{till.ref(customer)}</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>MS02</Cd></Rsn></StsRsnInf>"
        "</TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )

    taken = [hearing.import_answers(till.db, till.partner, status, format="pain002", now=till.now) for _ in range(2)]

    assert [(one.read, one.changed, one.errors) for one in taken] == [(1, 1, []), (1, 0, [])]
    assert till.collected(customer) == [("refused", "2026-03-23", "MS02")]
    assert not till.held(customer)
    assert till.rows("SELECT code, params ->> 'reason' FROM task") == [("collection_failed", "MS02")]
    assert till.plan().left_out == {"failed_before": 1}


def test_a_file_that_the_bank_refuses_whole_ends_all_its_collections(till: Till, tmp_path: Path) -> None:
    customers = [till.customer() for _ in range(2)]
    till.plan()
    written = till.order()
    assert written is not None
    status = tmp_path / "status.xml"
    status.write_text(
        "<Document><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>"
        f"{written.message}</OrgnlMsgId><GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf>"
        "</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
    )

    taken = hearing.import_answers(till.db, till.partner, status, format="pain002", now=till.now)

    assert taken.changed == 2
    assert [till.collected(one) for one in customers] == [[("refused", "2026-03-23", "FF01")]] * 2


def test_a_refusal_of_money_that_never_stood_alone_takes_nothing_back(till: Till) -> None:
    customer = till.customer()
    till.plan()
    till.order()

    till.sends_back(customer, "AC04", day="2026-03-23")

    assert till.collected(customer) == [("refused", "2026-03-23", "AC04")]
    assert till.rows("SELECT code FROM task") == []
    assert till.rows("SELECT ends_on::text, ended_because FROM mandate") == [("2026-03-02", "AC04")]


def test_when_the_tries_are_spent_a_person_asks_the_customer(till: Till) -> None:
    customer = till.customer()
    states: list[str] = []
    for _ in range(3):
        till.plan()
        till.order()
        till.now += timedelta(days=40)
        till.sends_back(customer, "AM04", day=till.now.date().isoformat())
        states.append(till.collected(customer)[-1][0])

    assert states == ["planned", "planned", "refused"]
    assert till.value("SELECT max(attempt) FROM collection") == 3
    assert till.rows("SELECT code FROM task") == [("collection_failed",)]


def test_a_bill_that_is_paid_before_its_file_is_not_ordered(till: Till) -> None:
    customer = till.customer()
    till.plan()
    with till.db.transaction(till.partner) as tx:
        tx.run("UPDATE claim SET principal = 0, state = 'settled' WHERE id = %(c)s", {"c": customer.claim})

    written = till.order()

    assert written is None
    assert till.collected(customer) == [("called_back", "2026-03-23", "not_sent")]


def test_a_bill_that_is_paid_after_its_file_is_called_back_once(till: Till) -> None:
    customer = till.customer(reference="2345676")
    till.plan()
    till.order()
    with till.db.transaction(till.partner) as tx:
        tx.run("UPDATE claim SET principal = 100 WHERE id = %(c)s", {"c": customer.claim})

    told = till.plan()
    first, second = till.recall(), till.recall()

    assert told.recall_wanted == 1
    assert first is not None
    assert first.collections == 1
    assert f"<OrgnlEndToEndId>{till.ref(customer)}</OrgnlEndToEndId>".encode() in first.content
    assert second is None
    assert till.collected(customer) == [("called_back", "2026-03-23", "")]


def test_what_cannot_be_called_back_any_more_comes_and_is_credit(till: Till) -> None:
    customer = till.customer()
    till.plan()
    till.order()
    till.now = till.now.replace(day=23)
    with till.db.transaction(till.partner) as tx:
        tx.run("UPDATE claim SET principal = 100 WHERE id = %(c)s", {"c": customer.claim})

    told, written = till.plan(), till.recall()

    assert (told.recall_wanted, written) == (0, None)
    assert till.collected(customer) == [("sent", "2026-03-23", "")]


def test_no_word_and_no_money_ends_a_collection_once_the_bank_has_told_everything(till: Till) -> None:
    customer = till.customer()
    till.plan()
    till.order()
    till.now += timedelta(days=40)
    with till.db.transaction(till.partner) as tx:
        tx.run(
            "INSERT INTO source (partner_id, name, kind, complete_until) VALUES (%(p)s, 'bank', 'bank', %(m)s)",
            {"p": till.partner, "m": datetime(2026, 3, 20, tzinfo=till.now.tzinfo)},
        )

    too_early = answering.sweep(till.db, till.partner, now=till.now)
    with till.db.transaction(till.partner) as tx:
        tx.run("UPDATE source SET complete_until = %(m)s", {"m": till.now})
    ended = answering.sweep(till.db, till.partner, now=till.now)

    assert (too_early, ended) == (0, 1)
    assert till.collected(customer) == [("unanswered", "2026-03-23", "unanswered")]


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("in a plan", None),
        ("on hold", "INSERT INTO hold (partner_id, account_id, reason, starts_at, placed_by) SELECT partner_id,"
         " account_id, 'complaint', created_at, 'bente' FROM claim WHERE id = %(c)s"),
        ("disputed", "UPDATE claim SET disputed = principal WHERE id = %(c)s"),
        ("being paid", "WITH s AS (INSERT INTO source (partner_id, name, kind, required) SELECT partner_id, 'p',"
         " 'provider', false FROM claim WHERE id = %(c)s RETURNING id, partner_id) INSERT INTO payment (partner_id,"
         " account_id, source_id, ref, amount, currency, state, value_date, received_at) SELECT c.partner_id,"
         " c.account_id, s.id, 'x', 6150, 'EUR', 'authorised', c.due_date, c.created_at FROM claim c, s"
         " WHERE c.id = %(c)s"),
    ],
)  # fmt: skip
def test_bills_that_are_not_to_be_collected_are_left_alone(till: Till, name: str, statement: str | None) -> None:
    customer = till.customer()
    with till.db.transaction(till.partner) as tx:
        if statement:
            tx.run(statement, {"c": customer.claim})
        else:
            tx.run(
                "WITH n AS (INSERT INTO policy_version (partner_id, name, version, hash, text, services, debtor,"
                " published_at, published_by) SELECT partner_id, 'p', 1, 'h', '', '{broadband}', 'consumer',"
                " created_at, 'x' FROM claim WHERE id = %(c)s RETURNING id, partner_id), k AS (INSERT INTO"
                " dunning_case (partner_id, account_id, policy_version_id, services, wakes_at, turned_at, opened_at)"
                " SELECT n.partner_id, c.account_id, n.id, '{broadband}', c.created_at, c.created_at, c.created_at"
                " FROM n, claim c WHERE c.id = %(c)s RETURNING id, account_id, partner_id), p AS (INSERT INTO"
                " instalment_plan (partner_id, account_id, case_id, name, state, months_min, months_max, months,"
                " amount, offered_at, offered_by, valid_until, agreed_at, after_transfer) SELECT k.partner_id,"
                " k.account_id, k.id, 'p', 'running', 1, 2, 2, 6150, c.created_at, 'x', c.due_date, c.created_at, 0"
                " FROM k, claim c WHERE c.id = %(c)s RETURNING id, partner_id) INSERT INTO plan_claim (partner_id,"
                " plan_id, claim_id, amount) SELECT partner_id, id, %(c)s, 6150 FROM p",
                {"c": customer.claim},
            )

    told = till.plan()

    assert told.planned == 0, name


def test_an_old_bill_that_nobody_announced_is_left_alone(till: Till) -> None:
    till.customer(starts_on=date(2026, 3, 9))

    told = till.plan()

    assert (told.planned, told.left_out) == (0, {"not_announced": 1})


def test_a_collection_comes_fourteen_days_after_the_bill_that_announced_it(till: Till) -> None:
    customer = till.customer(due=date(2026, 3, 5))

    till.plan()

    assert till.collected(customer) == [("planned", "2026-03-16", "")]


def test_a_bill_is_in_one_collection_at_a_time_whatever_is_written(till: Till) -> None:
    customer = till.customer()
    till.plan()

    with till.db.transaction(till.partner) as tx, pytest.raises(psycopg.errors.UniqueViolation):
        tx.run(
            "INSERT INTO collection (partner_id, mandate_id, account_id, claim_id, amount, currency, collect_date,"
            " until, ref, planned_at) SELECT partner_id, mandate_id, account_id, claim_id, amount, currency,"
            " collect_date, until, 'other', planned_at FROM collection WHERE claim_id = %(c)s",
            {"c": customer.claim},
        )


def test_a_stranger_who_writes_our_reference_on_another_sum_has_collected_nothing(till: Till) -> None:
    customer = till.customer()
    till.plan()
    till.order()

    till.pays_out(customer, amount="1.00")

    assert till.collected(customer) == [("sent", "2026-03-23", "")]
    assert till.rows("SELECT account_id FROM payment") == [(None,)]


def test_a_mandate_that_ends_takes_back_what_was_planned_by_it(till: Till) -> None:
    customer = till.customer()
    till.plan()
    with till.db.transaction(till.partner) as tx:
        noting.end(tx, scheme="sepa", reference=customer.mandate, by=KARI, today=till.now.date(), now=till.now)

    told = till.plan()

    assert (told.called_back, told.planned) == (1, 0)
    assert not till.held(customer)


def test_a_file_says_of_each_collection_whether_it_is_the_first_the_last_or_the_only_one(till: Till) -> None:
    usual, once, ending = till.customer(), till.customer(is_once=True), till.customer(ends_on=date(2026, 4, 10))
    till.plan()
    till.order()
    for customer in (usual, once, ending):
        till.pays_out(customer)
        till.bills(customer, due=date(2026, 3, 30))

    told = till.plan()
    till.order()

    found = till.rows("SELECT account_id, array_agg(sequence ORDER BY id) FROM collection GROUP BY 1 ORDER BY 1")
    assert [sequences for _, sequences in found] == [["FRST", "RCUR"], ["OOFF"], ["FNAL"]]
    assert told.planned == 1


def test_a_mandate_that_ends_before_the_day_collects_nothing(till: Till) -> None:
    customer = till.customer(ends_on=date(2026, 3, 20))

    told = till.plan()

    assert told.left_out == {"mandate_ends": 1}
    assert till.collected(customer) == []
