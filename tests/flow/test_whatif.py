"""What-if on one's own portfolio: who owes what today, who has paid in time, and that looking changes nothing."""

from datetime import UTC, date, datetime, timedelta

import pytest

from relight.core.policy import Policy
from relight.core.policy_reader import packaged_text, read_policy
from relight.core.rules.lawbook import packaged_law
from relight.core.simulate.customers_file import read_model
from relight.core.simulate.portfolio import Household
from relight.core.simulate.run import simulate
from relight.flow.database import Database
from relight.flow.road.whatif import local_today, own_portfolio
from tests.flow import factories

TODAY = date(2026, 3, 2)
DAYS = 90


@pytest.fixture
def policy() -> Policy:
    found = read_policy(packaged_text("broadband-no"))
    assert isinstance(found, Policy)
    return found


def day(number: int) -> date:
    """A day before today (negative) or after it."""
    return TODAY + timedelta(days=number)


def moment(number: int) -> datetime:
    return datetime.combine(day(number), datetime.min.time(), UTC).replace(hour=9)


def portfolio(db: Database, partner: int, policy: Policy, now: datetime, **options: int) -> dict[int, Household]:
    with db.transaction(partner) as tx:
        found = own_portfolio(tx, policy, read_model(), now=now, days=DAYS, **options)
    return {one.id: one for one in found}


def account(db: Database, partner: int, now: datetime, **options: object) -> factories.Account:
    with db.transaction(partner) as tx:
        return factories.make_account(tx, now, **options)  # type: ignore[arg-type]


def bill(db: Database, partner: int, to: factories.Account, due: int, paid: int | None = None, **more: object) -> int:
    """A bill due so many days from today, paid on a day or not; its claim id."""
    with db.transaction(partner) as tx:
        claim = factories.make_claim(tx, to, moment(due - 14), due_date=day(due), issued_date=day(due - 14), **more)  # type: ignore[arg-type]
        if paid is not None:
            amount = tx.value("SELECT amount FROM claim WHERE id = %(id)s", {"id": claim})
            factories.pay(tx, to, amount, moment(paid))
        return claim


def test_what_is_open_today_is_owed_from_the_first_day(
    db: Database, partner: int, policy: Policy, now: datetime
) -> None:
    kari = account(db, partner, now)
    bill(db, partner, kari, -50, paid=-40, amount=20000)
    old = bill(db, partner, kari, -500, amount=10000)
    late = bill(db, partner, kari, -20, amount=20000)

    bills = portfolio(db, partner, policy, now)[kari.id].bills

    assert {(one.id, one.issued, one.due, one.amount) for one in bills if one.issued == TODAY} == {
        (old, TODAY, day(-500), 10000),
        (late, TODAY, day(-20), 20000),
    }


def test_bills_go_on_as_the_last_one_under_numbers_of_their_own(
    db: Database, partner: int, policy: Policy, now: datetime
) -> None:
    kari = account(db, partner, now)
    bill(db, partner, kari, -20, amount=20000)
    bill(db, partner, kari, 8, amount=30000)

    bills = portfolio(db, partner, policy, now)[kari.id].bills

    coming = [one for one in bills if one.issued > TODAY]
    assert [(one.due, one.amount) for one in coming] == [(day(8 + 30 * n), 30000) for n in (1, 2, 3)]
    assert all(one.issued < day(DAYS) for one in coming)
    assert len({one.id for one in bills}) == len(bills) == 5


def test_who_has_paid_in_time_is_one_who_does_and_who_has_not_is_another(
    db: Database, partner: int, policy: Policy, now: datetime
) -> None:
    prompt, slow, owing, new = (account(db, partner, now) for _ in range(4))
    bill(db, partner, prompt, -40, paid=-41)
    bill(db, partner, prompt, 10)  # not due yet: it says nothing
    bill(db, partner, slow, -40, paid=-20)
    bill(db, partner, owing, -40)
    bill(db, partner, new, 12)

    people = portfolio(db, partner, policy, now)

    assert people[prompt.id].kind.name == people[new.id].kind.name == "in_time"
    assert people[slow.id].kind.name != "in_time"
    assert people[owing.id].kind.name != "in_time"
    assert people == portfolio(db, partner, policy, now)


def test_days_are_the_partners_own(db: Database, partner: int, policy: Policy, now: datetime) -> None:
    in_time, late = (account(db, partner, now) for _ in range(2))
    midnight = datetime.combine(day(-37), datetime.min.time(), UTC)  # an hour before it, the day begins in Norway
    for one, paid in ((in_time, midnight - timedelta(hours=2)), (late, midnight - timedelta(minutes=30))):
        claim = bill(db, partner, one, -40)
        with db.transaction(partner) as tx:
            amount = tx.value("SELECT amount FROM claim WHERE id = %(id)s", {"id": claim})
            factories.pay(tx, one, amount, paid)
    before_midnight = now.replace(hour=23, minute=30)

    people = portfolio(db, partner, policy, now)
    with db.transaction(partner) as tx:
        today, tomorrow = local_today(tx, now), local_today(tx, before_midnight)

    assert [people[one.id].kind.name == "in_time" for one in (in_time, late)] == [True, False]
    assert (today, tomorrow) == (now.date(), now.date() + timedelta(days=1))


def test_reach_profile_and_known_flags_come_along(db: Database, partner: int, policy: Policy, now: datetime) -> None:
    kari = account(db, partner, now, contacts={"sms": "+4790000001"}, profile="vip")
    bill(db, partner, kari, -5)
    with db.transaction(partner) as tx:
        for name, value, ends in (("danger_life", "yes", None), ("life_support", "no", moment(-1))):
            tx.run(
                "INSERT INTO flag (partner_id, name, value, account_id, starts_at, ends_at, source)"
                " VALUES (%(p)s, %(name)s, %(value)s, %(account)s, %(starts)s, %(ends)s, 'test')",
                {"p": partner, "name": name, "value": value, "account": kari.id, "starts": moment(-9), "ends": ends},
            )

    found = portfolio(db, partner, policy, now)[kari.id]

    assert (found.reach, found.profile, found.flags) == (frozenset({"sms"}), "vip", (("danger_life", "yes"),))


def test_only_accounts_that_the_policy_is_for_and_only_ones_own(
    db: Database, partner: int, other_partner: int, policy: Policy, now: datetime
) -> None:
    ours = account(db, partner, now)
    bill(db, partner, ours, -5)
    bill(db, partner, account(db, partner, now, debtor="business"), -5)
    bill(db, partner, account(db, partner, now), -5, service_kind="electricity")
    account(db, partner, now)
    bill(db, other_partner, account(db, other_partner, now), -5)

    assert set(portfolio(db, partner, policy, now)) == {ours.id}
    assert portfolio(db, partner, policy, now, limit=0) == {}


def test_trying_a_policy_needs_no_right_to_write(db: Database, partner: int, policy: Policy, now: datetime) -> None:
    for _ in range(3):
        bill(db, partner, account(db, partner, now), -20)

    with db.transaction(partner) as tx:
        tx.run("SET TRANSACTION READ ONLY")
        people = own_portfolio(tx, policy, read_model(), now=now, days=DAYS)
    totals = simulate(policy, packaged_law(), people, read_model(), start=TODAY, days=DAYS, seed=1)

    assert totals.accounts == 3
    assert totals.opened >= 3
