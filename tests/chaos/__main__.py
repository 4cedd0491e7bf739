"""Chaos: kills, fail-overs and everything else that goes wrong, while customers pay.

    python -m tests.chaos --kills 500 --failovers 20 --folder FOLDER --out FILE

Real workers, web servers and PostgreSQL servers on hosts of their own (network namespaces: run it as root). A run that
was interrupted goes on where it was when it is started again with the same folder.
"""

import argparse
import json
import logging
import signal
import sys
import time
from pathlib import Path

from tests.chaos.faults import KILLS, plan
from tests.chaos.living import living, spread
from tests.chaos.network import refusal


def main() -> int:
    """Exit code 0 when nothing was wrong at the end, 1 when something was, 2 where it cannot run."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=500)
    asked.add_argument("--failovers", type=int, default=20)
    asked.add_argument("--others", type=int, default=90, help="Other faults: links, disks, devices, restarts.")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--pace", type=float, default=0.5, help="Seconds between two payments.")
    asked.add_argument("--busy", action="store_true", help="Bulk workers do not give way: the machine does other work.")
    asked.add_argument("--folder", type=Path, required=True, help="Where everything lives; a short path.")
    asked.add_argument("--out", type=Path, help="Where the result goes, as JSON.")
    given = asked.parse_args()
    if why := refusal():
        print(why, file=sys.stderr)
        return 2
    faults = plan(given.seed, kills=given.kills, fail_overs=given.failovers, others=given.others)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with everything that runs
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # that servers go away is what this is about
    began = time.monotonic()
    with living(
        given.folder,
        seed=given.seed,
        pace_seconds=given.pace,
        homes=200,
        bills=20,
        poisoned=2,
        goes_on=True,
        gives_way=not given.busy,
    ) as life:
        life.warm_up()
        for fault in faults[life.seen.done :]:
            life.suffer(fault, lambda text: print(text, flush=True))
        wrong = life.come_to_rest()
        killed = [one for kind in {kind.__name__ for kind in KILLS} for one in life.seen.recoveries.get(kind, [])]
        result = {
            "kills": given.kills, "failovers": given.failovers, "others": given.others, "seed": given.seed,
            "minutes": round((time.monotonic() - began) / 60, 1), "wrong": wrong,
            **({"recovery_after_kill_seconds": spread(killed)} if killed else {}), **life.result(),
        }  # fmt: skip
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
