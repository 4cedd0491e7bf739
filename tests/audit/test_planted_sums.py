"""Planted in what the law reckons: late interest, what letters cost in each country, and money that went back."""

from datetime import timedelta
from typing import Any

import pytest

from tests.audit.story import BILL, Copy

_INTEREST = """
    INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date,
        posted_at)
    SELECT partner_id, account_id, id, 'interest', 'receivable', 'interest_income', 'interest', %(sum)s, 'NOK',
        %(until)s::date, %(at)s FROM claim WHERE id = %(claim)s
"""
_NAMED = """
    UPDATE claim SET interest_until = %(until)s::date, interest = interest + %(sum)s WHERE id = %(claim)s
"""
_RATE = """
    INSERT INTO confirmed_rate (partner_id, name, from_date, basis_points, set_at, set_by)
    VALUES (%(partner)s, 'late_interest', %(day)s::date, %(points)s, %(at)s, 'kari')
"""
_FEE = """
    INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, fee, amount, currency,
        value_date, posted_at)
    SELECT c.partner_id, c.account_id, c.id, 'fee', 'receivable', 'fee_income', 'costs', 'reminder', %(sum)s, 'NOK',
        s.decided_at::date, s.decided_at
    FROM claim c JOIN step_taken s ON s.case_id = %(case)s AND s.step = %(step)s
    WHERE c.id = (SELECT min(id) FROM claim WHERE account_id = %(a)s)
"""
_COSTS = "UPDATE claim SET costs = costs + %(sum)s WHERE id = (SELECT min(id) FROM claim WHERE account_id = %(a)s)"


def book_interest(copy: Copy, amount: int, *, until: int) -> int:
    """Interest on the dark one's first claim, named until so many days after it was due; the claim."""
    claim, due = copy.row(
        "SELECT id, due_date FROM claim WHERE account_id = %(a)s ORDER BY id LIMIT 1", a=copy.story.dark.id
    )
    given = {"claim": claim, "sum": amount, "until": due + timedelta(days=until)}
    if amount:
        copy.plant(_INTEREST, at=copy.story.ends_at, **given)
    copy.plant(_NAMED, **given)
    return int(claim)


def test_interest_by_the_rate_of_its_half_year_is_right_and_an_oere_more_is_not(copy: Copy) -> None:
    right = int(BILL * 12 * 30 / 100 / 365)
    book_interest(copy, right, until=30)
    as_it_is = copy.found()
    book_interest(copy, 1, until=30)

    assert as_it_is == []
    assert copy.found() == [("I9", copy.case_of(copy.story.dark), None, "late_interest")]
    assert "day by day from" in copy.report().violations[0].why


def test_interest_that_no_notice_has_named_is_not_owed(copy: Copy) -> None:
    claim = book_interest(copy, 500, until=30)
    copy.plant("UPDATE claim SET interest_until = NULL WHERE id = %(c)s", c=claim)

    assert copy.found() == [("I9", copy.case_of(copy.story.dark), None, "late_interest")]
    assert "which no notice has named" in copy.report().violations[0].why


def test_less_interest_than_the_days_come_to_is_found_too(copy: Copy) -> None:
    book_interest(copy, 0, until=30)

    assert copy.found() == [("I9", copy.case_of(copy.story.dark), None, "late_interest")]


def test_the_count_goes_on_by_a_rate_that_somebody_answers_for_and_was_right_before_it_was_told(copy: Copy) -> None:
    due = copy.value("SELECT min(due_date) FROM claim WHERE account_id = %(a)s", a=copy.story.dark.id)
    changes = due + timedelta(days=20)
    book_interest(copy, int(BILL * 12 * 30 / 100 / 365), until=30)
    copy.plant(_RATE, day=changes, points=730, at=copy.story.ends_at)
    told_later = copy.found()
    copy.plant("UPDATE confirmed_rate SET set_at = '2026-01-01Z'")
    told_before = [code for *_, code in copy.found()]
    book_interest(copy, int(BILL * (12 * 19 + 7.3 * 11) / 100 / 365) - int(BILL * 12 * 30 / 100 / 365) + 500, until=30)
    copy.plant(
        "INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency,"
        " value_date, posted_at, reverses_id) SELECT partner_id, account_id, claim_id, 'interest', credit, debit, part,"
        " 500, currency, value_date, posted_at, id FROM transfer WHERE kind = 'interest' ORDER BY id LIMIT 1"
    )
    copy.plant("UPDATE claim SET interest = interest - 500 WHERE interest > 0")

    assert told_later == []
    assert told_before == ["late_interest"]
    assert copy.found() == []


@pytest.mark.parametrize(
    ("country", "code", "lawful"),
    [
        ("DK", "dk.fee.reminder", 10000),
        ("SE", "se.fee.reminder", 6000),
        ("NL", "nl.fee.reminder", 0),
        ("DE", "de.fee.reminder", 0),
        ("GB", "gb.fee.reminder", 0),
    ],
)
def test_a_reminder_costs_what_its_country_lets_it_cost_and_no_more(
    copy: Copy, country: str, code: str, lawful: int
) -> None:
    copy.plant("UPDATE partner SET country = %(country)s WHERE id = %(partner)s", country=country)
    given: dict[str, Any] = {"a": copy.story.dark.id, "case": copy.case_of(copy.story.dark), "step": "friendly"}
    for amount in filter(None, (lawful,)):
        copy.plant(_FEE, sum=amount, **given)
        copy.plant(_COSTS, sum=amount, a=copy.story.dark.id)
    as_it_may = {one[3] for one in copy.found()}
    copy.plant("DELETE FROM transfer WHERE kind = 'fee'", rows=None)
    copy.plant(_FEE, sum=lawful + 1, **given)
    copy.plant(_COSTS, sum=1, a=copy.story.dark.id)

    assert code not in as_it_may
    assert code in {one[3] for one in copy.found()}


def test_danish_reminders_that_cost_come_ten_days_apart_and_three_times_whichever_bill_they_are_for(copy: Copy) -> None:
    copy.plant("UPDATE partner SET country = 'DK' WHERE id = %(partner)s")
    case = copy.case_of(copy.story.dark)
    copy.plant(_FEE, sum=10000, a=copy.story.dark.id, case=case, step="friendly")
    for days in (3, 20, 40):
        copy.plant(
            "WITH taken AS (INSERT INTO step_taken (partner_id, case_id, number, step, decided_at, completed_at, proof)"
            " SELECT partner_id, case_id, 9000 + %(days)s, 'friendly', decided_at + make_interval(days => %(days)s),"
            " NULL, '' FROM step_taken WHERE case_id = %(case)s AND step = 'friendly' AND number < 9000 RETURNING *),"
            " resting AS (INSERT INTO step_claim (partner_id, step_id, claim_id, principal)"
            " SELECT t.partner_id, t.id, c.id, c.principal FROM taken t JOIN claim c"
            " ON c.id = (SELECT max(id) FROM claim WHERE account_id = %(a)s))"
            " INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, fee, amount, currency,"
            " value_date, posted_at) SELECT partner_id, %(a)s, (SELECT max(id) FROM claim WHERE account_id = %(a)s),"
            " 'fee', 'receivable', 'fee_income', 'costs', 'reminder', 10000, 'NOK', decided_at::date, decided_at"
            " FROM taken",
            days=days, case=case, a=copy.story.dark.id,
        )  # fmt: skip

    told = {(one.event, one.why) for one in copy.report().violations if one.code == "dk.fee.reminder"}

    assert {event for event, _ in told} == {9003, 9040}
    assert ["not before" in why for _, why in sorted(told)] == [True, False]
    assert "is number 4; 3 may be charged" in max(told)[1]


def test_more_left_for_a_payer_than_the_refund_says(copy: Copy) -> None:
    copy.plant("UPDATE bank_refund SET amount = amount - 1")

    found = copy.found()

    assert {(one[0], one[3]) for one in found} == {("I2", "refund_sum")}
    assert "refunds say that" in copy.report().violations[0].why


def test_a_provider_was_asked_to_give_back_and_nothing_was_posted(copy: Copy) -> None:
    copy.plant(
        "INSERT INTO provider_refund (partner_id, account_id, payment_id, key, amount, currency, state, ordered_at,"
        " ordered_by) SELECT partner_id, account_id, id, 'planted', 100, 'NOK', 'sent', %(at)s, 'anne' FROM payment"
        " WHERE account_id = %(a)s",
        a=copy.story.back.id,
        at=copy.story.ends_at,
    )

    assert copy.found() == [("I2", copy.case_of(copy.story.back), None, "refund_sum")]


def test_who_asked_for_a_refund_granted_it(copy: Copy) -> None:
    copy.plant("ALTER TABLE bank_refund DROP CONSTRAINT bank_refund_two_people", rows=None)
    copy.plant("UPDATE bank_refund SET decided_by = asked_by")

    assert {(one[0], one[3]) for one in copy.found()} == {("I2", "refund_alone")}
