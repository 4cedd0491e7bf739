"""Makes portfolios by the hundred thousand: set-based rows as they would stand, put in by the tables' owner.

Ids are given by range (`first` to `last`), far above what the sequences will reach, and one number is the account, its
debtor, service, claim and case. Shapes are cycled through by the account's number.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from relight.core.policy_reader import packaged_text
from relight.flow.cases.people import operator
from relight.flow.database import Database, statements
from relight.flow.road.publishing import publish_at_once

SQL = statements("bench", "population.sql")
AMOUNT = 89_900
STEPS = {
    "broadband": ["friendly", "reminder", "limit", "cut"],
    "electricity_grid": ["friendly", "notice", "contact", "cut"],
}
CUSTOMERS = ("accounts", "roles", "contacts", "homes", "points", "devices", "services", "supplies", "flags")
ARREARS = (*CUSTOMERS, "claims", "lines", "transfers", "cases", "steps_taken", "step_effects", "step_messages",
           "step_events", "holds")  # fmt: skip
CUT_OFF = (*ARREARS, "blocks", "commands", "links")


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a case stands: steps taken, days since its claim was due and since the last step, whether it is held."""

    steps: int
    due_days: int
    last_days: int = 0
    held: bool = False


# What a night run meets. Of eight cases three take a step (the first notice, the second, the walled garden), four wait
# for a day that has not come, and one is stopped by a guard.
NIGHT = (
    Shape(steps=0, due_days=4),
    Shape(steps=1, due_days=10, last_days=2),
    Shape(steps=2, due_days=20, last_days=10),
    Shape(steps=2, due_days=80, last_days=50),
    Shape(steps=1, due_days=20, last_days=12),
    Shape(steps=2, due_days=80, last_days=50, held=True),
    Shape(steps=2, due_days=25, last_days=12),
    Shape(steps=1, due_days=9, last_days=1),
)
# The same without those that would be limited or noticed again: a load that stays what it is when it is woken anew.
WAITING = tuple(NIGHT[at] for at in (0, 1, 2, 5, 6, 7, 1, 2))
CUT = (Shape(steps=4, due_days=90, last_days=3),)


@dataclass(frozen=True, slots=True)
class Plan:
    """A range of accounts to make. `devices` gives serial and address by turn; `tables` is what is filled, in order.
    Within `spread` neighbours fall due far from each other."""

    first: int
    count: int
    shapes: Sequence[Shape]
    kind: str = "broadband"
    driver: str = "sim"
    level: str = "full"
    wakes_in: timedelta = timedelta(seconds=-1)
    devices: Sequence[tuple[str, Mapping[str, Any]]] = ()
    tables: Sequence[str] = ARREARS
    spread: timedelta = timedelta(seconds=1)


def make_partner(owner: psycopg.Connection, slug: str, now: datetime, drivers: Mapping[str, Any]) -> int:
    """A live partner; its id."""
    found = owner.execute(SQL.partner, {"slug": slug, "now": now, "drivers": Jsonb(dict(drivers))}).fetchone()
    assert found is not None
    return found[0]


def publish_policies(db: Database, partner_id: int, now: datetime) -> dict[str, int]:
    """The packaged policies for a partner: version ids by kind of service."""
    with db.transaction(partner_id) as tx:
        for name in ("broadband-no", "power-grid-no"):
            publish_at_once(tx, packaged_text(name), by=operator("bench"), now=now)
        return {kind: id_ for id_, kinds in tx.rows("SELECT id, services FROM policy_version") for kind in kinds}


def fill(owner: psycopg.Connection, partner_id: int, policy: int, plan: Plan, now: datetime) -> None:
    """Put a plan's rows in, table by table, each in one statement."""
    params = {
        "partner": partner_id, "first": plan.first, "last": plan.first + plan.count - 1, "now": now,
        "today": now.date(), "kind": plan.kind, "driver": plan.driver, "level": plan.level, "amount": AMOUNT,
        "policy": policy, "steps": STEPS[plan.kind], "wakes_at": now + plan.wakes_in, "spread": plan.spread,
        "serials": [serial for serial, _ in plan.devices],
        "addresses": [json.dumps(address) for _, address in plan.devices],
        **_turns(plan.shapes),
    }  # fmt: skip
    for name in plan.tables:
        owner.execute(getattr(SQL, name), params)


def add_checkouts(owner: psycopg.Connection, partner_id: int, refs: Mapping[int, str], now: datetime) -> None:
    """Open checkouts at the test provider: link id to the provider's reference."""
    params = {"partner": partner_id, "ids": list(refs), "refs": list(refs.values()), "amount": AMOUNT, "now": now}
    owner.execute(SQL.checkouts, params)


def settle_down(owner: psycopg.Connection) -> None:
    """Statistics and hint bits, as autovacuum would have left them after an import: not part of what is measured."""
    for table in _tables(owner):
        owner.execute(f"VACUUM (ANALYZE) {table}")


def _tables(owner: psycopg.Connection) -> Iterator[str]:
    rows = owner.execute("SELECT relname FROM pg_class WHERE relnamespace = 'relight'::regnamespace AND relkind = 'r'")
    return (f'"{name}"' for (name,) in rows.fetchall())


def _turns(shapes: Sequence[Shape]) -> dict[str, list[Any]]:
    return {
        "histories": [shape.steps for shape in shapes],
        "days": [shape.due_days for shape in shapes],
        "lasts": [shape.last_days for shape in shapes],
        "held": [shape.held for shape in shapes],
    }
