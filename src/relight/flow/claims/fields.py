"""A mapping laid on a file's header: fields of a row by name, and the problems that reading them meets."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from relight.core.money import UnknownCurrency, minor_digits
from relight.flow.claims.cells import Broken, Cell, Row
from relight.flow.claims.columns import FLAG, HOLE, FileMapping, fold
from relight.flow.claims.parse import NotAValue, amount_of, date_of, text_of, word_of

Getter = Callable[[Sequence[Cell]], Cell]


class Problem(NamedTuple):
    """What is wrong with a row: its line (from 1), the field or column, and a sentence with what to do.

    A `warning` says that the row went in without this field.
    """

    line: int
    field: str
    reason: str
    warning: bool = False


class Defaults(NamedTuple):
    """What files leave out: the partner's currency, country (for phone numbers)."""

    currency: str
    country: str


class Fields:
    """The fields of one file. `header` is as it stands in the file; other columns are not read."""

    def __init__(self, mapping: FileMapping, header: Sequence[str], defaults: Defaults):
        self.mapping, self.header, self.defaults = mapping, header, defaults
        self._places = {fold(name): at for at, name in reversed(list(enumerate(header)))}
        self._getters = {name: self._getter(name) for name in mapping.columns}
        self.present = frozenset(name for name in (*mapping.columns, *mapping.defaults) if self.has(name))
        self.flags = self._flags()

    def has(self, *names: str) -> bool:
        """Whether the file has a column (or the mapping a default) for any of these fields."""
        return any(self._getters.get(name) is not None or self.mapping.defaults.get(name) for name in names)

    def cell(self, cells: Sequence[Cell], name: str) -> Cell:
        """A field's cell, else the mapping's default, else an empty text."""
        getter = self._getters.get(name)
        found = getter(cells) if getter else None
        if found is None or (isinstance(found, str) and not (found := found.strip())):
            return self.mapping.defaults.get(name, "")
        return found

    def column(self, at: int | None) -> str:
        """The field of a broken cell, else its column's name; `line` for the whole line."""
        if at is None or at >= len(self.header):
            return "line"
        name = fold(self.header[at])
        for field, columns in self.mapping.columns.items():
            if name in map(fold, columns.names):
                return field
        return self.header[at] or f"column {at + 1}"

    def number(self, row: Row) -> str:
        """An invoice's number even on a line that is broken elsewhere; empty when it cannot be told."""
        cells = row.cells
        if row.broken is not None and row.broken.column is None and len(cells) < len(self.header):
            cells = cells[:-1]  # the last one may have been cut off in its middle
        elif row.broken is not None and row.broken.column is not None and self.column(row.broken.column) == "number":
            return ""
        try:
            return text_of(self.cell(cells, "number"))
        except (NotAValue, IndexError):
            return ""

    def broken(self, row: Row, broken: Broken) -> Problem:
        """A line that could not be read, as a problem."""
        return Problem(row.line, self.column(broken.column), broken.reason)

    def _flags(self) -> tuple[tuple[str, Getter], ...]:
        """Flags by name: columns called `flag:life_support`, and those that the mapping calls so."""
        named = {
            fold(name).removeprefix(FLAG).strip(): self._reader(at)
            for at, name in enumerate(self.header)
            if fold(name).startswith(FLAG)
        }
        for name in self.mapping.columns:
            getter = self._getters[name]
            if name.startswith(FLAG) and getter is not None:
                named[name.removeprefix(FLAG).strip()] = getter
        return tuple(named.items())

    @staticmethod
    def _reader(at: int) -> Getter:
        return lambda cells: cells[at]

    def _getter(self, name: str) -> Getter | None:
        columns = self.mapping.columns[name]
        if columns.template:
            return self._composed(columns.template)
        at = next((self._places[fold(column)] for column in columns.names if fold(column) in self._places), None)
        return None if at is None else self._reader(at)

    def _composed(self, template: str) -> Getter | None:
        holes = HOLE.findall(template)
        if any(fold(hole) not in self._places for hole in holes):
            return None
        places = [self._places[fold(hole)] for hole in holes]
        shape = HOLE.sub("{}", template)
        return lambda cells: shape.format(*(text_of(cells[at]) for at in places))


class RowReader:
    """One row being read: values by field, problems gathered on the way."""

    __slots__ = ("cells", "currency", "fields", "line", "problems")

    def __init__(self, fields: Fields, row: Row):
        self.fields, self.line, self.cells = fields, row.line, row.cells
        self.problems: list[Problem] = []
        self.currency = fields.defaults.currency

    def text(self, name: str) -> str:
        """A field as text, in our word where the mapping translates it."""
        if name not in self.fields.present:
            return ""
        try:
            text = text_of(self.fields.cell(self.cells, name))
        except NotAValue as refused:
            self.refuse(name, str(refused))
            return ""
        words = self.fields.mapping.words.get(name)
        return words.get(fold(text), text) if words else text

    def needed(self, name: str) -> str:
        """A field that a row cannot do without."""
        text = self.text(name)
        if not text and not any(problem.field == name for problem in self.problems):
            self.refuse(name, f"The {name.replace('_', ' ')} is missing. Fill it in.")
        return text

    def word(self, name: str, words: tuple[str, ...], default: str = "") -> str:
        """A field that holds one of a few words."""
        text = self.text(name)
        if not text or text in words:
            return text or default
        try:
            return word_of(text, words)
        except NotAValue as refused:
            self.refuse(name, str(refused))
            return default

    def read_currency(self) -> bool:
        """Read the currency that the row's amounts are in; False when it is not one of ours."""
        said = self.text("currency").upper()
        try:
            minor_digits(said or self.currency)
        except UnknownCurrency as refused:
            self.refuse("currency", f"{refused.args[0]}. Use one of these.".replace("unknown", "Unknown"))
            return False
        self.currency = said or self.currency
        return True

    def amount(self, name: str, *, needed: bool = False) -> int:
        """A field in minor units of the row's currency; 0 when it is empty and may be."""
        cell = self.fields.cell(self.cells, name) if name in self.fields.present else ""
        if cell == "":
            if needed:
                self.refuse(name, f"The {name.replace('_', ' ')} is missing. Fill it in.")
            return 0
        mapping = self.fields.mapping
        try:
            return amount_of(cell, self.currency, mapping.decimal, mapping.grouping)
        except NotAValue as refused:
            self.refuse(name, str(refused))
            return 0

    def date(self, name: str, *, needed: bool = False) -> date | None:
        """A field as a day; None when it is empty and may be."""
        cell = self.fields.cell(self.cells, name) if name in self.fields.present else ""
        if cell == "":
            if needed:
                self.refuse(name, f"The {name.replace('_', ' ')} is missing. Fill it in.")
            return None
        try:
            return date_of(cell, self.fields.mapping.dates)
        except NotAValue as refused:
            self.refuse(name, str(refused))
            return None

    def tried(self, name: str, read: Callable[[str], str]) -> str:
        """A field that the row can go in without: what cannot be read is a warning, and left out."""
        text = self.text(name)
        if not text:
            return ""
        try:
            return read(text)
        except NotAValue as refused:
            self.problems.append(Problem(self.line, name, str(refused), warning=True))
            return ""

    def refuse(self, name: str, reason: str) -> None:
        """Note a problem that keeps the row out."""
        self.problems.append(Problem(self.line, name, reason))

    @property
    def is_refused(self) -> bool:
        """Whether the row stays out."""
        return any(not problem.warning for problem in self.problems)
