"""A year lived in a folder of its own: a server, a partner, and a child that is killed and born again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from relight.cli.demo.partner import SLUG, driver_settings, make_partner
from relight.flow.cases.people import operator
from relight.flow.database import Tx
from relight.flow.handover import operations as agencies
from relight.flow.road.publishing import publish_at_once
from tests.year import books
from tests.year.money import AGENCY

POLICIES = Path(__file__).parent / "policies"

Tell = Callable[[str], object]
_KINDS = "SELECT kind, count(*) FROM transfer GROUP BY kind ORDER BY kind"


@dataclass(frozen=True, slots=True)
class Asked:
    """How many accounts, for how many days, from which day."""

    accounts: int
    days: int
    seed: int
    start: date


@dataclass(frozen=True, slots=True)
class Lived:
    """A year's end: its books as hashes, how often each kind of transfer was posted, how often it was killed."""

    folder: Path
    ending: dict[str, Any]
    kinds: dict[str, int]
    kills: int


def live(folder: Path, asked: Asked, *, kills: int, tell: Tell, seconds: tuple[float, float] = (2.0, 12.0)) -> Lived:
    """Live a year, or what is left of it, and kill it so often at random moments, `seconds` apart at least and at most.

    Raises RuntimeError with what the child said when it ended by itself before its time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    environment = _environment(folder)
    _prepare(folder, asked, environment)
    killed = _run(folder, environment, _moments(folder, asked.seed, kills, seconds), tell)
    done = _ask(folder, environment)
    return Lived(folder, done["ending"], done["kinds"], killed)


def compare(one: Lived, other: Lived) -> list[str]:
    """Which parts of the books differ."""
    return [name for name in one.ending if one.ending[name] != other.ending[name]]


def _killed(folder: Path) -> int:
    counted = folder / "kills"
    return int(counted.read_text()) if counted.exists() else 0


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RELIGHT_", "DATABASE_"))}
    return {**kept, "RELIGHT_HOME": str(folder / "h")}


def _prepare(folder: Path, asked: Asked, environment: dict[str, str]) -> None:
    if not (folder / "year.json").exists():
        words = json.dumps({**asdict(asked), "start": asked.start.isoformat()})
        _must(environment, "prepare", str(folder), words)


def _moments(folder: Path, seed: int, kills: int, seconds: tuple[float, float]) -> Iterator[float]:
    """How long to wait for each kill that is left."""
    dice = Random(f"{seed}-kills")
    return (dice.uniform(*seconds) for _ in range(_killed(folder), kills))


def _run(folder: Path, environment: dict[str, str], waits: Iterator[float], tell: Tell) -> int:
    """Let the year be lived to its end, and kill who lives it after each wait; how often that was done in all."""
    with (folder / "said").open("a") as said:
        nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.year.nursery", str(folder)], env=environment, stdout=said, stderr=said
        )
        for wait in waits:
            try:
                nursery.wait(wait)
                break
            except subprocess.TimeoutExpired:
                _kill(folder, nursery)
                tell(f"killed {_killed(folder)}")
        code = nursery.wait()
    if code:
        raise RuntimeError((folder / "said").read_text()[-3000:])
    return _killed(folder)


def _kill(folder: Path, nursery: subprocess.Popen[bytes]) -> None:
    """Kill the child, once it is born, and count it; nobody when the year has ended meanwhile."""
    kept = folder / "child"
    while nursery.poll() is None:
        try:
            pid = int(kept.read_text())
            kept.unlink()
            os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            time.sleep(0.02)
        else:
            (folder / "kills").write_text(str(_killed(folder) + 1))
            return


def _ask(folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_must(environment, "ending", str(folder)).splitlines()[-1])
    return found


def _must(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.year.living", *words], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return done.stdout


def prepare(folder: Path, words: str) -> None:
    """A partner with policies, a bank and simulated devices; a place for marks that outlive a kill."""
    from relight.project.installation import Installed

    installed = Installed()
    asked = json.loads(words)
    start = datetime.fromisoformat(asked["start"]).replace(tzinfo=UTC)
    with installed.database() as db:
        settings = {**driver_settings(None, folder / "hosted")}
        (folder / "agency").mkdir()
        settings["handover"] = {AGENCY: {"driver": "agency_file", "folder": str(folder / "agency")}}
        settings["supply"] = {"devices": {"driver": "simulator", "folder": str(folder / "devices")}}
        partner_id = make_partner(
            installed.owner_url(), db, now=start, accounts=asked["accounts"] * 20, settings=settings
        )
        with db.transaction(partner_id) as tx:
            _set_up(tx, start)
        with psycopg.connect(installed.owner_url(), autocommit=True) as owner:
            owner.execute("CREATE SCHEMA IF NOT EXISTS year")
            owner.execute("CREATE TABLE IF NOT EXISTS year.done (key text PRIMARY KEY)")
            owner.execute("GRANT USAGE ON SCHEMA year TO relight_app")
            owner.execute("GRANT SELECT, INSERT ON year.done TO relight_app")
    draft = folder / "year.draft"
    draft.write_text(json.dumps({**asked, "partner": partner_id, "slug": SLUG}))
    draft.replace(folder / "year.json")


def _set_up(tx: Tx, now: datetime) -> None:
    """Policies with everything in them, and an agency that was looked up in the register, for a tenth of its money."""
    tx.run("UPDATE policy_version SET retired_at = %(now)s", {"now": now})
    for path in sorted(POLICIES.glob("*.yaml")):
        publish_at_once(tx, path.read_text("utf-8"), by=operator("year"), now=now)
    agencies.add_agency(tx, name=AGENCY, title="Nord Inkasso AS", kind="agency", org_number="912345678", now=now)
    agencies.note_check(
        tx, AGENCY, register="Finanstilsynet", number="FT00012345", source="the register's own page",
        checked=now.date(), until=now.date() + timedelta(days=400), by="bente", now=now,
    )  # fmt: skip
    agencies.note_fee(tx, AGENCY, from_date=now.date(), least=0, basis_points=1000, amount=None, by="bente", now=now)


def ending(folder: Path) -> None:
    """Print what the year came to."""
    from relight.project.installation import Installed

    asked = json.loads((folder / "year.json").read_text())
    with Installed().database() as db, db.transaction(asked["partner"]) as tx:
        print(json.dumps({"ending": books.ending(tx), "kinds": dict(tx.rows(_KINDS))}))


if __name__ == "__main__":
    {"prepare": prepare, "ending": ending}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
