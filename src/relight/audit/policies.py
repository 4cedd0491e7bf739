"""Policies as they were published: read from their text again, by a reader of the audit's own.

Scalars stay text until somebody counts with them, so that no amount ever becomes a float.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from relight.audit.days import Hours
from relight.audit.reading import Reading

# What a policy means that says nothing (docs/policy.md).
_CONTACT = {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "hours": ["9", "20"], "max_per_7_days": "4"}
_SETTLE = "3 working days"
Tree = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A step: its wait, condition, window and who must agree; the levels it sets and the templates it sends."""

    name: str
    after: str
    when: Tree
    window: Hours | None
    approval: str
    levels: frozenset[str]
    templates: frozenset[str]


@dataclass(frozen=True)
class Policy:
    """One version."""

    id: int
    name: str
    contact: Hours
    contacts_max: int  # messages in seven days
    settle: str
    steps: dict[str, Step]
    fees: dict[str, frozenset[str]]  # by step, the names of the fees that it charges


def published(reading: Reading) -> tuple[dict[int, Policy], dict[str, int]]:
    """A partner's policies by id, and the ids by hash."""
    rows = reading.rows("SELECT id, name, hash, text FROM policy_version WHERE partner_id = %(partner)s ORDER BY id")
    return {row["id"]: read(row["id"], row["text"]) for row in rows}, {row["hash"]: row["id"] for row in rows}


def read(id_: int, text: str) -> Policy:
    """One policy's text, which passed the engine's checks when it was published."""
    tree = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - the base loader makes text and nothing else
    contact = {**_CONTACT, **tree.get("contact", {})}
    return Policy(
        id=id_,
        name=tree["policy"],
        contact=_hours(contact),
        contacts_max=int(contact["max_per_7_days"]),
        settle=tree.get("settle", _SETTLE),
        steps={name: _step(name, step) for name, step in tree["steps"].items()},
        fees={
            name: frozenset(action["fee"] for action in step["do"] if "fee" in action)
            for name, step in tree["steps"].items()
        },
    )


def minor(amount: str) -> int:
    """An amount as a policy writes it, in minor units."""
    return int(Decimal(amount) * 100)


def _step(name: str, tree: Tree) -> Step:
    return Step(
        name=name,
        after=tree["after"],
        when=tree.get("when") or {},
        window=_hours(tree["window"]) if "window" in tree else None,
        approval=tree.get("approval", "none"),
        levels=frozenset(action["supply"] for action in tree["do"] if "supply" in action),
        templates=frozenset(action["message"] for action in tree["do"] if "message" in action),
    )


def _hours(tree: Tree) -> Hours:
    opens, closes = (_minute(hour) for hour in tree["hours"])
    return Hours(
        frozenset(tree["weekdays"]),
        opens,
        closes,
        holidays=tree.get("holidays", "false").lower() in ("true", "yes", "on"),
        before_holidays=tree.get("before_holidays", "true").lower() in ("true", "yes", "on"),
    )


def _minute(hour: str) -> int:
    whole, _, minutes = hour.partition(":")
    return int(whole) * 60 + int(minutes or 0)
