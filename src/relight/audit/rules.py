"""Rules of law as data: `rules/*.yaml`, one file a country and one for all of them. docs/audit.md tells the kinds."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from relight.audit.days import Days


@dataclass(frozen=True)
class Rule:
    """One rule: whom it applies to, since when, under which section; `params` are its kind's own."""

    id: str
    kind: str
    law: str
    why: str
    todo: str
    since: date
    services: frozenset[str]  # empty: all
    debtors: frozenset[str]  # empty: all
    actors: frozenset[str]  # empty: all
    acts: frozenset[str]  # empty: whatever takes a service away
    params: dict[str, Any]

    def concerns(self, *, services: frozenset[str], debtor: str, day: date) -> bool:
        """Whether the rule was in force that day, for any of these services and that debtor. A fee has none."""
        return (
            self.since <= day
            and (not services or not self.services or bool(services & self.services))
            and (not self.debtors or debtor in self.debtors)
        )

    def is_about(self, *, actor: str, acts: frozenset[str]) -> bool:
        """Whether the rule binds whoever acts, and is about any of these acts."""
        wanted = self.acts or TAKING_AWAY
        return (not self.actors or actor in self.actors) and bool(wanted & acts)


@dataclass(frozen=True)
class Interest:
    """A table of late interest: basis points a year by the day from which they hold, None where nobody has read them.

    Simple interest, day by day, a day being a 365th or, in leap years, a 366th. A rate ends with its half-year, or goes
    on until `last`.
    """

    name: str
    law: str
    debtors: frozenset[str]  # empty: all
    rates: tuple[tuple[date, int | None], ...]
    last: date
    ends_with_half_year: bool


@dataclass(frozen=True)
class Pack:
    """One file."""

    days: Days
    rules: tuple[Rule, ...]
    interest: tuple[Interest, ...]
    exempt_templates: list[str]
    protecting_flags: frozenset[str]


TAKING_AWAY = frozenset({"disconnect", "throttle", "contract_terminate", "end_of_supply"})
_OWN = frozenset({"id", "kind", "law", "why", "todo", "from", "applies"})


@cache
def _pack(name: str) -> Pack | None:
    file = files("relight.audit").joinpath(f"rules/{name}.yaml")
    if not file.is_file():
        return None
    tree = yaml.safe_load(file.read_text("utf-8"))
    closed = tree["holidays"]
    return Pack(
        days=Days(
            fixed=frozenset(closed["fixed"]),
            from_easter=frozenset(closed["from_easter"]),
            weekdays=frozenset((one["day"], one["from"]) for one in closed.get("weekdays", [])),
            before_sunday=frozenset(closed.get("before_sunday", [])),
            once=frozenset(closed.get("once", [])),
            made_up=closed.get("made_up", False),
        ),
        rules=tuple(_rule(rule) for rule in tree["rules"]),
        interest=tuple(_interest(table) for table in tree.get("interest", [])),
        exempt_templates=tree.get("exempt_templates", []),
        protecting_flags=frozenset(tree.get("protecting_flags", [])),
    )


def _rule(tree: dict[str, Any]) -> Rule:
    applies = tree.get("applies", {})
    return Rule(
        id=tree["id"],
        kind=tree["kind"],
        law=tree["law"],
        why=tree["why"],
        todo=tree["todo"],
        since=tree.get("from", date.min),
        services=frozenset(applies.get("services", [])),
        debtors=frozenset(applies.get("debtors", [])),
        actors=frozenset(applies.get("actors", [])),
        acts=frozenset(applies.get("acts", [])),
        params={key: value for key, value in tree.items() if key not in _OWN},
    )


def _interest(tree: dict[str, Any]) -> Interest:
    return Interest(
        name=tree["table"],
        law=tree["law"],
        debtors=frozenset(tree.get("debtors", [])),
        rates=tuple((one["from"], one["basis_points"]) for one in tree["rates"]),
        last=tree.get("last", date.min),
        ends_with_half_year="last" not in tree,
    )


def _common() -> Pack:
    pack = _pack("common")
    assert pack is not None, "rules/common.yaml comes with the package"
    return pack


COMMON = _common()


def days_of(country: str) -> Days:
    """A country's closed days; none where there is no file for it."""
    return (_pack(country.lower()) or COMMON).days


def rules_of(country: str) -> tuple[Rule, ...]:
    """What holds everywhere, and what holds in a country."""
    own = _pack(country.lower())
    return COMMON.rules + (own.rules if own else ())


def interest_of(country: str) -> tuple[Interest, ...]:
    """A country's tables of late interest."""
    own = _pack(country.lower())
    return own.interest if own else ()
