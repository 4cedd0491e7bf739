"""Late interest from the notice that names it to the payment: booked, shown, and never in the way of the light."""

from datetime import timedelta
from decimal import Decimal

from relight.core.interest.accrual import Bearing, late_interest
from relight.flow.claims import rates
from tests.journeys.world import World

OWED = 7_990_000
NAMES_INTEREST = ("restore_when: zero", "restore_when: zero\nlate_interest: law")


def interest_of(world: World, claim: int) -> int:
    return world.value("SELECT interest FROM claim WHERE id = %(id)s", id=claim)


def test_interest_is_booked_with_the_notice_that_names_it_and_hinders_neither_the_restore_nor_the_end(
    world: World,
) -> None:
    world.policy("broadband-no", NAMES_INTEREST)
    account = world.customer()
    service = world.service(account)
    claim = world.invoice(account, amount=OWED)
    world.until_step(account, "friendly")
    due = world.value("SELECT due_date FROM claim WHERE id = %(id)s", id=claim)
    named = world.value("SELECT interest_until FROM claim WHERE id = %(id)s", id=claim)
    table = rates.table_of("NO", "consumer")
    with_the_notice = interest_of(world, claim)

    world.until_step(account, "limit")
    world.run()
    limited = world.observed(service)
    world.pays(account, OWED)
    world.run()

    assert with_the_notice == late_interest(Bearing(OWED, due), table, until=named).amount > 0
    assert "Forsinkelsesrente" in world.value("SELECT string_agg(text, '') FROM message_body")
    assert limited == "walled_garden"
    assert world.observed(service) == "full"
    assert world.state(account) == "closed"
    assert interest_of(world, claim) == late_interest(Bearing(OWED, due), table, until=world.moment.date()).amount


def test_a_month_ends_and_its_interest_is_booked_in_it(world: World) -> None:
    world.policy("broadband-no", NAMES_INTEREST)
    account = world.customer()
    claim = world.invoice(account, amount=OWED, due=world.moment.date() - timedelta(days=10))
    world.until_step(account, "friendly")
    month_end = (world.moment.date().replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)

    world.until(world.moment + timedelta(days=(month_end - world.moment.date()).days))

    counted = world.value("SELECT interest_until FROM claim WHERE id = %(id)s", id=claim)
    booked = world.rows("SELECT value_date FROM transfer WHERE kind = 'interest' AND claim_id = %(id)s", id=claim)
    assert counted == month_end
    assert (month_end,) in booked


def test_a_half_year_without_a_rate_books_nothing_more_until_somebody_answers_for_it(world: World) -> None:
    world.policy("broadband-no", NAMES_INTEREST)
    account = world.customer()
    world.moment = world.moment.replace(month=6, day=10)
    claim = world.invoice(account, amount=OWED, due=world.moment.date() - timedelta(days=2))
    world.until_step(account, "friendly")
    world.until(world.moment.replace(month=7, day=31))
    unknown = interest_of(world, claim)
    in_july = world.rows(
        "SELECT id FROM transfer WHERE claim_id = %(id)s AND kind = 'interest' AND value_date > '2026-06-30'", id=claim
    )

    with world.db.transaction(world.partner) as tx:
        missing = [why.lack for _, _, why in rates.missing(tx, world.moment.date())]
        first = world.moment.date().replace(day=1)
        answered_for = rates.set_rate(tx, "late_interest", first, Decimal("11.75"), by="Kari", now=world.moment)
        answered = list(rates.missing(tx, world.moment.date()))
    world.until(world.moment.replace(month=8, day=31))
    due = world.value("SELECT due_date FROM claim WHERE id = %(id)s", id=claim)
    counted = world.value("SELECT interest_until FROM claim WHERE id = %(id)s", id=claim)

    assert (missing, answered) == (["unknown"], [])
    assert in_july == []
    assert interest_of(world, claim) == late_interest(Bearing(OWED, due), answered_for, until=counted).amount > unknown
