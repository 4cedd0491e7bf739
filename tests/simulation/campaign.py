"""Many seeds, in processes of their own: each with its server, each violation shrunk and written down."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from tests.simulation.dice import Dice
from tests.simulation.ground import Ground, ground
from tests.simulation.history import Lived, live
from tests.simulation.planted import PLANTED
from tests.simulation.shrink import shrink
from tests.simulation.story import Story, story

CHUNK = 10
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


def run(seeds: range, *, jobs: int, planted: str, folder: Path, kept: Path | None, tell: Callable[[Sum], None]) -> Sum:
    """Live all seeds, or until a planted bug is found. With `kept`, chunks that were done before are not done again,
    and new ones are written there."""
    total, done = Sum(), set[int]()
    for chunk in _before(kept):
        done.add(chunk["from"])
        total.add(chunk)
    starts = [start for start in range(seeds.start, seeds.stop, CHUNK) if start not in done]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin) as pool:
        coming = [pool.submit(_chunk, start, min(start + CHUNK, seeds.stop), planted, str(folder)) for start in starts]
        for future in as_completed(coming):
            chunk = future.result()
            if kept is not None:
                with kept.open("a") as file:
                    file.write(json.dumps(chunk) + "\n")
            total.add(chunk)
            tell(total)
            if planted and total.violations:
                pool.shutdown(cancel_futures=True)
                break
    return total


def _before(kept: Path | None) -> Iterator[dict[str, Any]]:
    if kept is not None and kept.exists():
        yield from (json.loads(line) for line in kept.read_text().splitlines())


def _begin() -> None:
    """A server for as long as the process lives."""
    _ground.append(_process.enter_context(ground()))
    Finalize(None, _process.close, exitpriority=10)


def _chunk(start: int, end: int, planted: str, folder: str) -> dict[str, Any]:
    (here,) = _ground
    found = Sum()
    with ExitStack() as stack:
        if planted:
            stack.enter_context(PLANTED[planted](here))
        for seed in range(start, end):
            lived = live(here, story(seed), Dice(seed))
            found.seeds += 1
            found.steps += lived.steps
            found.faults.update(lived.faults)
            if lived.code:
                file = write_down(here, seed, lived, planted, Path(folder))
                found.violations.append(
                    {"seed": seed, "code": lived.code, "what": lived.what, "steps": lived.steps, "file": str(file)}
                )
                if planted:
                    break
    return {"from": start, **found.as_data()}


def write_down(here: Ground, seed: int, lived: Lived, planted: str, folder: Path) -> Path:
    """Shrink a violation, and write the short history where anybody can replay it; the file."""
    told, kept = shrink(partial(live, here), story(seed), lived)
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
            stack.enter_context(PLANTED[written["planted"]](here))
        return live(here, Story.of_data(written["story"]), Dice(0, kept=written["drawn"]), log=True)
