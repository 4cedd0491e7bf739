"""Many seeds, in processes of their own: each with its server, each violation shrunk and written down."""

import hashlib
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import active_children, get_context
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from tests.simulation.dice import Dice
from tests.simulation.ground import Ground, ground
from tests.simulation.history import Lived, live
from tests.simulation.planted import PLANTED
from tests.simulation.shrink import shrink
from tests.simulation.stage import NoEnd
from tests.simulation.story import Story, story

CHUNK = 10
_LEAVE_SECONDS = 20
_ROOT = Path(__file__).parents[2]
_PLAYED = ("src/relight", "tests/simulation", "tests/flow/factories.py")  # what a history is made of
_process = ExitStack()
_ground: list[Ground] = []


@dataclass(slots=True)
class Sum:
    """What seeds came to. `failures` are the files of shrunk histories."""

    seeds: int = 0
    steps: int = 0
    violations: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    faults: Counter[str] = field(default_factory=Counter[str])

    def add(self, chunk: dict[str, Any]) -> None:
        """One chunk more."""
        self.seeds += chunk["seeds"]
        self.steps += chunk["steps"]
        self.violations += chunk["violations"]
        self.faults.update(chunk["faults"])

    def as_data(self) -> dict[str, Any]:
        """The promised line."""
        return {"seeds": self.seeds, "violations": self.violations, "steps": self.steps,
                "faults": dict(sorted(self.faults.items()))}  # fmt: skip


class OtherCode(ValueError):
    """What was kept is not of this code."""


def run(
    seeds: range, *, jobs: int, planted: str, folder: Path | None, kept: Path | None, tell: Callable[[Sum], None]
) -> Sum:
    """Live all seeds, or until a planted bug is found. With `kept`, chunks that were done before are not done again,
    and new ones are written there. Violations are shrunk and written into `folder`, if there is one.

    Raises OtherCode.
    """
    total, done, code = Sum(), set[int](), f"{played()} {planted}".strip()
    for chunk in _before(kept):
        if chunk["code"] != code:
            raise OtherCode(f"{kept} holds histories of other code ({chunk['code']}, now {code}). Name another file.")
        if chunk["from"] in seeds and (chunk["from"] - seeds.start) % CHUNK == 0:
            done.add(chunk["from"])
            total.add(chunk)
    into = str(folder or "")
    starts = [start for start in range(seeds.start, seeds.stop, CHUNK) if start not in done]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin) as pool:
        coming = [pool.submit(_chunk, start, min(start + CHUNK, seeds.stop), planted, into) for start in starts]
        for future in as_completed(coming):
            chunk = future.result()
            if kept is not None:
                with kept.open("a") as file:
                    file.write(json.dumps({**chunk, "code": code}) + "\n")
            total.add(chunk)
            tell(total)
            if planted and total.violations:
                pool.shutdown(cancel_futures=True)
                break
    return total


def played() -> str:
    """What the sources are known by that histories are made of; the same after a change to anything else."""
    whole = hashlib.sha256()
    for name in _PLAYED:
        for path in sorted([_ROOT / name] if name.endswith(".py") else (_ROOT / name).rglob("*.*")):
            if path.suffix in (".py", ".sql", ".yaml"):
                whole.update(f"\n{path.relative_to(_ROOT)}\n".encode() + path.read_bytes())
    return whole.hexdigest()[:16]


def _before(kept: Path | None) -> Iterator[dict[str, Any]]:
    if kept is not None and kept.exists():
        yield from (json.loads(line) for line in kept.read_text().splitlines())


def _begin() -> None:
    """A server for as long as the process lives."""
    _ground.append(_process.enter_context(ground()))
    Finalize(None, _process.close, exitpriority=10)
    signal.signal(signal.SIGTERM, _leave)


def _leave(*_: object) -> None:
    _process.close()
    os._exit(128 + signal.SIGTERM)


def end_with_us(*_: object) -> None:
    """Somebody ends the campaign: its processes end too, and with them their servers. What is kept is kept."""
    children = active_children()
    for child in children:
        child.terminate()
    for child in children:
        child.join(_LEAVE_SECONDS)
    os._exit(128 + signal.SIGTERM)


def _chunk(start: int, end: int, planted: str, folder: str) -> dict[str, Any]:
    (here,) = _ground
    found = Sum()
    with ExitStack() as stack:
        if planted:
            stack.enter_context(PLANTED[planted].plant(here))
        for seed in range(start, end):
            lived = live(here, story(seed), Dice(seed))
            found.seeds += 1
            found.steps += lived.steps
            found.faults.update(lived.faults)
            if lived.code:
                told = {"seed": seed, "code": lived.code, "what": lived.what, "steps": lived.steps}
                if folder:
                    told["file"] = str(write_down(here, seed, lived, planted, Path(folder)))
                found.violations.append(told)
                if planted:
                    break
    return {"from": start, **found.as_data()}


def write_down(here: Ground, seed: int, lived: Lived, planted: str, folder: Path) -> Path:
    """Shrink a violation, and write the short history where anybody can replay it; the file. One without an end is
    written as it is: trying what else has no end takes hours."""
    endless = lived.code == f"raised_{NoEnd.__name__}"
    told, kept = (story(seed), lived.drawn) if endless else shrink(partial(live, here), story(seed), lived)
    short = live(here, told, Dice(0, kept=kept), log=True)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{planted + '-' if planted else ''}{seed}-{lived.code}.json"
    written = {"code": lived.code, "what": short.what, "seed": seed, "planted": planted, "steps": short.steps,
               "story": told.as_data(), "drawn": kept, "log": list(short.log)}  # fmt: skip
    path.write_text(json.dumps(written, indent=1) + "\n")
    return path


def replay(path: Path) -> Lived:
    """Play a written history once more; its log is kept."""
    written = json.loads(path.read_text())
    with ground() as here, ExitStack() as stack:
        if written["planted"]:
            stack.enter_context(PLANTED[written["planted"]].plant(here))
        return live(here, Story.of_data(written["story"]), Dice(0, kept=written["drawn"]), log=True)
