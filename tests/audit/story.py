"""A street's ninety days, lived once on the production road, and copies of its database in which something is wrong.

The copies are planted by the superuser with triggers and foreign keys off: an audit is for what the database let in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from relight.audit.report import Report
from relight.audit.run import audit
from relight.flow.cases.people import Person
from relight.flow.claims.placing import Part
from relight.flow.database import Database
from relight.flow.feeds.operations import pull, sequence
from relight.flow.payments import bank_refunds, matching
from relight.flow.payments.bank_refunds import Wanted
from relight.flow.payments.matching import Act
from relight.flow.payments.operations import record_notices
from relight.flow.payments.port import PaymentState, ProviderEvent
from tests.flow.conftest import make_partner
from tests.flow.factories import Account
from tests.journeys.world import World

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BILL = 89900
_copies = count(1)


@dataclass(frozen=True)
class Story:
    """Where the street's database is, and who lives there. `ends_at` is the moment at which the story stops."""

    owner_url: str
    app_url: str
    partner: int
    ends_at: datetime
    back: Account  # broadband: cut, paid, and back
    dark: Account  # power: cut, and never paid


def live(urls: dict[str, str]) -> Story:
    """Live the days: one is cut and pays, one stays dark, one pays twice, one's payment comes back, one says stop."""
    with Database(urls["app"]) as db, psycopg.connect(urls["owner"], autocommit=True) as owner:
        partner = make_partner(owner, START)
        world = World(db, owner, partner, START)
        back, dark = world.customer(), world.customer()
        world.service(back)
        world.service(dark, kind="electricity_grid")
        world.invoice(back, amount=BILL)
        for _ in range(2):
            world.invoice(dark, amount=BILL, kind="electricity_grid")
        _pay_in_odd_ways(world)
        _cut_both(world, back, dark)
        world.pays(back, BILL)
        world.days(7)
        while sequence(db, partner):
            pass
        assert list(pull(db, partner, "accounting", world.moment))
        world.machine.close()
        return Story(urls["owner"], urls["app"], partner, world.moment, back, dark)


def _pay_in_odd_ways(world: World) -> None:
    twice, bounced = world.customer(), world.customer()
    for account in (twice, bounced):
        world.service(account)
        world.invoice(account, amount=BILL)
    world.days(20)
    for _ in range(2):
        world.pays(twice, BILL)
    world.pays(bounced, BILL, ref="bounces")
    world.run()
    world.pays(bounced, BILL, ref="bounces", state="returned")
    world.run()
    event = ProviderEvent("evt_1", "nobody-asked", PaymentState.CONFIRMED, BILL, "NOK", world.moment)
    with world.db.transaction(world.partner) as tx:
        record_notices(tx, provider_name="testpay", events=[event], now=world.moment)
    world.run()
    _place_what_nobody_asked_for(world, twice, bounced)
    world.run()


def _place_what_nobody_asked_for(world: World, wrong: Account, right: Account) -> None:
    """A person gives it to the wrong one, moves half of it, sends a quarter back, and leaves the rest in the queue."""
    anne = Person("anne", "agent")
    loose = world.value("SELECT id FROM payment WHERE ref = 'nobody-asked'")
    with world.db.transaction(world.partner) as tx:
        matching.assign(tx, Act(loose, anne, world.moment), [Part(wrong.id, BILL)])
        matching.move(tx, Act(loose, anne, world.moment), from_account=wrong.id, parts=[Part(right.id, BILL // 2)])
        wanted = Wanted(None, BILL // 4, "Ola Nordmann", "NO9386011117947")
        back = bank_refunds.ask(tx, Act(loose, anne, world.moment, "not ours"), wanted)
        bank_refunds.decide(tx, back, granted=True, by=Person("bente", "manager"), now=world.moment)
        assert bank_refunds.order(tx, now=world.moment)


def _cut_both(world: World, back: Account, dark: Account) -> None:
    def both_cut() -> bool:
        world.do_tasks(dark, "contact_attempt")
        for account in (back, dark):
            world.approve(account)
        world.run()
        return all("cut" in world.steps(account) for account in (back, dark))

    world.until_true(both_cut, "both cut")
    world.days(1)


class Copy:
    """A copy of the story's database, to plant something in."""

    def __init__(self, story: Story, name: str, connection: psycopg.Connection[Any]):
        self.story, self.name, self.connection = story, name, connection

    def plant(self, statement: str, *, rows: int | None = 1, **params: Any) -> None:
        """Do what the database should not have let anybody do; exactly so many rows."""
        done = self.connection.execute(statement, {"partner": self.story.partner, **params})
        assert rows is None or done.rowcount == rows, f"{done.rowcount} rows: {statement}"

    def row(self, statement: str, **params: Any) -> tuple[Any, ...]:
        """The first row."""
        found = self.connection.execute(statement, {"partner": self.story.partner, **params}).fetchone()
        assert found is not None, statement
        return tuple(found)

    def value(self, statement: str, **params: Any) -> Any:
        """The first value."""
        return self.row(statement, **params)[0]

    def report(self, **options: Any) -> Report:
        """Audit the copy as the role that runs in production."""
        return audit(make_conninfo(self.story.app_url, dbname=self.name), **{"as_of": self.story.ends_at, **options})

    def found(self, **options: Any) -> list[tuple[str, int | None, int | None, str]]:
        """(invariant, case, event, code) of every violation."""
        return [(one.invariant, one.case, one.event, one.code) for one in self.report(**options).violations]

    def case_of(self, account: Account) -> int:
        """The account's case."""
        return int(self.value("SELECT max(id) FROM dunning_case WHERE account_id = %(a)s", a=account.id))

    def cut_of(self, account: Account) -> "Left":
        """The command that cut the account's service off."""
        return Left(*self.row(
            "SELECT e.case_id, e.event_number, e.id, e.service_id, a.started_at, s.id, s.decided_at, e.key"
            " FROM effect e JOIN attempt a ON a.partner_id = e.partner_id AND a.effect_id = e.id"
            " JOIN step_taken s ON s.partner_id = e.partner_id AND s.case_id = e.case_id AND s.number = e.step_number"
            " WHERE e.account_id = %(a)s AND e.level = 'off'", a=account.id))  # fmt: skip


@dataclass(frozen=True)
class Left:
    """A command that left, with the step behind it."""

    case: int
    event: int
    effect: int
    service: int
    at: datetime
    step: int
    decided_at: datetime
    key: str

    def before(self, **span: float) -> datetime:
        """So long before it left."""
        return self.at - timedelta(**span)


@contextmanager
def copied(story: Story) -> Iterator[Copy]:
    """A copy of the story, dropped in the end."""
    at = conninfo_to_dict(story.owner_url)
    server = make_conninfo("", host=at["host"], port=at["port"], user="postgres", dbname="postgres")
    name = f"copy_{next(_copies)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {at['dbname']}")
        try:
            with psycopg.connect(make_conninfo(server, dbname=name), autocommit=True) as inside:
                inside.execute("SELECT set_config('search_path', 'relight', false)")
                inside.execute("SET session_replication_role = replica")
                yield Copy(story, name, inside)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
