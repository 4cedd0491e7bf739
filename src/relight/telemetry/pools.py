"""Figures of connection pools, looked up every few seconds: a pool tells, but only when it is asked."""

import os
import threading
import weakref

from psycopg_pool import ConnectionPool

from relight.telemetry.folder import VARIABLE

_EVERY_SECONDS = 5.0

_lock = threading.Lock()
_pools: "weakref.WeakSet[ConnectionPool]" = weakref.WeakSet()
_threads: list[threading.Thread] = []


def watch(pool: "ConnectionPool") -> None:
    """Tell of this pool from now on, for as long as it is there, if anybody watches. Any thread may call it."""
    if VARIABLE not in os.environ:
        return
    with _lock:
        _pools.add(pool)
        if not any(thread.is_alive() for thread in _threads):  # a forked process has the list, and no thread
            _threads[:] = [threading.Thread(target=_look_again_and_again, name="pool figures", daemon=True)]
            _threads[0].start()


def look() -> None:
    """Set the figures of all pools now; pools of one name are added up."""
    from relight.telemetry import metrics  # where figures live is decided at its first import

    sums: dict[str, list[float]] = {}
    with _lock:
        pools = [pool for pool in _pools if not pool.closed]
    for pool in pools:
        found = pool.get_stats()
        size, idle = found.get("pool_size", 0), found.get("pool_available", 0)
        waited_seconds = found.get("requests_wait_ms", 0) / 1000
        told = (float(size - idle), float(idle), float(found.get("requests_waiting", 0)), waited_seconds)
        sums[pool.name] = [one + other for one, other in zip(sums.get(pool.name, [0.0] * 4), told, strict=True)]
    for name, (used, free, waiting, waited) in sums.items():
        metrics.POOL_CONNECTIONS.labels(name, "used").set(used)
        metrics.POOL_CONNECTIONS.labels(name, "idle").set(free)
        metrics.POOL_WAITING.labels(name).set(waiting)
        metrics.POOL_WAITED_SECONDS.labels(name).set(waited)


def _look_again_and_again() -> None:
    tick = threading.Event()
    while not tick.wait(_EVERY_SECONDS):
        look()
