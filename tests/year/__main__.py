"""A year of everything, killed again and again.

    python -m tests.year --accounts 10000 --days 365 --kills 200 --folder FOLDER --out FILE

The year is lived twice, once left alone and once killed at random moments; both must come to the same books. A run that
was interrupted goes on where it was when it is started again with the same folder.
"""

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path

from tests.year.living import Asked, compare, live

START = date(2026, 1, 5)


def main() -> int:
    """Exit code 0 when both years came to the same books and no evening found anything wrong."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--accounts", type=int, default=10_000)
    asked.add_argument("--days", type=int, default=365)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--kills", type=int, default=200)
    asked.add_argument("--seconds", type=float, nargs=2, default=(4, 20), help="Between two kills: least and most.")
    asked.add_argument("--folder", type=Path, required=True, help="Where both years live; a short path.")
    asked.add_argument("--out", type=Path, help="Where the result goes, as JSON.")
    given = asked.parse_args()
    wish = Asked(given.accounts, given.days, given.seed, START)
    began = time.monotonic()
    alone = live(given.folder / "a", wish, kills=0, tell=print)
    killed = live(given.folder / "k", wish, kills=given.kills, tell=print, seconds=tuple(given.seconds))
    differences = compare(alone, killed)
    result = {
        "accounts": given.accounts, "days": given.days, "seed": given.seed, "kills": killed.kills,
        "minutes_since_started_last": round((time.monotonic() - began) / 60, 1), "differences": differences,
        "ending": alone.ending, "kinds": alone.kinds,
    }  # fmt: skip
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
