"""Instalment plans and promises on the road: agreed, started by a payment, told of, paid, broken, and what follows."""

from datetime import date, timedelta

import pytest

from relight.flow.cases import plans, promises
from relight.flow.cases.errors import UnableToAgree
from relight.flow.messages.port import Channel, Receipt, Report
from relight.flow.road.hear import Ear
from tests.journeys.world import World

OWED = 90_000
STEP_AT = (
    "SELECT s.decided_at FROM step_taken s JOIN dunning_case c ON c.id = s.case_id"
    " WHERE c.account_id = %(account)s AND s.step = %(step)s ORDER BY s.id DESC LIMIT 1"
)


class Home:
    """A household with broadband that owes one bill, and its plan."""

    def __init__(self, world: World):
        self.world, self.account = world, world.customer()
        world.service(self.account)
        self.claim = world.invoice(self.account, amount=OWED, due=world.moment.date() - timedelta(days=1))
        world.run()

    @property
    def case(self) -> int:
        return self.world.value("SELECT max(id) FROM dunning_case WHERE account_id = %(a)s", a=self.account.id)

    def agrees(self, months: int = 3, *, first: date | None = None) -> int:
        """The customer and an agent agree on a plan."""
        with self.world.db.transaction(self.world.partner) as tx:
            return plans.agree(
                tx, case_id=self.case, months=months, actor="bente", now=self.world.moment, source="desk", first=first
            )

    def promises(self, until: date) -> None:
        """The customer promises to pay by a day."""
        with self.world.db.transaction(self.world.partner) as tx:
            promises.promise(tx, case_id=self.case, until=until, actor="customer", now=self.world.moment, source="page")

    def plan(self) -> plans.Plan:
        """The plan as it stands."""
        with self.world.db.transaction(self.world.partner) as tx:
            found = plans.current(tx, self.case, self.world.moment)
        assert found is not None
        return found

    def told(self) -> list[str]:
        """What was sent, in order."""
        return [template for template, _ in self.world.messages(self.account)]


@pytest.fixture
def home(world: World) -> Home:
    """A household that owes a bill, which is followed up."""
    return Home(world)


def test_the_first_payment_starts_a_plan_that_is_told_of_and_paid_to_the_end(world: World, home: Home) -> None:
    home.agrees(3)
    world.days(1)
    agreed = home.plan()
    world.pays(home.account, 30_000)
    world.run()
    running = home.plan()
    world.until(world.moment + timedelta(days=41))
    reminded = home.told()
    world.pays(home.account, 30_000)
    world.days(31)
    world.pays(home.account, 30_000)
    world.days(1)

    assert (agreed.state, running.state, home.plan().state) == ("agreed", "running", "paid")
    assert [left.amount for left in running.left] == [0, 30_000, 30_000]
    assert "plan_agreed" in reminded
    assert reminded.count("plan_reminder") == 1
    assert home.told().count("plan_reminder") == 2
    assert home.told()[-1] in ("plan_paid", "payment_received")
    assert "plan_paid" in home.told()
    assert home.told().count("friendly_reminder") <= 1
    assert not {"reminder", "disconnect_notice", "service_limited"} & set(home.told())
    assert world.state(home.account) == "closed"


def test_a_plan_that_is_broken_after_its_second_part_goes_on_where_the_case_stood(world: World, home: Home) -> None:
    twin = Home(world)  # the same bill on the same day, and no plan
    world.until_step(home.account, "friendly")
    home.agrees(4)
    agreed = world.moment
    for _ in range(2):
        coming = home.plan().coming
        assert coming is not None
        world.pays(home.account, coming.amount)
        world.days(30)

    world.until_true(lambda: home.plan().state == "broken", "the plan is broken")
    broken = world.moment
    world.until_step(home.account, "reminder")

    reminded = world.value(STEP_AT, account=home.account.id, step="reminder")
    usual = world.value(STEP_AT, account=twin.account.id, step="reminder")
    assert [left.amount for left in home.plan().left[:2]] == [0, 0]
    assert home.told().count("plan_broken") == 1
    assert reminded - broken >= usual - agreed - timedelta(days=1)
    assert world.value("SELECT principal FROM claim WHERE id = %(claim)s", claim=home.claim) > 0


def test_a_plan_whose_first_part_never_comes_lapses_and_the_case_goes_on(world: World, home: Home) -> None:
    home.agrees(3)
    last_day = home.plan().left[0].part.due_date

    world.until_true(lambda: home.plan().state == "lapsed", "the plan has lapsed")
    lapsed = world.moment
    world.until_step(home.account, "reminder")

    assert lapsed.date() > last_day
    assert "plan_lapsed" in home.told()
    assert home.told().count("plan_reminder") == 1


def test_whoever_is_cut_off_gets_the_service_back_with_the_first_part(world: World, home: Home) -> None:
    service = world.value("SELECT id FROM service WHERE account_id = %(a)s", a=home.account.id)
    world.until_step(home.account, "limit")
    world.days(1)
    limited = world.observed(service)

    home.agrees(3)
    world.run()
    waiting = world.observed(service)
    world.pays(home.account, home.plan().left[0].amount)
    world.run()

    assert (limited, waiting, world.observed(service)) == ("walled_garden", "walled_garden", "full")


def test_money_that_goes_back_takes_its_part_with_it(world: World, home: Home) -> None:
    home.agrees(3)
    world.pays(home.account, 30_000, ref="debit-1")
    world.run()
    paid = home.plan()

    world.pays(home.account, 30_000, ref="debit-1", state="returned")
    world.run()
    returned = home.plan()
    world.until_true(lambda: home.plan().state == "broken", "the plan is broken")

    assert paid.left[0].amount == 0
    assert (returned.state, returned.left[0].amount) == ("running", 30_000)


def test_paying_ahead_makes_a_plan_shorter_and_the_next_part_stays(world: World, home: Home) -> None:
    home.agrees(3)

    world.pays(home.account, 50_000)
    world.run()

    assert [left.amount for left in home.plan().left] == [0, 30_000, 10_000]


def test_a_new_bill_is_no_part_of_a_plan(world: World, home: Home) -> None:
    home.agrees(3)
    world.invoice(home.account, amount=20_000, due=world.moment.date() + timedelta(days=5))

    for _ in range(3):
        coming = home.plan().coming
        assert coming is not None
        world.pays(home.account, coming.amount)
        world.run()

    assert home.plan().state == "paid"
    assert world.value("SELECT sum(principal) FROM claim WHERE account_id = %(a)s", a=home.account.id) == 20_000


def test_two_bills_go_into_one_plan(world: World) -> None:
    home = Home(world)
    world.invoice(home.account, amount=10_001, due=world.moment.date() - timedelta(days=1))

    home.agrees(3)

    assert sum(left.part.amount for left in home.plan().left) == OWED + 10_001
    assert len(home.plan().claims) == 2


def test_a_case_has_one_plan_at_a_time_and_within_its_months(world: World, home: Home) -> None:
    with pytest.raises(UnableToAgree):
        home.agrees(13)
    home.agrees(3)

    with pytest.raises(UnableToAgree):
        home.agrees(4)


def test_an_agent_ends_a_plan_and_the_case_goes_on(world: World, home: Home) -> None:
    plan_id = home.agrees(3)
    world.pays(home.account, 30_000)
    world.run()

    with world.db.transaction(world.partner) as tx:
        plans.end(tx, plan_id=plan_id, actor="bente", now=world.moment, note="moves abroad")
    world.until_step(home.account, "reminder")

    assert home.plan().state == "ended"
    assert "plan_ended" in [code.split(" ")[0] for code in world.log(home.account)]


def test_a_promise_waits_for_its_day_and_is_told_of_once_when_it_passes(world: World, home: Home) -> None:
    day = world.moment.date() + timedelta(days=10)
    home.promises(day)

    world.until_true(lambda: "promise_broken" in home.told(), "the promise is over")

    assert world.moment.date() > day
    assert "reminder" not in home.told()[: home.told().index("promise_broken")]
    world.days(30)
    assert home.told().count("promise_broken") == 1


def test_a_promise_that_is_kept_is_not_spoken_of(world: World, home: Home) -> None:
    home.promises(world.moment.date() + timedelta(days=10))
    world.pays(home.account, OWED)
    world.days(20)

    assert "promise_broken" not in home.told()
    assert world.state(home.account) == "closed"


def test_promises_are_one_at_a_time_no_longer_and_no_more_than_the_policy_lets(world: World, home: Home) -> None:
    today = world.moment.date()
    with pytest.raises(UnableToAgree):
        home.promises(today + timedelta(days=15))
    home.promises(today + timedelta(days=2))
    with pytest.raises(UnableToAgree):
        home.promises(today + timedelta(days=3))
    world.days(4)
    home.promises(today + timedelta(days=8))
    world.days(6)

    with pytest.raises(UnableToAgree):
        home.promises(today + timedelta(days=20))


def test_nothing_is_sent_at_night_about_a_plan(world: World, home: Home) -> None:
    world.until_clock(22)

    home.agrees(3)
    world.run()
    at_night = home.told()
    world.until_clock(12, weekday=0)

    assert "plan_agreed" not in at_night
    assert "plan_agreed" in home.told()


def test_a_step_that_offers_a_plan_makes_an_offer_to_say_yes_to(world: World) -> None:
    offer = "{plan_offer: standard, months: [3, 6]}\n      - {message: reminder,"
    world.policy("broadband-no", ("{message: reminder,", offer))
    home = Home(world)
    world.until_step(home.account, "reminder")
    offered = home.plan()

    with world.db.transaction(world.partner) as tx:
        plans.agree(tx, case_id=home.case, months=6, actor="customer", now=world.moment, source="page")

    assert (offered.state, offered.months_min, offered.months_max) == ("offered", 3, 6)
    assert home.plan().state == "agreed"
    assert "plan_offer" not in world.tasks(home.account)


def test_a_plan_whose_hold_somebody_ended_still_keeps_every_step_away(world: World, home: Home) -> None:
    home.agrees(3)
    world.pays(home.account, 30_000)
    world.run()
    with world.db.transaction(world.partner) as tx:
        tx.run("UPDATE hold SET ends_at = %(now)s WHERE reason = 'plan'", {"now": world.moment})

    world.days(20)

    assert home.plan().state == "running"
    assert "reminder" not in home.told()


def bounces(world: World, home: Home, template: str) -> str:
    """The last such message comes back, and is told of twice; by which channel it had gone."""
    key, channel = world.rows(
        "SELECT e.key, e.channel FROM effect e WHERE e.account_id = %(a)s AND e.template = %(template)s"
        " ORDER BY e.id DESC LIMIT 1", a=home.account.id, template=template,
    )[0]  # fmt: skip
    for _ in range(2):
        ear = Ear(world.db, world.partner, lambda: world.moment)
        assert ear.receipt(Receipt(Channel(channel), Report.UNDELIVERABLE, world.moment, key=key))
    world.days(1)
    return str(channel)


def test_word_of_a_plan_that_bounces_goes_the_next_way_once_and_to_a_person_when_no_way_is_left(
    world: World, home: Home
) -> None:
    home.agrees(3)
    world.days(1)
    agreed = bounces(world, home, "plan_agreed")
    world.pays(home.account, 30_000)
    world.until(world.moment + timedelta(days=41))

    ways = [bounces(world, home, "plan_reminder") for _ in range(2)]

    sent = world.messages(home.account)
    assert agreed == "sms"
    assert [channel for template, channel in sent if template == "plan_agreed"] == ["sms", "email"]
    assert ways == ["email", "letter"]
    assert [channel for template, channel in sent if template == "plan_reminder"] == ["email", "letter"]
    assert "cannot_reach" in world.tasks(home.account)
    assert home.plan().state == "running"
