"""What a schema cannot say of a rule: days that are none, sums that cannot be paid, rules that demand nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, cast

from relight.core.money import NotAnAmount, parse_amount
from relight.core.policy_schema import Mistake

_Tree = Mapping[str, Any]
_Path = tuple[str | int, ...]

# One of these a rule of the kind has to have, or it would forbid nothing.
_SAYS_SOMETHING = {
    "min_elapsed": ("span", "at_most"),
    "max_amount": ("forbidden", "caps", "bands"),
    "forbidden_window": ("closed", "open"),
    "forbidden_step": ("never", "only_unpaid_service", "keep"),
    "data_scope": ("allowed", "forbidden"),
}
_AMOUNTS = frozenset({"amount", "arrears_min", "over", "upto", "least", "most", "max", "below"})
_DAYS = frozenset({"from", "to"})


def nonsense(path: _Path, rule: _Tree, currency: str) -> Iterator[Mistake]:
    """All that makes no sense in one rule that the schema has let through."""
    yield from _silent(path, rule)
    yield from _values(path, rule, currency)
    yield from _forbidden((*path, "forbidden"), rule)
    yield from _validity((*path, "valid"), rule.get("valid", {}))
    yield from _slices((*path, "bands"), rule.get("bands", ()))
    for index, window in enumerate(rule.get("open", ())):
        opens, closes = window["hours"]
        if opens >= closes:
            yield Mistake(
                (*path, "open", index, "hours"), f"{opens} to {closes} is never", "write the earlier hour first"
            )


def senseless_figures(path: _Path, table: _Tree, currency: str) -> Iterator[Mistake]:
    """What makes no sense in a table of rates or sums: days that are none, figures too fine, days out of order."""
    yield from _values(path, table, currency)
    for key in ("half_years", "amounts"):
        days = [row["from"] for row in table.get(key, ())]
        for index, (before, day) in enumerate(pairwise(days), start=1):
            if day <= before:
                said = f"{day} does not come after {before}"
                yield Mistake((*path, key, index, "from"), said, "write the earlier day first, and each once")


def is_day(text: str) -> bool:
    """Whether a text of the right form is a day that a calendar has."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def not_a_day(path: _Path, text: str) -> Mistake:
    """What to say of one that no calendar has."""
    return Mistake(path, f"{text} is not a day", "write year, month and day, such as 2026-11-21")


def _silent(path: _Path, rule: _Tree) -> Iterator[Mistake]:
    keys = _SAYS_SOMETHING.get(rule["kind"], ())
    if keys and not any(rule.get(key) for key in keys):
        yield Mistake(path, f"a {rule['kind']} rule that forbids nothing", f"add one of {', '.join(keys)}", True)


def _values(path: _Path, value: object, currency: str) -> Iterator[Mistake]:
    if isinstance(value, Mapping):
        pairs: Iterator[tuple[str | int, object]] = iter(cast(Mapping[str, object], value).items())
    elif isinstance(value, list):
        pairs = iter(enumerate(cast(list[object], value)))
    else:
        yield from _value(path, value, currency)
        return
    for key, inner in pairs:
        yield from _values((*path, key), inner, currency)


def _value(path: _Path, value: object, currency: str) -> Iterator[Mistake]:
    key = path[-1]
    if key in _DAYS and isinstance(value, str) and not is_day(value):
        yield not_a_day(path, value)
    elif key in _AMOUNTS and value is not None and not isinstance(value, str):
        try:
            parse_amount(str(value), currency)
        except NotAnAmount as wrong:
            yield Mistake(path, str(wrong), "leave the further decimals out")
    elif key == "percent" and value is not None and (100 * cast(Any, value)) % 1:
        yield Mistake(path, f"{value} percent is finer than we reckon", "write at most two decimals")


def _forbidden(path: _Path, rule: _Tree) -> Iterator[Mistake]:
    given, wanted = rule.get("forbidden"), list if rule["kind"] == "data_scope" else bool
    if given is not None and not isinstance(given, wanted):
        remedy = "list the names that may not be told" if wanted is list else "write true, or leave it out"
        yield Mistake(path, f"'forbidden' is not that in a {rule['kind']} rule", remedy)


def _validity(path: _Path, valid: Mapping[str, str]) -> Iterator[Mistake]:
    begins, ends = valid.get("from", ""), valid.get("to", "")
    if begins and ends and ends < begins:
        yield Mistake((*path, "to"), f"{ends} lies before {begins}", "write the first day first")


def _slices(path: _Path, bands: Sequence[_Tree]) -> Iterator[Mistake]:
    reached: Any = 0
    for index, band in enumerate(bands):
        if reached is None or band["over"] != reached:
            where = "the one before has no end" if reached is None else f"the one before ends at {reached}"
            yield Mistake((*path, index, "over"), f"a slice begins at {band['over']}, {where}", "let slices adjoin")
        reached = band.get("upto")
    if bands and reached is not None:
        yield Mistake((*path, len(bands) - 1), f"nothing is said above {reached}", "leave upto out of the last slice")
