"""The bare loop beside `decide`: what a turn costs when nothing is thought.

It claims with the same statement, asks every question that gathering asks and fetches the answers, and writes the rows
that a real decision of a case of the same shape wrote: through the same statements, under the same role, row-level
security, keys and triggers, in batches of the same size. It makes no facts, decides nothing, hashes nothing and
composes no JSON: the answer of each shape is a constant, made once, in which only the ids are put in place.

Questions and answers are noted from one real turn of a specimen of each shape, so that the bare loop follows the
product by itself when a statement is added there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relight.flow.database import Database, Tx
from relight.flow.road.claiming import Claimer
from relight.flow.road.gather import SQL
from relight.flow.road.record import Decided, record
from relight.flow.road.turn import BATCH, Turner

_WAKES_AT = 10  # the column of facts.sql's `cases`

Row = tuple[Any, ...]
Put = Callable[[int], Any]
"""A constant of a column, with the case's id put in place."""


@dataclass(frozen=True, slots=True)
class Template:
    """What the bare loop asks and says.

    `questions`: those that travel together stand together. `asked_with`: what they are asked with beside what is the
    batch's own. `writes`: by statement its scalars, and by shape its columns of constants.
    """

    questions: tuple[tuple[str, ...], ...]
    asked_with: Mapping[str, Any]
    writes: Mapping[str, tuple[Mapping[str, Any], Mapping[int, Mapping[str, list[Put]]]]]
    shapes: int


class _Listening(Tx):
    """A transaction that remembers what it was asked."""

    __slots__ = ("asked",)

    def __init__(self, tx: Tx):
        super().__init__(tx.connection, tx.partner_id)
        self.asked: list[tuple[tuple[str, ...], Any]] = []

    def rows(self, statement: str, params: Any = None) -> list[Row]:
        self.asked.append(((statement,), params))
        return super().rows(statement, params)

    def row(self, statement: str, params: Any = None) -> Row | None:
        self.asked.append(((statement,), params))
        return super().row(statement, params)

    def many(self, questions: Sequence[str], params: Any) -> list[list[Row]]:
        self.asked.append((tuple(questions), params))
        return super().many(questions, params)


class _Noting(Tx):
    """A transaction that writes nothing, and remembers what it was to write."""

    __slots__ = ("written",)

    def __init__(self, tx: Tx):
        super().__init__(tx.connection, tx.partner_id)
        self.written: list[tuple[str, Mapping[str, Any]]] = []

    def run(self, statement: str, params: Any = None) -> int:
        self.written.append((statement, params))
        return 0

    def run_together(self, statement: str, params: Any = None) -> Callable[[], int]:
        self.run(statement, params)
        return lambda: len(params.get("versions", ()))  # what the statement on cases is checked for


def note(db: Database, partner_id: int, specimens: Sequence[int], now: datetime, *, shapes: int) -> Template:
    """Turn a case of each shape for real, and keep questions and answers. A case's shape is its id modulo `shapes`."""
    turner = Turner(db)
    with db.transaction(partner_id) as tx:
        listening = _Listening(tx)
        turner.decide(tx, specimens, now)  # compiles the policy, whose reading is no question of every turn
        decided = turner.decide(listening, specimens, now)
        order = _written(tx, decided, now)
        apart = [dict(_written(tx, [one], now)) for one in decided]
    by_shape = {one.facts.case_id % shapes: written for one, written in zip(decided, apart, strict=True)}
    asked_with = {name: value for _, params in listening.asked for name, value in (params or {}).items()}
    return Template(
        tuple(statements for statements, _ in listening.asked),
        asked_with,
        {statement: _constants(statement, params, by_shape) for statement, params in order},
        shapes,
    )


def turn(db: Database, claimer: Claimer, template: Template, partner_id: int, now: datetime) -> int:
    """One batch, as `Turner.turn` does it; how many cases were written."""
    with db.transaction(partner_id) as tx:
        locked = claimer.claim(tx, "bulk", now, BATCH["bulk"])
        if not locked:
            return 0
        tx.need_not_wait()
        cases = [row[0] for row in locked]
        own = {"partner": partner_id, "cases": cases, "accounts": sorted({row[1] for row in locked}), "now": now}
        params = {**template.asked_with, **own}
        answers = {
            said: rows for asked in template.questions for said, rows in zip(asked, tx.many(asked, params), strict=True)
        }
        # Like the product: what another worker turned between the claim and its lock is not turned again.
        due = [row[0] for row in answers[SQL.cases] if row[_WAKES_AT] <= now]
        with tx.together():
            for statement, (scalars, by_shape) in template.writes.items():
                columns = _columns(by_shape, due, template.shapes)
                if columns:
                    tx.run(statement, {**scalars, **columns, "partner": partner_id, "now": now})
    claimer.done(partner_id, "bulk")
    return len(due)


def _written(tx: Tx, decided: list[Decided], now: datetime) -> list[tuple[str, Mapping[str, Any]]]:
    noting = _Noting(tx)
    record(noting, decided, now)
    return noting.written


def _constants(
    statement: str, params: Mapping[str, Any], shapes: Mapping[int, Mapping[str, Mapping[str, Any]]]
) -> tuple[Mapping[str, Any], Mapping[int, Mapping[str, list[Put]]]]:
    scalars = {name: value for name, value in params.items() if not isinstance(value, list)}
    by_shape: dict[int, dict[str, list[Put]]] = {}
    for shape, written in shapes.items():
        if statement in written:
            case = _specimen(written)
            columns = {name: value for name, value in written[statement].items() if isinstance(value, list)}
            by_shape[shape] = {name: [_put(value, case) for value in values] for name, values in columns.items()}
    return scalars, by_shape


def _specimen(written: Mapping[str, Mapping[str, Any]]) -> int:
    return next(params["ids"][0] for params in written.values() if "versions" in params)


def _put(value: Any, case: int) -> Put:
    """The population numbers accounts, claims, services and cases alike, and steps and effects from 8 × that."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value == case:
            return lambda id_: id_
        if 8 * case <= value < 8 * case + 8:
            return lambda id_, more=value - 8 * case: 8 * id_ + more  # type: ignore[misc]
    if isinstance(value, str) and str(case) in value:
        before, *rest = value.split(str(case))
        if len(rest) == 1:
            return lambda id_, before=before, after=rest[0]: f"{before}{id_}{after}"  # type: ignore[misc]
    return lambda _: value


def _columns(
    by_shape: Mapping[int, Mapping[str, list[Put]]], cases: Sequence[int], shapes: int
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for case in cases:
        for name, puts in by_shape.get(case % shapes, {}).items():
            columns.setdefault(name, []).extend([put(case) for put in puts])
    return columns
