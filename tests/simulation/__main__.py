"""Whole histories from seeds: production's code and SQL, one statement at a time, with everything that can go wrong.

python -m tests.simulation --seeds 200
python -m tests.simulation --seeds 10000 --kept FILE     goes on where it was when it is started again
python -m tests.simulation --planted nobody-woken        a bug is planted: is it found?
python -m tests.simulation --planted every --seeds 200   each of them, and by which seed it is found
python -m tests.simulation --replay FILE                 a violation, statement by statement
"""

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tests.simulation import campaign
from tests.simulation.planted import PLANTED

_TELL_EVERY_SECONDS = 10.0


def main() -> int:
    """Exit code 0 when everything held (or a planted bug was found)."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seeds", type=int, default=100, help="How many.")
    asked.add_argument("--first", type=int, default=0, help="The first one.")
    asked.add_argument("--jobs", type=int, default=2, help="Processes, each with a server of its own.")
    asked.add_argument("--planted", choices=["every", *sorted(PLANTED)], default="")
    asked.add_argument("--replay", type=Path, metavar="FILE", help="A history that was written down.")
    asked.add_argument("--kept", type=Path, metavar="FILE", help="What is done already, and more of it.")
    asked.add_argument("--folder", type=Path, default=Path("build/simulation"), help="Where violations are written.")
    asked.add_argument("--out", type=Path, metavar="FILE", help="Where the result goes, as JSON.")
    given = asked.parse_args()
    signal.signal(signal.SIGTERM, campaign.end_with_us)
    if given.replay:
        return _replay(given.replay)
    if given.planted == "every":
        return _every_bug(range(given.first, given.first + given.seeds), given.jobs, given.out)
    began = time.monotonic()
    told = [began]

    def tell(total: campaign.Sum) -> None:
        if time.monotonic() - told[0] >= _TELL_EVERY_SECONDS:
            told[0] = time.monotonic()
            print(f"{total.seeds:,} seeds, {total.steps:,} statements, {len(total.violations)} violations", flush=True)

    seeds = range(given.first, given.first + given.seeds)
    try:
        total = campaign.run(
            seeds, jobs=given.jobs, planted=given.planted, folder=given.folder, kept=given.kept, tell=tell
        )
    except campaign.OtherCode as other:
        return asked.error(str(other))
    result = {**total.as_data(), "first": given.first, "code": campaign.played(), "planted": given.planted,
              "seconds": round(time.monotonic() - began, 1)}  # fmt: skip
    _write(result, given.out)
    if not given.planted:
        return int(bool(total.violations))
    return int(not any(one["code"] in PLANTED[given.planted].codes for one in total.violations))


def _write(result: dict[str, Any], out: Path | None) -> None:
    if out:
        out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


def _every_bug(seeds: range, jobs: int, out: Path | None) -> int:
    """Each bug by itself, until a history has found it as what it is."""
    found = dict[str, Any]()
    for bug, planted in PLANTED.items():
        total = campaign.run(seeds, jobs=jobs, planted=bug, folder=None, kept=None, tell=lambda _: None)
        first = min(total.violations, key=lambda one: one["seed"], default=None)
        found[bug] = {**first, "expected": first["code"] in planted.codes} if first else {}
        print(bug, found[bug], flush=True)
    _write({"seeds": len(seeds), "first": seeds.start, "code": campaign.played(), "found": found}, out)
    return int(not all(one.get("expected") for one in found.values()))


def _replay(path: Path) -> int:
    lived = campaign.replay(path)
    print("\n".join(lived.log))
    print(json.dumps({"code": lived.code, "what": lived.what, "steps": lived.steps, "digest": lived.digest}))
    return int(bool(lived.code))


if __name__ == "__main__":
    sys.exit(main())
