"""The long form, by hand: `python -m tests.agreement pairs --count 100000 --out bench/results/DAY-pairs.json`.

It writes what it has found every few seconds and goes on from there when it is started again.
"""

import argparse
import json
import os
import platform
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.agreement.pairs import Contradiction, Found, look_at, shrunk

PROVED_LIVES, REFUSED_LIVES = 80, 20  # a proof takes as long as fifty lives
_SAVED_EVERY = 10  # policies
_KEPT = 50  # contradictions in the file


def main() -> None:
    """Run one of the two long forms."""
    parser = argparse.ArgumentParser(prog="python -m tests.agreement", description=__doc__)
    parser.add_argument("what", choices=("pairs",))
    parser.add_argument("--count", type=int, default=100_000, help="how many (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="JSON; goes on from it where it is there")
    given = parser.parse_args()
    pairs(given.count, given.out)


def pairs(count: int, out: Path) -> None:
    """So many pairs of a policy and a life, from the first seed on or from where the file ends."""
    seed, seconds, found = _resumed(out)
    while done(found) < count:
        begun = time.process_time()
        for one in range(seed, seed + _SAVED_EVERY):
            fresh = look_at(one, proved_lives=PROVED_LIVES, refused_lives=REFUSED_LIVES)
            fresh.contradictions = [_small(other) for other in fresh.contradictions[:_KEPT]]
            found.take(fresh)
        seed, seconds = seed + _SAVED_EVERY, seconds + time.process_time() - begun
        _write(out, seed, seconds, found)
        print(f"{done(found):,} pairs, {len(found.contradictions)} contradictions", flush=True)


def done(found: Found) -> int:
    """How many pairs there are so far."""
    return found.counted["pairs.proved"] + found.counted["pairs.refused"]


def _small(one: Contradiction) -> Contradiction:
    """As small as it gets, to be read by a person."""
    return shrunk(one)


def _write(out: Path, seed: int, seconds: float, found: Found) -> None:
    told: dict[str, Any] = {
        "pairs": done(found), "policies": seed, "seeds": [0, seed], "contradictions": len(found.contradictions),
        "lives_per_policy": {"proved": PROVED_LIVES, "refused": REFUSED_LIVES}, "seconds": round(seconds, 1),
        "coverage": _nested(found.counted), "found": [_plain(one) for one in found.contradictions[:_KEPT]],
        "machine": {"python": platform.python_version(), "cores": os.cpu_count()},
    }  # fmt: skip
    beside = out.with_suffix(".part")
    beside.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    beside.replace(out)


def _plain(one: Contradiction) -> Mapping[str, str]:
    policy = one.road.text()
    return {"what": one.what, "told": one.told, "road": repr(one.road), "life": repr(one.plot), "policy": policy}


def _nested(counted: Counter[str]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for name, count in sorted(counted.items()):
        group, _, rest = name.partition(".")
        nested.setdefault(group, {})[rest] = count
    return nested


def _resumed(out: Path) -> tuple[int, float, Found]:
    """Where the file ends: the next seed, seconds of a processor, what was found. Contradictions end a run for good."""
    if not out.exists():
        return 0, 0.0, Found()
    told = json.loads(out.read_text("utf-8"))
    if told["contradictions"]:
        raise SystemExit(f"{out} holds contradictions: mend them, and begin a new file")
    flat = {f"{group}.{name}": count for group, names in told["coverage"].items() for name, count in names.items()}
    return told["seeds"][1], told["seconds"], Found(Counter(flat))


if __name__ == "__main__":
    main()
