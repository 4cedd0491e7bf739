"""Columns of a batch as PostgreSQL's arrays. A batch carries thousands of values, and psycopg looks at each of them by
itself; here a column of one type is put together in a few calls. No type travels along: the statement says it
(`%(ids)s::bigint[]`), so that a column of small numbers and one of large ones are the same prepared statement.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from psycopg.abc import Buffer
from psycopg.adapt import PyFormat
from psycopg.types.array import ListDumper

_SEPARATOR = "\0"  # which no text in PostgreSQL can hold
_FLAGS = {True: "t", False: "f", None: "NULL"}


class ColumnDumper(ListDumper):
    """A list as the text of an array. What is not one of the plain types is left to psycopg, value by value."""

    def get_key(self, obj: list[Any], format: PyFormat) -> Any:
        """One dumper for all lists: the values do not choose a type."""
        return self.cls

    def dump(self, obj: list[Any]) -> Buffer | None:
        """Raises what psycopg raises for values that have no array, and DataError for a text with a NUL."""
        kinds = set(map(type, obj))
        has_null = type(None) in kinds
        kinds.discard(type(None))
        write = _WRITERS.get(kinds.pop() if kinds else int) if len(kinds) < 2 else None
        written = write(obj, has_null) if write else None
        if written is None:
            return ListDumper(self.cls, self._tx).upgrade(obj, PyFormat.TEXT).dump(obj)
        return b"{%s}" % written.encode()


def _numbers(values: list[Any], has_null: bool) -> str:
    return ",".join(["NULL" if value is None else str(value) for value in values] if has_null else map(str, values))


def _flags(values: list[Any], _: bool) -> str:
    return ",".join([_FLAGS[value] for value in values])


def _times(values: list[Any], _: bool) -> str:
    return ",".join(["NULL" if value is None else value.isoformat() for value in values])


def _texts(values: list[Any], has_null: bool) -> str | None:
    given = [value for value in values if value is not None] if has_null else values
    joined = _SEPARATOR.join(given)
    if joined.count(_SEPARATOR) != len(given) - 1:
        return None
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"')
    if not has_null:
        return f'"{escaped}"'.replace(_SEPARATOR, '","')
    rest = iter(escaped.split(_SEPARATOR))
    return ",".join(["NULL" if value is None else f'"{next(rest)}"' for value in values])


_WRITERS: dict[type, Callable[[list[Any], bool], str | None]] = {
    int: _numbers,
    bool: _flags,
    date: _times,
    datetime: _times,
    str: _texts,
}
