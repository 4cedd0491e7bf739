"""Figures that the processes count themselves, in Prometheus's terms. docs/running.md says what each means.

Labels are words of ours (lanes, drivers, outcomes): never anything of a customer, and never what a stranger sent.
With PROMETHEUS_MULTIPROC_DIR set before this is imported (`telemetry.folder`), the figures lie in files of that folder,
and one process serves them for all.
"""

import time

from prometheus_client import Counter, Gauge, Histogram

_RESTORE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400)
_DRIVER_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_REQUEST_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

DECISIONS = Counter("relight_decisions", "Decisions on record", ("lane", "outcome"))
TURN_SECONDS = Histogram("relight_turn_seconds", "From locking a batch of cases to its commit", ("lane",))
ATTEMPTS = Counter("relight_attempts", "Attempts that ended, as the driver saw it", ("kind", "driver", "result"))
DRIVER_SECONDS = Histogram(
    "relight_driver_seconds", "What an attempt took its driver", ("kind", "driver"), buckets=_DRIVER_SECONDS
)
LOST = Counter("relight_attempts_lost", "Attempts whose worker was gone before they ended", ("driver",))
EFFECTS = Counter("relight_effects", "Effects that ended, by how", ("kind", "channel", "outcome"))
RESTORE_SECONDS = Histogram(
    "relight_restore_seconds",
    "From the payment (else the decision) to the level read back",
    ("driver",),
    buckets=_RESTORE_SECONDS,
)
WEBHOOKS = Counter("relight_webhooks", "Webhooks of payment providers, by our answer", ("provider", "answer"))
REQUEST_SECONDS = Histogram(
    "relight_request_seconds", "What a request took", ("entrance", "status"), buckets=_REQUEST_SECONDS
)
LOOP_ROUND = Gauge(
    "relight_loop_round_monotonic_seconds",
    "When a worker's loop last came round, by this host's monotonic clock",
    ("loop",),
    multiprocess_mode="liveall",
)
LOOP_FAILURES = Counter("relight_loop_failures", "Errors that a worker's loop went on after", ("loop", "error"))
POOL_CONNECTIONS = Gauge(
    "relight_pool_connections", "Connections to the database", ("pool", "state"), multiprocess_mode="livesum"
)
POOL_WAITING = Gauge(
    "relight_pool_waiting", "Who waits for a connection right now", ("pool",), multiprocess_mode="livesum"
)
POOL_WAITED_SECONDS = Gauge(
    "relight_pool_waited_seconds",
    "What live processes have waited for connections since they began",
    ("pool",),
    multiprocess_mode="livesum",
)


def came_round(loop: str) -> None:
    """A worker's loop is alive: it looks for work. Whoever says so once has to go on saying it (cli/metrics.py)."""
    LOOP_ROUND.labels(loop).set(time.monotonic())


def failed(loop: str, error: str) -> None:
    """A loop met an error and goes on."""
    LOOP_FAILURES.labels(loop, error).inc()


def ended(kind: str, channel: str, outcome: str) -> None:
    """An effect has ended."""
    EFFECTS.labels(kind, channel or kind, outcome).inc()


def attempted(kind: str, driver: str, result: str, seconds: float) -> None:
    """A driver has ended an attempt, after so many seconds."""
    ATTEMPTS.labels(kind, driver, result).inc()
    DRIVER_SECONDS.labels(kind, driver).observe(seconds)
