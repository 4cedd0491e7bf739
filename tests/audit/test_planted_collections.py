"""Planted in what is collected by mandates (I1, I3, I8): each is found, and nothing else is."""

from tests.audit.story import BILL, Copy

_COLLECTION = """
    WITH given AS (
        INSERT INTO mandate (partner_id, account_id, creditor_id, scheme, reference, starts_on, source, noted_at,
            noted_by)
        SELECT partner_id, id, creditor_id, 'avtalegiro', '2345676', '2026-01-01', 'hand', '2026-01-01Z', 'bente'
        FROM account WHERE id = %(a)s RETURNING id
    )
    INSERT INTO collection (partner_id, mandate_id, account_id, claim_id, amount, currency, state, collect_date, until,
        ref, planned_at, payment_id)
    SELECT c.partner_id, g.id, c.account_id, c.id, %(sum)s, 'NOK', %(state)s, '2026-06-10', %(until)s, 'RLC1', %(at)s,
        (SELECT max(p.id) FROM payment p WHERE p.account_id = c.account_id)
    FROM claim c CROSS JOIN given g WHERE c.account_id = %(a)s ORDER BY c.id LIMIT 1
"""


def test_a_collection_is_called_returned_and_its_payment_still_counts(copy: Copy) -> None:
    copy.plant(_COLLECTION, a=copy.story.back.id, sum=BILL, state="returned", until="2026-03-01Z", at="2026-02-20Z")

    assert copy.found() == [("I1", copy.case_of(copy.story.back), None, "uncollected")]
    assert "is called returned, and its payment still counts" in copy.report().violations[0].why


def test_a_collection_that_its_payment_agrees_with_is_fine(copy: Copy) -> None:
    copy.plant(_COLLECTION, a=copy.story.back.id, sum=BILL, state="collected", until="2026-03-01Z", at="2026-02-20Z")

    assert copy.found() == []


def test_a_bill_is_being_collected_and_nothing_holds_it(copy: Copy) -> None:
    copy.plant(_COLLECTION, a=copy.story.dark.id, sum=BILL, state="sent", until="2027-01-01Z", at=copy.story.ends_at)

    assert copy.found() == [("I3", copy.case_of(copy.story.dark), None, "unheld")]


def test_a_reminder_left_while_its_bill_was_being_collected(copy: Copy) -> None:
    copy.plant(_COLLECTION, a=copy.story.back.id, sum=BILL, state="unanswered", until="2027-01-01Z", at="2026-01-02Z")

    found = copy.found()

    assert {one[:2] + one[3:] for one in found} == {("I8", copy.case_of(copy.story.back), "asked_meanwhile")}


def test_money_was_ordered_from_an_account_whose_owner_nobody_had_told(copy: Copy) -> None:
    copy.plant(_COLLECTION, a=copy.story.back.id, sum=BILL, state="collected", until="2026-03-01Z", at="2026-02-20Z")
    copy.plant("UPDATE mandate SET bank_notifies = false")
    copy.plant("UPDATE collection SET sent_at = '2026-02-21Z'")
    copy.plant(
        "INSERT INTO collecting_creditor (partner_id, creditor_id, scheme, number, announced_by, noted_at, noted_by)"
        " SELECT partner_id, creditor_id, scheme, '55555555', 'message', '2026-01-01Z', 'bente' FROM mandate"
    )

    assert copy.found() == [("I8", copy.case_of(copy.story.back), None, "not_told")]
    assert "no message had told them" in copy.report().violations[0].why
