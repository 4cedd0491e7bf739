"""What providers settled, day by day, against what we booked: what agrees is in the bank, the rest is a person's work.

A settled line is one more word of the provider, so it takes the road of all words (`record_notices`): a payment whose
webhook and every answer were lost is found here, and a sum that differs becomes a task.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

import structlog
from psycopg.types.json import Jsonb

from relight.flow.apart import apart
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Database, Tx, statements
from relight.flow.payments import queries
from relight.flow.payments.errors import NoSuchProvider
from relight.flow.payments.operations import SQL as OPERATIONS
from relight.flow.payments.operations import TASK_DUE, record_notices
from relight.flow.payments.port import CannotReconcile, PaymentState, ProviderEvent, ProviderUnavailable
from relight.flow.payments.providers import Settings, provider
from relight.flow.payments.weighing import MONEY_CAME, Verdict
from relight.telemetry import metrics

SQL = statements(__package__, "reconciling.sql")

# Providers pay out within a week; later is worth a question.
SETTLED_WITHIN = timedelta(days=10)
DAYS_AT_ONCE_MAX = 7

_LOOP = "settlements"
_TASKS_AT_ONCE_MAX = 200
_DIFFERING = frozenset({Verdict.MISMATCH, Verdict.UNKNOWN})

_log = structlog.get_logger(__name__)


class Reconciled(NamedTuple):
    """A day of a provider: its lines, payments that nobody had told us of, and what differs or is overdue."""

    provider: str
    day: date
    told: int
    found: int
    differing: int
    not_settled: int


def reconcile_day(
    db: Database, partner_id: int, settings: Settings | None, name: str, day: date, now: datetime
) -> Reconciled:
    """Compare one day of a provider's settlements; doing it again changes nothing.

    Raises `ProviderUnavailable` (also for a day that is not complete), `CannotReconcile` and `NoSuchProvider`.
    """
    events = provider(settings, name).reconcile(day, now)
    with db.transaction(partner_id) as tx:
        return _compare(tx, name, day, events, now)


def reconcile_due(db: Database, now: datetime) -> list[Reconciled]:
    """Every provider's days up to yesterday that were not compared yet, a week of them at most. Call it hourly."""
    with db.transaction(None) as tx:
        partners: list[tuple[int, Settings]] = tx.rows(queries.SQL.partners)
    done = list[Reconciled]()
    for partner_id, settings in partners:
        with apart(_LOOP, partner_id):
            done += _due(db, partner_id, settings, now)
    return done


def _due(db: Database, partner_id: int, settings: Settings, now: datetime) -> list[Reconciled]:
    with db.transaction(partner_id) as tx:
        yesterday = partner_today(tx, now) - timedelta(days=1)
        last: list[tuple[str, date | None]] = tx.rows(SQL.due, {"names": sorted(settings)})
    done: list[Reconciled] = []
    for name, day in last:
        first = day + timedelta(days=1) if day else yesterday
        count = min((yesterday - first).days + 1, DAYS_AT_ONCE_MAX)
        for number in range(count):
            read = _read(db, partner_id, settings, name, first + timedelta(days=number), now, yesterday=yesterday)
            if read is None:
                break
            done.append(read)
    return done


def _read(
    db: Database, partner_id: int, settings: Settings, name: str, day: date, now: datetime, *, yesterday: date
) -> Reconciled | None:
    """A day of a provider; None where it cannot be read, which counts as a failure of the loop. Of yesterday a provider
    may say that it is not complete yet: that it cannot be had counts from the next day on."""
    try:
        return reconcile_day(db, partner_id, settings, name, day, now)
    except CannotReconcile as missing:
        _log.info("settlements_not_there", why=str(missing))
    except (ProviderUnavailable, NoSuchProvider, ValueError) as error:
        _log.warning("settlements_not_read", provider=name, error=str(error))
        if day < yesterday or not isinstance(error, ProviderUnavailable):
            metrics.failed(_LOOP, type(error).__name__)
    return None


def _compare(tx: Tx, name: str, day: date, events: list[ProviderEvent], now: datetime) -> Reconciled:
    came = {event.provider_ref for event in events if event.state in MONEY_CAME}
    known = {row[0] for row in tx.rows(SQL.known, {"provider": name, "refs": sorted(came)})}
    verdicts = record_notices(tx, provider_name=name, events=events, now=now)
    found, differing = len(came - known), sum(verdict in _DIFFERING for verdict in verdicts)
    counts = {"told": len(events), "found": found, "differing": differing}
    tx.run(SQL.keep, {"partner": tx.partner_id, "provider": name, "day": day, "now": now, **counts})
    return Reconciled(name, day, len(events), found, differing, _ask_about_the_late(tx, name, day, now))


def _ask_about_the_late(tx: Tx, name: str, day: date, now: datetime) -> int:
    late = tx.rows(SQL.not_settled, {"provider": name, "until": day - SETTLED_WITHIN, "limit": _TASKS_AT_ONCE_MAX})
    for payment_id, ref, amount, currency, _ in late:
        params = {
            "provider": name,
            "ref": ref,
            "state": PaymentState.CONFIRMED.value,
            "amount": amount,
            "currency": currency,
        }
        given = {"partner": tx.partner_id, "code": "payment_not_settled", "params": Jsonb(params), "now": now}
        dedup = f"payment_not_settled-{payment_id}"
        tx.run(OPERATIONS.add_loose_task, {**given, "dedup": dedup, "due_at": now + TASK_DUE})
    return len(late)
