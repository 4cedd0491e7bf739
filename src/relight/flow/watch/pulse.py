"""Figures that lie in the database, looked up when somebody scrapes: queues, payments, imports, tasks, alarms."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence, Set
from datetime import datetime

import psycopg_pool
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from relight.flow import database
from relight.flow.database import Database, statements
from relight.flow.watch.alarms import KINDS, OF_INSTALLATION, Alarm, answer, of_installation, question
from relight.flow.watch.alarms import SQL as ALARMS

SQL = statements(__package__, "pulse.sql")
AWAY = (*database.AWAY, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed)

# By the statement's own name: what Prometheus calls it, what it is, and its labels beside the partner.
FIGURES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "queue_age": ("relight_queue_age_seconds", "How long the oldest due work has waited", ("stage", "lane")),
    "queue_length": ("relight_queue_length", "How much is due, counted up to ten thousand", ("stage", "lane")),
    "in_flight": ("relight_effects_in_flight", "Attempts under way", ("kind",)),
    "driver_failures": ("relight_driver_failures", "Failures in a row of a driver", ("kind", "driver")),
    "driver_rests": ("relight_driver_resting", "1 while a driver rests after failures", ("kind", "driver")),
    "feed_waits": ("relight_feed_lag_seconds", "How long the oldest entry has waited for its position", ()),
    "reader_behind": ("relight_feed_reader_behind", "Entries that a reader has not acknowledged", ("reader",)),
    "unmatched": ("relight_payments_unmatched", "Payments on no account, counted up to ten thousand", ()),
    "unmatched_age": ("relight_payments_unmatched_age_seconds", "How long the oldest of them has waited", ()),
    "source_age": ("relight_source_age_seconds", "Since when a source's money data is not complete", ("source",)),
    "import_age": ("relight_import_age_seconds", "Since the last import ended", ("kind",)),
    "import_seconds": ("relight_import_duration_seconds", "What the last import took", ("kind",)),
    "import_rows": ("relight_import_rows", "Rows of the last import", ("kind", "outcome")),
    "tasks": ("relight_tasks_open", "Open tasks for people", ("urgency", "due")),
    "audit_age": ("relight_audit_age_seconds", "Since the last audit", ()),
    "stopped": ("relight_stopped", "1 while messages and cuts are stopped", ()),
}


class Pulse(Collector):
    """Asks each partner behind its own wall. `host_clock` is this host's moment, to be held against the database's."""

    def __init__(self, db: Database, host_clock: Callable[[], datetime]):
        self.db, self.host_clock = db, host_clock
        self._one_at_a_time = threading.Lock()
        self._looks, self._seen = 0, list[GaugeMetricFamily]()

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing in advance: a registry may be made while the database is away."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All figures; only that the database is away, when it is. Who asks while somebody is asking gets the same."""
        before = self._looks
        with self._one_at_a_time:
            if self._looks == before:
                self._seen = list(self._look())
                self._looks += 1
            seen = self._seen
        yield from seen

    def _look(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("relight_database_up", "1 when the database answers whoever scrapes")
        found: list[GaugeMetricFamily] = []
        try:
            found = self._figures()
        except AWAY:
            up.add_metric((), 0)
        else:
            up.add_metric((), 1)
        yield up
        yield from found

    def _figures(self) -> list[GaugeMetricFamily]:
        began = time.monotonic()
        now = self.db.clock()
        skew = abs((self.host_clock() - now).total_seconds()) - (time.monotonic() - began)
        clocks = GaugeMetricFamily("relight_clock_skew_seconds", "How far this host's clock is from the database's")
        clocks.add_metric((), max(0.0, skew))
        families = {
            name: GaugeMetricFamily(called, text, labels=("partner", *labels))
            for name, (called, text, labels) in FIGURES.items()
        }
        alarms = GaugeMetricFamily(
            "relight_alarm", "How much is wrong, by alarm", labels=("partner", "alarm", "urgency")
        )
        with self.db.transaction(None) as tx:
            _add(alarms, "", OF_INSTALLATION, of_installation(tx.rows(ALARMS.log_slot), now))
            partners = tx.rows("SELECT id, slug FROM partner ORDER BY slug")
        for partner_id, slug in partners:
            with self.db.transaction(partner_id) as tx:
                figures = tx.rows(SQL.pulse, {"partner": partner_id, "now": now})
                wrong = answer(tx.rows(ALARMS.alarms, question(partner_id, now)))
            for figure, labels, value in figures:
                families[figure].add_metric((slug, *labels), value)
            _add(alarms, slug, KINDS.keys() - OF_INSTALLATION, wrong)
        return [clocks, *families.values(), alarms]


def _add(alarms: GaugeMetricFamily, slug: str, codes: Set[str], wrong: Sequence[Alarm]) -> None:
    """A value for each of these kinds, at a partner or (without a slug) at the installation: 0 where all is well."""
    counts = {one.code: one.count for one in wrong}
    for code, kind in KINDS.items():
        if code in codes:
            alarms.add_metric((slug, code, kind.urgency), counts.get(code, 0))
