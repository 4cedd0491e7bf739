"""A settlement as an agency's file: JSON, or CSV with a line a payment. Amounts are written in whole units ("123.45").

What cannot be read, or does not add up, is refused whole, with every error that was found: nothing of it is posted.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from relight.core.money import NotAnAmount, UnknownCurrency, minor_digits, parse_amount
from relight.flow.handover.errors import UnableToSettle

BYTES_MAX = 20_000_000
LINES_MAX = 100_000
ERRORS_MAX = 20
_COLUMNS = ("case", "payment", "received", "fee", "paid_over")
_YES = frozenset({"1", "yes", "true", "ja"})


@dataclass(frozen=True, slots=True)
class Line:
    """One payment, in minor units. `direct`: it was made to the creditor, so only its fee is settled here."""

    number: int
    case: str
    payment: str
    received: int
    fee: int
    paid_over: int
    direct: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settlement that adds up."""

    ref: str
    day: date
    currency: str
    sha256: str
    lines: Sequence[Line]

    @property
    def received(self) -> int:
        """What the agency itself received."""
        return sum(line.received for line in self.lines if not line.direct)

    @property
    def fee(self) -> int:
        """All fees."""
        return sum(line.fee for line in self.lines)

    @property
    def paid_over(self) -> int:
        """What is paid over in all; below zero, we owe it."""
        return sum(line.paid_over for line in self.lines)


def read_settlement(content: bytes, *, ref: str = "", day: date | None = None, currency: str = "") -> Settlement:
    """Read a file; number, day and currency may be given beside it where the file has none (CSV). Raises
    `UnableToSettle` with what is wrong, line by line."""
    if len(content) > BYTES_MAX:
        raise UnableToSettle(f"The file is longer than {BYTES_MAX:,} octets: nothing was posted.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise UnableToSettle("The file is not UTF-8: nothing was posted.") from wrong
    head, rows = _json(text) if text.lstrip().startswith("{") else ({}, _csv(text))
    ref, currency = str(head.get("settlement") or ref).strip(), str(head.get("currency") or currency).strip()
    day = _day(head["date"]) if "date" in head else day
    if not ref or day is None or not currency:
        raise UnableToSettle("A settlement has a number, a day and a currency: give what the file lacks.")
    try:
        minor_digits(currency)
    except UnknownCurrency as wrong:
        raise UnableToSettle(f"{wrong.args[0]}: nothing was posted.") from wrong
    lines, errors = _lines(rows, currency)
    made = Settlement(ref, day, currency, sha256(content).hexdigest(), lines)
    errors += _sums(made, head)
    if errors or not lines:
        told = "; ".join(errors[:ERRORS_MAX]) or "there are no lines"
        raise UnableToSettle(f"The settlement cannot be used, and nothing was posted: {told}.")
    return made


def _json(text: str) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    try:
        told = json.loads(text, parse_float=str, parse_int=str)
        lines = told["lines"]
    except (ValueError, KeyError, RecursionError) as wrong:
        raise UnableToSettle("The file is no settlement in JSON (it has `lines`): nothing was posted.") from wrong
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise UnableToSettle("`lines` is a list of objects: nothing was posted.")
    return told, lines


def _csv(text: str) -> list[Mapping[str, Any]]:
    dialect = ";" if ";" in text.partition("\n")[0] else ","
    table = csv.DictReader(io.StringIO(text), delimiter=dialect)
    missing = [name for name in _COLUMNS if name not in (table.fieldnames or ())]
    if missing:
        raise UnableToSettle(f"The file lacks the columns {', '.join(missing)}: nothing was posted.")
    return list(table)


def _lines(rows: Sequence[Mapping[str, Any]], currency: str) -> tuple[list[Line], list[str]]:
    if len(rows) > LINES_MAX:
        return [], [f"more than {LINES_MAX:,} lines"]
    lines, errors, seen = list[Line](), list[str](), set[str]()
    for number, row in enumerate(rows, start=1):
        try:
            line = _line(number, row, currency)
        except ValueError as wrong:
            errors.append(f"line {number}: {wrong}")
            continue
        if line.payment in seen:
            errors.append(f"line {number}: payment {line.payment} is there twice")
        seen.add(line.payment)
        lines.append(line)
    return lines, errors


def _line(number: int, row: Mapping[str, Any], currency: str) -> Line:
    case, payment = (str(row.get(name) or "").strip() for name in ("case", "payment"))
    if not case or not payment:
        raise ValueError("it names no case or no payment")
    direct = str(row.get("direct") or "").strip().lower() in _YES
    received, fee, over = (_amount(row, name, currency) for name in ("received", "fee", "paid_over"))
    if received <= 0 or fee < 0:
        raise ValueError("received is above zero, and a fee not below")
    if over != (0 if direct else received) - fee:
        what = "minus the fee" if direct else "received less the fee"
        raise ValueError(f"paid_over is not {what}")
    return Line(number, case, payment, received, fee, over, direct)


def _amount(row: Mapping[str, Any], name: str, currency: str) -> int:
    try:
        return parse_amount(str(row.get(name) if row.get(name) is not None else ""), currency)
    except NotAnAmount as wrong:
        raise ValueError(f"{name}: {wrong}") from wrong


def _sums(made: Settlement, head: Mapping[str, Any]) -> list[str]:
    """Where the file tells its sums, they are those of its lines."""
    errors: list[str] = []
    for name, found in (("received", made.received), ("fee", made.fee), ("paid_over", made.paid_over)):
        if name not in head:
            continue
        try:
            told = _amount(head, name, made.currency)
        except ValueError as wrong:
            errors.append(str(wrong))
            continue
        if told != found:
            errors.append(f"{name} is not the sum of the lines")
    return errors


def _day(text: Any) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError as wrong:
        raise UnableToSettle(f"date: {text!r} is no day such as 2026-03-31; nothing was posted.") from wrong
