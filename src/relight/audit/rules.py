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
    params: dict[str, Any]

    def concerns(self, *, service: str, debtor: str, day: date) -> bool:
        """Whether the rule was in force that day, for that service and debtor. A fee has no service: pass ""."""
        return (
            self.since <= day
            and (not service or not self.services or service in self.services)
            and (not self.debtors or debtor in self.debtors)
        )


@dataclass(frozen=True)
class Pack:
    """One file."""

    days: Days
    rules: tuple[Rule, ...]
    exempt_templates: list[str]
    protecting_flags: frozenset[str]


_OWN = frozenset({"id", "kind", "law", "why", "todo", "from", "applies"})


@cache
def _pack(name: str) -> Pack | None:
    file = files("relight.audit").joinpath(f"rules/{name}.yaml")
    if not file.is_file():
        return None
    tree = yaml.safe_load(file.read_text("utf-8"))
    closed = tree["holidays"]
    return Pack(
        days=Days(frozenset(closed["fixed"]), frozenset(closed["from_easter"])),
        rules=tuple(_rule(rule) for rule in tree["rules"]),
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
        params={key: value for key, value in tree.items() if key not in _OWN},
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
