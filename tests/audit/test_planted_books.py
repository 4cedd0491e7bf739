"""Planted in the books (I2): months, remittances and acts; each is found, and nothing else is."""

import pytest

from tests.audit.story import BILL, Copy

_MONTH = """
    INSERT INTO books_period (partner_id, month, starts_at, ends_at, transfers, last_transfer, closed_at, closed_by)
    SELECT %(partner)s, '2026-03-01', '2026-02-28 23:00Z', '2026-03-31 22:00Z', count(*) - %(missing)s, max(id),
        '2026-04-01Z', 'bente'
    FROM transfer WHERE partner_id = %(partner)s AND posted_at < '2026-03-31 22:00Z'
"""
_ACT = """
    WITH asked AS (
        INSERT INTO approval (partner_id, kind, state, requested_at, requested_by, decided_by)
        VALUES (%(partner)s, 'write_off', 'granted', '2026-03-10Z', 'ingrid', ARRAY[%(by)s::text]) RETURNING id
    )
    INSERT INTO books_act (partner_id, kind, account_id, claim_id, approval_id, amount, currency, reason, state)
    SELECT %(partner)s, 'write_off', c.account_id, c.id, x.id, %(sum)s, 'NOK', 'no address', 'posted'
    FROM claim c CROSS JOIN asked x WHERE c.account_id = %(a)s
"""
_ITS_TRANSFER = """
    INSERT INTO books_act_transfer (partner_id, act_id, transfer_id)
    SELECT b.partner_id, b.id, t.id FROM books_act b JOIN transfer t ON t.claim_id = b.claim_id AND t.kind = 'claim'
    WHERE b.partner_id = %(partner)s
"""


def test_a_month_that_was_closed_holds_one_transfer_more(copy: Copy) -> None:
    copy.plant(_MONTH, missing=1)

    assert copy.found() == [("I2", None, None, "month_changed")]
    assert "2026-03 was closed with" in copy.report().violations[0].why


def test_a_month_as_it_was_closed_is_fine(copy: Copy) -> None:
    copy.plant(_MONTH, missing=0)

    assert copy.found() == []


def test_a_balance_that_was_kept_is_not_what_its_transfers_come_to(copy: Copy) -> None:
    copy.plant(_MONTH, missing=0)
    copy.plant(
        "INSERT INTO books_balance (partner_id, period_id, currency, ledger, debit, credit)"
        " SELECT partner_id, id, 'NOK', 'written_off', 7, 0 FROM books_period WHERE partner_id = %(partner)s"
    )

    assert copy.found() == [("I2", None, None, "month_unbalanced")]
    assert "written_off was kept as 0.07 NOK; its transfers until then come to 0.00 NOK" in (
        copy.report().violations[0].why
    )


def test_a_remittance_lists_less_than_it_says(copy: Copy) -> None:
    copy.plant(
        "INSERT INTO remittance (partner_id, creditor_id, currency, until, amount, made_at, made_by)"
        " SELECT partner_id, id, 'NOK', '2026-03-31', 100, '2026-04-01Z', 'bente' FROM creditor"
        " WHERE partner_id = %(partner)s"
    )

    assert copy.found() == [("I2", None, None, "remitted_wrong")]


def test_money_was_paid_over_and_stands_on_no_list(copy: Copy) -> None:
    copy.plant(
        "INSERT INTO transfer (partner_id, account_id, kind, debit, credit, amount, currency, value_date, posted_at)"
        " VALUES (%(partner)s, %(a)s, 'remittance', 'remitted', 'settlement', 100, 'NOK', '2026-03-10', %(at)s)",
        a=copy.story.back.id,
        at=copy.story.ends_at,
    )

    assert copy.found() == [("I2", None, None, "remitted_unlisted")]


@pytest.mark.parametrize(("by", "codes"), [("ingrid", ["act_alone"]), ("bente", [])])
def test_who_asked_for_a_write_off_agreed_to_it_himself(copy: Copy, by: str, codes: list[str]) -> None:
    copy.plant(_ACT, a=copy.story.back.id, by=by, sum=BILL)
    copy.plant(_ITS_TRANSFER)

    assert [code for *_, code in copy.found()] == codes


def test_a_write_off_moved_nothing(copy: Copy) -> None:
    copy.plant(_ACT, a=copy.story.back.id, by="bente", sum=BILL)

    assert [(code, case) for _, case, _, code in copy.found()] == [("act_sum", copy.case_of(copy.story.back))]
