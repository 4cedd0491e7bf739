"""Plan offers where the law demands one before a supply may end: Germany, the Netherlands and Great Britain, each with
its packaged policy, from the first bill to the end of the road and to a plan that somebody says yes to."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
import pytest

from relight.flow.cases import plans
from relight.flow.cases.errors import UnableToAgree
from relight.flow.database import Database
from tests.flow.factories import Account
from tests.journeys.world import World

BILL = 40_000  # two of them lie above every least arrears that these policies name, in minor units
CLERKS = ("bente", "ole")


class Place(NamedTuple):
    """A country, its policy, and the steps around the offer. `last` ends the supply, unless a plan comes first.

    `months` are the fewest and the most that the offer states, `longest` the most that the customer may choose.
    """

    country: str
    currency: str
    language: str
    zone: str
    policy: str
    offer: str
    following: str
    last: str
    flags: tuple[str, ...]
    months: tuple[int, int]
    longest: int


# EnWG § 41g Abs. 1: twelve to twenty-four months above 300 euro, whatever a policy states.
GERMANY = Place(
    "DE", "EUR", "de", "Europe/Berlin", "power-de", "offer", "announce", "cut",
    ("danger_life_or_limb", "disproportionate", "good_prospect_of_payment"), (12, 18), 24,
)  # fmt: skip
NETHERLANDS = Place(
    "NL", "EUR", "nl", "Europe/Amsterdam", "power-supplier-nl", "third", "visit", "end",
    ("debt_help_requested", "debt_help_running", "payment_plan_kept", "talks_on_plan", "very_serious_health_risk"),
    (2, 12), 12,
)  # fmt: skip
BRITAIN = Place(
    "GB", "GBP", "en", "Europe/London", "power-gb", "plan", "notice", "cut",
    ("genuinely_in_dispute", "pensioner_alone", "pensioner_household", "vulnerable", "child_under_6"), (2, 12), 12,
)  # fmt: skip
PLACES = pytest.mark.parametrize("place", [GERMANY, NETHERLANDS, BRITAIN], ids=lambda place: place.country)


class Home:
    """A household with power that has not paid two bills, and the people who follow it up."""

    def __init__(self, db: Database, owner: psycopg.Connection, partner: int, start: datetime, place: Place):
        owner.execute(
            "UPDATE partner SET country = %s, currency = %s, language = %s, time_zone = %s WHERE id = %s",
            (place.country, place.currency, place.language, place.zone, partner),
        )
        self.place, self.world = place, World(db, owner, partner, start, policies=(place.policy,))
        world = self.world
        self.account: Account = world.customer(currency=place.currency, language=place.language)
        with db.transaction(partner) as tx:
            for name in place.flags:
                tx.run(
                    "INSERT INTO flag (partner_id, name, value, account_id, starts_at, source)"
                    " VALUES (%(partner)s, %(name)s, 'no', %(account)s, %(now)s, 'test')",
                    {"partner": partner, "name": name, "account": self.account.id, "now": start},
                )
        self.service = world.service(self.account, kind="electricity")
        for days in (40, 10):
            due = start.date() - timedelta(days=days)
            world.invoice(self.account, amount=BILL, due=due, kind="electricity", currency=place.currency)

    @property
    def case(self) -> int:
        return self.world.value("SELECT max(id) FROM dunning_case WHERE account_id = %(a)s", a=self.account.id)

    def until(self, step: str, *, days: int = 200) -> None:
        """Days pass, each with people who do what they are asked, until a step is taken."""
        world = self.world
        for _ in range(days):
            if step in world.steps(self.account):
                return
            world.days(1)
            for code in set(world.tasks(self.account)):
                world.do_tasks(self.account, code)
            for clerk in CLERKS:
                if world.asked(self.account):
                    world.approve(self.account, by=clerk)
        raise AssertionError(f"{step} was never taken: {world.log(self.account)}")

    def plan(self) -> plans.Plan | None:
        """The plan as it stands."""
        with self.world.db.transaction(self.world.partner) as tx:
            return plans.current(tx, self.case, self.world.moment)

    def says_yes(self, months: int) -> None:
        """The customer accepts, on the pay page."""
        with self.world.db.transaction(self.world.partner) as tx:
            plans.agree(tx, case_id=self.case, months=months, actor="customer", now=self.world.moment, source="page")


@pytest.fixture
def home(place: Place, db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> Iterator[Home]:
    """A household of the place, followed up from now on."""
    made = Home(db, owner, partner, now, place)
    yield made
    made.world.close()


@PLACES
def test_who_is_offered_a_plan_and_says_nothing_comes_to_the_end_by_every_step(home: Home, place: Place) -> None:
    home.until(place.offer)
    offered = home.plan()
    home.until(place.last)

    told = home.world.messages(home.account)
    steps = home.world.steps(home.account)
    assert offered is not None
    assert offered.state == "offered"
    assert (offered.months_min, offered.months_max) == place.months
    assert {("plan_offer", "email"), ("plan_offer", "letter")} <= set(told)
    assert steps.index(place.offer) < steps.index(place.following) < steps.index(place.last)
    assert home.world.audited() == []


@PLACES
def test_who_says_yes_is_left_alone_and_keeps_the_supply(home: Home, place: Place) -> None:
    home.until(place.offer)

    with pytest.raises(UnableToAgree):
        home.says_yes(place.longest + 1)
    home.says_yes(months := max(place.months[0], 3))
    for _ in range(months):
        plan = home.plan()
        assert plan is not None
        assert plan.coming is not None
        home.world.pays(home.account, plan.coming.amount, currency=place.currency)
        home.world.days(30)

    steps = home.world.steps(home.account)
    assert not {place.following, place.last} & set(steps)
    assert home.world.observed(home.service) == "full"
    assert home.world.state(home.account) == "closed"
    assert home.world.value("SELECT sum(principal) FROM claim WHERE account_id = %(a)s", a=home.account.id) == 0


@PLACES
def test_who_breaks_the_plan_goes_on_where_the_case_stood(home: Home, place: Place) -> None:
    home.until(place.offer)
    home.says_yes(max(place.months[0], 3))
    plan = home.plan()
    assert plan is not None
    assert plan.coming is not None
    home.world.pays(home.account, plan.coming.amount, currency=place.currency)

    home.until(place.following)

    ended = home.plan()
    assert ended is not None
    assert ended.state == "broken"
    assert home.world.steps(home.account).count(place.offer) == 1
