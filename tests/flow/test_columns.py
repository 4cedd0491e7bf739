"""A batch's columns arrive as they were sent, whatever people write into them."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relight.flow.database import Database

_OSLO = timezone(timedelta(hours=2))
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
_MOMENTS = st.integers(-(2**42), 2**43).map(lambda at: datetime.fromtimestamp(at / 1024, [UTC, _OSLO][at % 2]))
_COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "text": _TEXTS,
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "date": st.dates(date(1, 1, 1)),
    "timestamptz": _MOMENTS,
    "bytea": st.binary(max_size=4),
}


@pytest.mark.parametrize("kind", _COLUMNS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_value_comes_back_as_it_was_sent(kind: str, data: st.DataObject, db: Database) -> None:
    sent = data.draw(st.lists(st.one_of(st.none(), _COLUMNS[kind]), max_size=6))

    with db.transaction(None) as tx:
        came = tx.value(f"SELECT %(sent)s::{kind}[]", {"sent": sent})

    assert came == sent


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(_TEXTS, max_size=6))
@example(sent=["NULL", "", "{}", '"', "\\", "a,b", " a ", "null", "æøå", '","'])
def test_texts_that_look_like_the_array_itself_stay_texts(sent: list[str], db: Database) -> None:
    with db.transaction(None) as tx:
        came = tx.value("SELECT %(sent)s::text[]", {"sent": sent})

    assert came == sent


def test_small_and_large_numbers_are_asked_by_one_prepared_statement(db: Database) -> None:
    asked = "SELECT cardinality(%(ids)s::bigint[])"

    with db.transaction(None) as tx:
        for ids in ([1], [70_000], [2**40], [None], []):
            tx.rows(asked, {"ids": ids})
        known = tx.value("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT cardinality%%'", {})

    assert known == 1


@pytest.mark.parametrize("column", [["a\0b"], ["a\0b", "c"], [None, "a\0b"]])
def test_a_text_that_no_column_can_hold_is_refused(column: list[str | None], db: Database) -> None:
    with pytest.raises(psycopg.DataError), db.transaction(None) as tx:
        tx.rows("SELECT %(column)s::text[]", {"column": column})


@pytest.mark.parametrize(
    ("column", "refusal"),
    [([1, 2.5], psycopg.DataError), ([2.5], TypeError), ([1, "a"], psycopg.DataError)],
)
def test_floats_and_mixed_columns_are_refused(column: list[Any], refusal: type[Exception], db: Database) -> None:
    with pytest.raises(refusal), db.transaction(None) as tx:
        tx.rows("SELECT %(column)s::text[]", {"column": column})
