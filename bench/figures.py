"""Figures: percentiles, the machine they were taken on, and tables for people."""

import math
import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Nearest-rank p50, p95 and p99 (no interpolation: each is a value that was measured), and the most."""
    ordered = sorted(values)

    def rank(percent: float) -> float:
        return round(ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)], 1)

    return {"p50": rank(50), "p95": rank(95), "p99": rank(99), "max": round(ordered[-1], 1)} if ordered else {}


def share(raw: Mapping[str, float], ours: Mapping[str, float]) -> float:
    """The bare median as a share of ours: 1 where nothing is added to it. 0 where one of them was not measured."""
    return round(raw["p50"] / ours["p50"], 3) if raw and ours and ours["p50"] else 0.0


def machine(connection: psycopg.Connection) -> dict[str, Any]:
    """What the figures were taken on. A load average beyond what the benchmark itself runs tells of neighbours."""
    version = connection.execute("SHOW server_version").fetchone()
    return {
        "load_average": round(os.getloadavg()[0], 1),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "postgres": version[0].split()[0] if version else "",
        "fsync": (connection.execute("SHOW fsync").fetchone() or [""])[0],
    }


def in_words(name: str, spread: dict[str, float]) -> str:
    """One line of a table of percentiles, in milliseconds."""
    return f"  {name:<34}" + "".join(f"{label} {spread[label]:>8.1f}   " for label in ("p50", "p95", "p99", "max"))
