"""Who cannot pay all at once: parts, or a later day, from the link in the message, with each date seen before a yes."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from relight.flow.cases import plans
from relight.flow.database import Database
from relight.flow.payments.settle import settle
from tests.flow import factories
from tests.web.test_paypage import Customer, customer

__all__ = ["customer"]


@pytest.fixture
def offered(customer: Customer, db: Database, partner: int, now: datetime) -> Customer:
    """The customer has been offered a plan."""
    with db.transaction(partner) as tx:
        plans.offer(tx, case_id=customer.debtor.case_id, actor="bente", now=now)
    return customer


def test_the_customer_sees_every_date_and_sum_and_says_yes(offered: Customer, db: Database, partner: int) -> None:
    first = offered.opens()
    choice = offered.opens("/easier", months="3", lang="en")
    agreed = offered.sends("/agree?lang=en", months="3")
    after = offered.opens(lang="en")

    assert "/easier" in first.text
    days = re.findall(r"<tr><td>(\d+ \w+ \d{4})</td>", choice.text)
    assert len(days) == 3
    assert agreed.status_code == 200
    assert all(day in agreed.text for day in days)
    assert "Your plan" in agreed.text
    assert "The next part of your plan" in after.text
    with db.transaction(partner) as tx:
        found = plans.current(tx, offered.debtor.case_id, db.clock())
    assert found is not None
    assert (found.state, found.months, found.agreed_by, found.source) == ("agreed", 3, "customer", "page")


def test_a_yes_that_is_pressed_twice_is_one_plan(offered: Customer, db: Database, partner: int) -> None:
    for _ in range(2):
        answered = offered.sends("/agree", months="4")

    assert answered.status_code == 200
    with db.transaction(partner) as tx:
        assert tx.value("SELECT count(*) FROM instalment_plan WHERE state = 'agreed'") == 1


@pytest.mark.parametrize("months", ["0", "999", "", "three"])
def test_months_that_are_not_on_offer_are_refused_kindly(offered: Customer, months: str) -> None:
    answered = offered.sends("/agree?lang=en", months=months)

    assert answered.status_code == 422
    assert "can no longer be chosen" in answered.text


def test_without_an_offer_there_are_no_parts_but_a_day_and_a_call(customer: Customer) -> None:
    shown = customer.opens("/easier", lang="en")
    answered = customer.sends("/agree?lang=en", months="3")

    assert "Pay in parts" not in shown.text
    assert "Pay all of it by a day" in shown.text
    assert "Ask us to call you" in shown.text
    assert answered.status_code == 422


def test_a_promise_is_kept_to_the_days_that_the_policy_lets(customer: Customer, db: Database, partner: int) -> None:
    too_far = customer.sends("/promise?lang=en", day=(db.clock() + timedelta(days=60)).date().isoformat())
    nonsense = customer.sends("/promise?lang=en", day="tomorrow")
    kept = customer.sends("/promise?lang=en", day=(db.clock() + timedelta(days=5)).date().isoformat())

    assert (too_far.status_code, nonsense.status_code, kept.status_code) == (422, 422, 200)
    assert "Choose a day from" in too_far.text
    assert "until then we wait" in kept.text
    assert "I will pay by this day" not in kept.text
    with db.transaction(partner) as tx:
        assert tx.value("SELECT count(*) FROM hold WHERE reason = 'promise'") == 1


def test_in_a_plan_the_page_asks_for_the_next_part_alone(
    offered: Customer, db: Database, partner: int, now: datetime, tmp_path: Path
) -> None:
    offered.sends("/agree", months="3")
    with db.transaction(partner) as tx:
        found = plans.current(tx, offered.debtor.case_id, db.clock())
        assert found is not None
        first, second = found.left[0].amount, found.left[1].amount
        source = factories.make_source(tx, now)
        row = factories.payment_row(first + 5_000, now, account=offered.debtor.account)
        settle(tx, source, [row], now=db.clock())

    shown = offered.opens("/easier", lang="en")
    page = offered.opens(lang="en")

    assert "paid" in shown.text
    assert f"{second // 100:,}" in page.text.replace("\xa0", " ")
