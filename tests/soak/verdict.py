"""Is it flat? The last quarter of a run is held against the third; what came before is warming up."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from tests.soak.samples import Sample

Series = dict[str, list[float]]
Verdict = dict[str, Any]
# What may be more in the last quarter: a share, and so much besides. Tables grow with what is written: not judged.
# docs/benchmarks.md names them.
_LIMITS = {"memory_mb": (0.02, 1.0), "files": (0.02, 2.0), "queue_seconds": (0.25, 0.5), "dead_share": (0.25, 0.01)}


def series(samples: Sequence[Sample]) -> dict[str, Series]:
    """The samples by kind of figure and name, in time."""
    found: dict[str, Series] = {kind: {} for kind in _LIMITS}
    for sample in samples:
        for kind in ("memory_mb", "files", "queue_seconds"):
            for name, value in sample[kind].items():
                found[kind].setdefault(name, []).append(float(value))
        share = sample["dead_rows"] / max(1, sample["live_rows"] + sample["dead_rows"])
        found["dead_share"].setdefault("all tables", []).append(share)
    return found


def judge(samples: Sequence[Sample]) -> list[Verdict]:
    """Each figure's medians in the third and in the last quarter, what the last may be `at_most`, and whether it is."""
    return [_judge(kind, name, values) for kind, by_name in series(samples).items() for name, values in by_name.items()]


def in_text(verdicts: Sequence[Verdict], load: Mapping[str, int]) -> str:
    """The verdicts for people."""
    done = ", ".join(f"{count:,} {name}" for name, count in load.items())
    lines = [
        f"  {one['figure']:<14} {one['of']:<18} {one['third']:>10.2f} → {one['last']:>10.2f}"
        f"   of at most {one['at_most']:>8.2f}   {'flat' if one['flat'] else 'GROWS'}"
        for one in verdicts
    ]
    return "\n".join([f"{done}. Medians of the third and the last quarter:", *lines])


def _judge(kind: str, name: str, values: Sequence[float]) -> Verdict:
    quarter = max(1, len(values) // 4)
    third, last = median(values[-2 * quarter : -quarter] or values), median(values[-quarter:])
    share, more = _LIMITS[kind]
    at_most = third * (1 + share) + more
    return {
        "figure": kind,
        "of": name,
        "third": round(third, 3),
        "last": round(last, 3),
        "at_most": round(at_most, 3),
        "flat": last <= at_most,
    }
