"""Planted in the money (I1, I2): each is found, at the right case, and nothing else is."""

from tests.audit.story import BILL, Copy

_TRANSFER = """
    INSERT INTO transfer (partner_id, account_id, claim_id, payment_id, kind, debit, credit, part, amount, currency,
        value_date, posted_at)
    SELECT partner_id, account_id, claim_id, payment_id, kind, debit, credit, part, amount, currency, value_date,
        posted_at
    FROM transfer WHERE id = (SELECT max(id) FROM transfer WHERE account_id = %(a)s AND kind = %(kind)s)
"""


def test_a_payment_was_posted_twice(copy: Copy) -> None:
    copy.plant(_TRANSFER, a=copy.story.back.id, kind="payment")
    copy.plant("UPDATE account SET credit = credit + %(sum)s WHERE id = %(a)s", a=copy.story.back.id, sum=BILL)

    assert copy.found() == [("I1", copy.case_of(copy.story.back), None, "miscounted")]
    assert "was posted 2 times; it counts once" in copy.report().violations[0].why


def test_a_confirmed_payment_was_never_posted(copy: Copy) -> None:
    account = copy.story.back.id
    copy.plant("DELETE FROM transfer WHERE account_id = %(a)s AND payment_id IS NOT NULL", a=account, rows=2)
    copy.plant("UPDATE claim SET principal = amount, state = 'open' WHERE account_id = %(a)s", a=account)

    assert copy.found() == [("I1", copy.case_of(copy.story.back), None, "miscounted")]
    assert "is confirmed and was never posted: it is lost" in copy.report().violations[0].why


def test_what_paid_a_bill_was_given_back_to_its_payer(copy: Copy) -> None:
    copy.plant("ALTER TABLE account DROP CONSTRAINT account_credit", rows=None)
    copy.plant(
        "INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date,"
        " posted_at) SELECT partner_id, account_id, payment_id, 'refund', 'customer', 'refund', 100, currency,"
        " value_date, posted_at FROM transfer WHERE account_id = %(a)s AND kind = 'payment'",
        a=copy.story.back.id,
    )
    copy.plant("UPDATE account SET credit = credit - 100 WHERE id = %(a)s", a=copy.story.back.id)

    case = copy.case_of(copy.story.back)
    assert copy.found() == [("I1", case, None, "miscounted"), ("I2", case, None, "refund_sum")]
    assert "gave more back to its payer than it left as credit" in copy.report().violations[0].why


def test_a_provider_said_that_money_came_and_no_payment_counts(copy: Copy) -> None:
    copy.plant(
        "INSERT INTO provider_notice (partner_id, provider, event_id, provider_ref, state, amount, currency,"
        " occurred_at, received_at, outcome) VALUES (%(partner)s, 'testpay', 'evt_lost', 'lost', 'confirmed', 100,"
        " 'NOK', %(at)s, %(at)s, 'paid')",
        at=copy.story.ends_at,
    )

    assert copy.found() == [("I1", None, None, "notice_lost")]
    assert "said in evt_lost that 1.00 NOK came for lost" in copy.report().violations[0].why


def test_the_same_payment_is_there_twice(copy: Copy) -> None:
    copy.plant("ALTER TABLE payment DROP CONSTRAINT payment_ref", rows=None)
    copy.plant(
        "INSERT INTO payment (partner_id, source_id, ref, amount, currency, state, value_date, received_at)"
        " SELECT partner_id, source_id, ref, amount, currency, 'failed', value_date, received_at FROM payment"
        " WHERE account_id = %(a)s",
        a=copy.story.back.id,
    )

    found = copy.found()

    assert ("I1", copy.case_of(copy.story.back), None, "told_twice") in found
    assert {one[3] for one in found} == {"told_twice", "payment_untold"}  # the feed was never told of the second


def test_a_providers_event_was_kept_twice(copy: Copy) -> None:
    copy.plant("ALTER TABLE provider_notice DROP CONSTRAINT provider_notice_once", rows=None)
    copy.plant(
        "INSERT INTO provider_notice (partner_id, provider, event_id, provider_ref, state, amount, currency,"
        " occurred_at, received_at, outcome) SELECT partner_id, provider, event_id, provider_ref, state, amount,"
        " currency, occurred_at, received_at, outcome FROM provider_notice WHERE event_id = 'evt_1'"
    )

    assert {(one[0], one[3]) for one in copy.found()} == {("I1", "notice_twice")}


def test_no_decision_saw_a_payment(copy: Copy) -> None:
    copy.plant("UPDATE payment SET noted_at = NULL WHERE account_id = %(a)s", a=copy.story.back.id)

    assert copy.found() == [("I1", copy.case_of(copy.story.back), None, "unseen")]


def test_a_claim_owes_another_sum_than_its_transfers(copy: Copy) -> None:
    claim = copy.value("SELECT min(id) FROM claim WHERE account_id = %(a)s", a=copy.story.dark.id)
    copy.plant("UPDATE claim SET principal = principal - 100 WHERE id = %(id)s", id=claim)

    assert copy.found() == [("I2", copy.case_of(copy.story.dark), None, "claim_balance")]
    assert "898.00 NOK, 0.00 NOK of costs and 0.00 NOK of interest are owed" in copy.report().violations[0].why


def test_an_account_has_credit_that_no_transfer_left_there(copy: Copy) -> None:
    copy.plant("UPDATE account SET credit = credit + 5 WHERE id = %(a)s", a=copy.story.dark.id)

    assert copy.found() == [("I2", copy.case_of(copy.story.dark), None, "credit_balance")]


def test_a_paid_claim_is_still_open(copy: Copy) -> None:
    copy.plant("ALTER TABLE claim DROP CONSTRAINT claim_open_owes", rows=None)
    copy.plant("UPDATE claim SET state = 'open' WHERE account_id = %(a)s", a=copy.story.back.id)

    assert copy.found() == [("I2", copy.case_of(copy.story.back), None, "claim_state")]


def test_a_transfer_moves_money_from_a_ledger_to_itself(copy: Copy) -> None:
    copy.plant("ALTER TABLE transfer DROP CONSTRAINT transfer_two_sides", rows=None)
    copy.plant(
        "INSERT INTO transfer (partner_id, account_id, kind, debit, credit, amount, currency, value_date, posted_at)"
        " VALUES (%(partner)s, %(a)s, 'correction', 'revenue', 'revenue', 100, 'NOK', '2026-03-02', %(at)s)",
        a=copy.story.dark.id,
        at=copy.story.ends_at,
    )

    assert copy.found() == [("I2", copy.case_of(copy.story.dark), None, "one_sided")]


def test_a_transfer_is_in_another_currency_than_its_claim(copy: Copy) -> None:
    copy.plant(
        "UPDATE transfer SET currency = 'EUR' WHERE id = (SELECT min(id) FROM transfer WHERE account_id = %(a)s)",
        a=copy.story.dark.id,
    )

    assert copy.found() == [("I2", copy.case_of(copy.story.dark), None, "strays")]


def test_more_of_a_fee_was_taken_back_than_it_was(copy: Copy) -> None:
    fee = (
        "INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency,"
        " value_date, posted_at, reverses_id) SELECT partner_id, account_id, min(id), 'fee', %(debit)s, %(credit)s,"
        " 'costs', %(amount)s, 'NOK', '2026-03-02', %(at)s, %(reverses)s::bigint FROM claim WHERE account_id = %(a)s"
        " GROUP BY partner_id, account_id"
    )
    known = {"a": copy.story.dark.id, "at": copy.story.ends_at}
    copy.plant(fee, debit="receivable", credit="fee_income", amount=3500, reverses=None, **known)
    copy.plant(fee, debit="receivable", credit="fee_income", amount=3500, reverses=None, **known)
    charged = copy.value("SELECT max(id) FROM transfer")
    copy.plant(fee, debit="fee_income", credit="receivable", amount=7000, reverses=charged, **known)

    assert copy.found() == [("I2", copy.case_of(copy.story.dark), None, "reversed_too_much")]


def test_a_step_was_voided_and_its_fee_stands(copy: Copy) -> None:
    known = {"a": copy.story.dark.id, "at": copy.story.ends_at}
    copy.plant(
        "INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency,"
        " value_date, posted_at) SELECT c.partner_id, c.account_id, c.id, 'fee', 'receivable', 'fee_income', 'costs',"
        " 3500, 'NOK', s.decided_at::date, s.decided_at FROM step_taken s JOIN step_claim k ON k.step_id = s.id"
        " JOIN claim c ON c.id = k.claim_id WHERE c.account_id = %(a)s AND s.step = 'friendly' ORDER BY c.id LIMIT 1",
        **known,
    )
    copy.plant(
        "UPDATE claim SET costs = costs + 3500 WHERE id = (SELECT claim_id FROM transfer ORDER BY id DESC LIMIT 1)"
    )
    copy.plant(
        "UPDATE step_taken SET voided_at = %(at)s WHERE step = 'friendly' AND case_id ="
        " (SELECT max(id) FROM dunning_case WHERE account_id = %(a)s)",
        **known,
    )

    assert [found[3] for found in copy.found()] == ["fee_stands"]


def test_a_payment_that_a_person_placed_says_that_some_of_it_lies_nowhere(copy: Copy) -> None:
    copy.plant("UPDATE payment SET by_hand = true, unmatched = 100 WHERE account_id = %(a)s", a=copy.story.back.id)

    assert copy.found() == [("I1", copy.case_of(copy.story.back), None, "astray")]
    assert "says that 100 of it lies on no account; its transfers leave 0" in copy.report().violations[0].why
