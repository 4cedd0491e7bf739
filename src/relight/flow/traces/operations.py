"""Where a trace leaves one process and is taken up by the next: on the case that was woken, and on its decisions.

Nothing is written or asked while traces are off. The caller owns the transaction and holds the accounts' locks.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from relight.flow.database import Tx, statements
from relight.telemetry import traces

SQL = statements(__package__, "operations.sql")
KEPT_FOR = timedelta(days=7)


def remember(tx: Tx, account_ids: Sequence[int], now: datetime, *, under: str = "") -> None:
    """A span (the one that goes on here, unless it is given) has woken the cases of these accounts."""
    traceparent = under or traces.current()
    if traceparent and account_ids:
        tx.run(SQL.remember, {"accounts": list(account_ids), "traceparent": traceparent, "now": now})


def woken(tx: Tx, case_ids: Sequence[int]) -> dict[int, str]:
    """By case, the span that woke it; told once. Empty while traces are off."""
    if not traces.are_on():
        return {}
    return dict(tx.rows(SQL.woken, {"cases": list(case_ids)}))


def decided(tx: Tx, events: Sequence[tuple[int, int, str]], now: datetime) -> None:
    """These events (case, number) were decided under these spans."""
    if not events:
        return
    cases, numbers, traceparents = (list(column) for column in zip(*events, strict=True))
    given = {"partner": tx.partner_id, "cases": cases, "numbers": numbers, "traceparents": traceparents, "now": now}
    tx.run(SQL.decided, given)


def forget(tx: Tx, now: datetime) -> int:
    """Let go of traces older than a week; how many rows."""
    return tx.run(SQL.forget, {"before": now - KEPT_FOR}) if traces.are_on() else 0
