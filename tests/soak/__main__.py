"""An hour of steady load, sampled: is memory flat, and does no queue grow older?

    python -m tests.soak --minutes 60 --out bench/results/DAY-soak.json

Invoices are imported, customers pay by webhook, cases fall due and get messages and commands, and a system reads the
feed over HTTP, each at a steady pace, on a private installation with its own web and worker processes. Each sample is
written at once. At the end stand the verdicts, and beside the file a plot (SVG). Exit code 1 when something grew.
"""

import argparse
import json
import signal
import sys
import time
from pathlib import Path

from tests.soak.installation import soaking
from tests.soak.plot import draw
from tests.soak.samples import Sample, sample
from tests.soak.verdict import in_text, judge


def main() -> int:
    """Soak, sample, judge."""
    asked = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--every", type=float, default=10, help="Seconds between two samples.")
    asked.add_argument("--payments", type=float, default=1, help="Payments a second.")
    asked.add_argument("--due", type=int, default=500, help="Cases that fall due each ten seconds.")
    asked.add_argument("--invoices", type=int, default=200, help="Invoices that are imported each half minute.")
    asked.add_argument("--out", type=Path, required=True, help="Where samples and verdicts go, as JSON.")
    given = asked.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with everything that runs
    samples: list[Sample] = []
    with soaking(payments=given.payments, due=given.due, invoices=given.invoices, minutes=given.minutes) as soak:
        began = time.monotonic()
        while (spent := time.monotonic() - began) < given.minutes * 60:
            soak.check()
            samples.append(sample(soak.home, soak.partner, soak.processes(), round(spent, 1)))
            _write(given.out, samples, {"load": soak.done(), "minutes": round(spent / 60, 2)})
            time.sleep(max(0.0, len(samples) * given.every - (time.monotonic() - began)))
    done = soak.done()  # what had begun has come to its end by now
    verdicts = judge(samples)
    _write(given.out, samples, {"load": done, "minutes": given.minutes, "verdicts": verdicts})
    given.out.with_suffix(".svg").write_text(draw(samples), "utf-8")
    print(in_text(verdicts, done))
    print(json.dumps({"samples": len(samples), "load": done, "flat": all(one["flat"] for one in verdicts)}))
    return 0 if all(one["flat"] for one in verdicts) else 1


def _write(out: Path, samples: list[Sample], more: dict[str, object]) -> None:
    out.write_text(json.dumps({**more, "samples": samples}, indent=None) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
