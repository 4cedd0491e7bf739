"""The long forms, by hand: `python -m tests.agreement pairs --count 100000 --out bench/results/DAY-pairs.json`.

`pairs` holds the proof of drawn policies against lives under them; `logs` the guards against the audit. Either writes
what it has found every few seconds, and goes on from there when it is started again.
"""

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.agreement.pairs import Contradiction, Found, look_at, shrunk
from tests.agreement.verdicts import Disagreement, Judged, compare, draw
from tests.flow.conftest import migrated

PROVED_LIVES, REFUSED_LIVES = 80, 20  # a proof takes as long as fifty lives
LIVES, AMISS = 4, 14  # of a policy; of a log
_SAVED_EVERY = 10  # policies
_LOGS_OF = 40  # policies in one database
_KEPT = 50  # contradictions in the file


def main() -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser(prog="python -m tests.agreement", description=__doc__)
    parser.add_argument("what", choices=("pairs", "logs"))
    parser.add_argument("--count", type=int, default=100_000, help="how many (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="JSON; goes on from it where it is there")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped; start it again to go on"))  # the server stops too
    {"pairs": pairs, "logs": logs}[given.what](given.count, given.out)


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


def logs(count: int, out: Path) -> None:
    """So many logs, judged by the guards and by the audit, on a private database server."""
    seed, seconds, judged = 0, 0.0, Judged()
    if out.exists():
        told = _read(out, "disagreements")
        seed, seconds, judged = told["seeds"][1], told["seconds"], Judged(_flat(told))
    with migrated() as urls:
        while judged.counted["logs"] < count:
            begun = time.process_time()
            fresh = compare(urls, draw(range(seed, seed + _LOGS_OF), lives=LIVES, amiss=AMISS))
            judged.counted.update(fresh.counted)
            judged.disagreements += fresh.disagreements
            seed, seconds = seed + _LOGS_OF, seconds + time.process_time() - begun
            _write_logs(out, seed, seconds, judged)
            print(f"{judged.counted['logs']:,} logs, {len(judged.disagreements)} disagreements", flush=True)


def _write_logs(out: Path, seed: int, seconds: float, judged: Judged) -> None:
    told: dict[str, Any] = {
        "logs": judged.counted["logs"], "policies": seed, "seeds": [0, seed],
        "disagreements": len(judged.disagreements), "lives_per_policy": LIVES, "tries_to_spoil_each": AMISS,
        "seconds": round(seconds, 1), "coverage": _nested(judged.counted),
        "found": [_plain_log(one) for one in judged.disagreements[:_KEPT]],
        "machine": {"python": platform.python_version(), "cores": os.cpu_count()},
    }  # fmt: skip
    _save(out, told)


def _plain_log(one: Disagreement) -> Mapping[str, Any]:
    log = one.log
    return {"seed": log.seed, "step": log.step, "amiss": log.amiss, "guards": one.guards, "audit": one.audit,
            "policy": log.text}  # fmt: skip


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
    _save(out, told)


def _save(out: Path, told: Mapping[str, Any]) -> None:
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
    """Where the file ends: the next seed, seconds of a processor, what was found."""
    if not out.exists():
        return 0, 0.0, Found()
    told = _read(out, "contradictions")
    return told["seeds"][1], told["seconds"], Found(_flat(told))


def _read(out: Path, wrong: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(out.read_text("utf-8"))
    if told[wrong]:
        raise SystemExit(f"{out} holds {wrong}: mend them, and begin a new file")
    return told


def _flat(told: Mapping[str, Any]) -> Counter[str]:
    nested = told["coverage"].items()
    return Counter({f"{group}.{name}" if name else group: n for group, names in nested for name, n in names.items()})


if __name__ == "__main__":
    main()
