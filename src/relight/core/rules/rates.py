"""Rates and sums by date (`rates` of a pack): what holds on a day, or why nobody can say.

A figure from memory permits nothing: whoever wants to charge by it confirms it first (`confirmed`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar, cast

from relight.core.money import parse_amount
from relight.core.rules.model import Confidence, LawPack

DayCountName = Literal["actual/actual", "actual/365", "actual/360", "30/360"]
Lasts = Literal["half_year", "until_changed"]
Lack = Literal["no_table", "not_given", "unknown", "not_verified"]
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why no figure holds on a day: there is no table, none for that day, the table itself does not know it, or it is
    from memory. `law` is the section."""

    lack: Lack
    law: str = ""


@dataclass(frozen=True, slots=True)
class Entry(Generic[V]):
    """A figure from a day on; None where the table says that nobody knows it."""

    starts: date
    value: V | None
    confidence: Confidence
    read: str = ""


@dataclass(frozen=True, slots=True)
class Series(Generic[V]):
    """Figures in order of their days. `until` is the last day of which the pack can know anything."""

    entries: tuple[Entry[V], ...]
    lasts: Lasts
    until: date
    law: str = ""

    def on(self, day: date) -> V | Unknown:
        """The figure of a day."""
        begun = [entry for entry in self.entries if entry.starts <= day]
        if not begun or day > (half_year_end(begun[-1].starts) if self.lasts == "half_year" else self.until):
            return Unknown("not_given", self.law)
        entry = begun[-1]
        if entry.value is None:
            return Unknown("unknown", self.law)
        return entry.value if entry.confidence == "verified" else Unknown("not_verified", self.law)

    def confirmed(self, figures: Mapping[date, V]) -> "Series[V]":
        """The series with figures that the operator has read: they replace those of the same day, and may go on where
        the pack ends."""
        kept = [entry for entry in self.entries if entry.starts not in figures]
        own = [Entry(day, value, "verified", "the operator") for day, value in figures.items()]
        until = max([self.until, *(half_year_end(day) for day in figures)])
        return replace(self, entries=tuple(sorted([*kept, *own], key=lambda entry: entry.starts)), until=until)


@dataclass(frozen=True, slots=True)
class InterestTable:
    """Late interest of a country for some debtors: percent a year, simple, by the day."""

    name: str
    law: str
    day_count: DayCountName
    rates: Series[Decimal]

    def confirmed(self, percents: Mapping[date, Decimal]) -> "InterestTable":
        """The table with rates that the operator has read."""
        return replace(self, rates=self.rates.confirmed(percents))


def half_year_end(day: date) -> date:
    """The last day of the half-year that a day lies in."""
    return date(day.year, 6, 30) if day.month <= 6 else date(day.year, 12, 31)


def interest_table(pack: LawPack, *, debtor: str) -> InterestTable | None:
    """The pack's table of late interest for a consumer or a business; None where it has none."""
    for name, tree in _trees(pack).items():
        if "half_years" in tree and _is_for(tree, debtor):
            law = str(tree.get("law", ""))
            entries = (
                Entry(day, None if value is None else Decimal(str(value)), confidence, read)
                for day, value, confidence, read in _read(tree["half_years"], "percent")
            )
            return InterestTable(name, law, tree.get("day_count", "actual/actual"), _series(pack, tree, entries))
    return None


def sum_on(pack: LawPack, name: str, day: date, *, debtor: str = "") -> int | Unknown:
    """A sum that the pack knows by name (`inkassosats`), in minor units, on a day."""
    tree = _trees(pack).get(name)
    if tree is None or "amounts" not in tree or not _is_for(tree, debtor):
        return Unknown("no_table", str(tree.get("law", "")) if tree else "")
    entries = (
        Entry(starts, None if value is None else parse_amount(str(value), pack.currency), confidence, read)
        for starts, value, confidence, read in _read(tree["amounts"], "amount")
    )
    return _series(pack, tree, entries).on(day)


def _series(pack: LawPack, tree: Mapping[str, Any], entries: Iterable[Entry[V]]) -> Series[V]:
    ordered = tuple(sorted(entries, key=lambda entry: entry.starts))
    return Series(ordered, tree.get("lasts", "half_year"), half_year_end(pack.as_of), str(tree.get("law", "")))


def _read(rows: Sequence[Mapping[str, Any]], key: str) -> Iterable[tuple[date, Any, Confidence, str]]:
    for row in rows:
        yield date.fromisoformat(row["from"]), row[key], row["confidence"], row.get("read", "")


def _is_for(tree: Mapping[str, Any], debtor: str) -> bool:
    wanted = tree.get("for", {}).get("debtor", ())
    return not wanted or debtor in wanted


def _trees(pack: LawPack) -> Mapping[str, Mapping[str, Any]]:
    return cast(Mapping[str, Any], pack.tables)["rates"]
