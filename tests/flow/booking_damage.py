"""Damaged bank files, all the way to the books. By hand so many copies of each file, on a server of its own:

python -m tests.flow.booking_damage 25000 bench/results/2026-11-26-booked.json

What was booked so far is kept there every five hundred copies, and a run that was interrupted goes on from it.
"""

import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from relight.flow.claims.errors import UnableToImport
from relight.flow.database import Database
from relight.flow.road.report import Report
from tests.flow.banking import Bank
from tests.flow.conftest import make_partner, migrated
from tests.unit.payments.files.damage import FILES, damaged

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SUMS = "SELECT amount, state, count(*) FROM payment GROUP BY 1, 2 ORDER BY 1"
NAMED = "SELECT ref, amount, state, count(*) FROM payment GROUP BY 1, 2, 3 ORDER BY 1"
_ON_ONE_SERVER = 500
_WHOLE_EVERY = 10  # copies after which the good file comes too

Sums = dict[tuple[int, str], int]


class Damage:
    """One file and what the bank said in it; each copy is taken in by a partner of its own."""

    def __init__(self, db: Database, owner: psycopg.Connection, now: datetime, folder: Path, name: str):
        self.db, self.owner, self.now, self.folder = db, owner, now, folder
        self.format, self.good = FILES[name]
        whole = self._bank()
        whole.sends(self.good, self.format)
        self.said, self.named = _sums(whole), whole.rows(NAMED)

    def book(self, seed: int, *, whole: bool) -> Report | None:
        """Take a damaged copy in, None where it is refused. AssertionError when something else was booked than the
        bank said, or, with `whole`, when the copy again and then the good file do not leave what the good one says:
        each payment once, and of the copy's own only what it had booked under a name that the bank never gave.
        """
        bank, copy = self._bank(), damaged(self.good, seed)
        first = _taken_in(bank, copy, self.format)
        booked = _sums(bank)
        assert all(count <= self.said.get(sum_, 0) for sum_, count in booked.items()), (seed, booked)
        assert sum(booked.values()) == (first.accepted if first else 0), (seed, booked)
        if whole:
            names = {row[0] for row in self.named}
            misnamed = [row for row in bank.rows(NAMED) if row[0] not in names]
            again = _taken_in(bank, copy, self.format)
            bank.sends(self.good, self.format)
            assert again is None or again.accepted == 0, seed
            found = bank.rows(NAMED)
            assert [row for row in found if row[0] in names] == self.named, (seed, found)
            assert [row for row in found if row[0] not in names] == misnamed, (seed, found)
        return first

    def _bank(self) -> Bank:
        return Bank(self.db, make_partner(self.owner, self.now), self.now, self.folder)


def _taken_in(bank: Bank, content: bytes, format: str) -> Report | None:
    try:
        return bank.sends(content, format)
    except UnableToImport:
        return None


def _sums(bank: Bank) -> Sums:
    return {(amount, state): count for amount, state, count in bank.rows(SUMS)}


def main(copies: int, kept: Path) -> None:
    """So many copies of each file; the first wrong booking ends the run with its seed."""
    told: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {"seconds": 0.0, "files": {}}
    for name, at in itertools.product(FILES, range(0, copies, _ON_ONE_SERVER)):
        found = Counter(told["files"].get(name, {}))
        if found["copies"] > at:
            continue
        begun = time.monotonic()
        found += _some(name, range(at, min(at + _ON_ONE_SERVER, copies)))
        told["files"][name] = dict(found)
        told["seconds"] = round(told["seconds"] + time.monotonic() - begun, 1)
        told["copies"] = sum(one["copies"] for one in told["files"].values())
        kept.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
        print(f"{name}: {found['copies']:,} of {copies:,}", flush=True)


def _some(name: str, seeds: range) -> Counter[str]:
    told: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        migrated() as urls,
        psycopg.connect(urls["owner"], autocommit=True) as owner,
        Database(urls["app"], name="relight-damage") as db,
    ):
        damage = Damage(db, owner, NOW, Path(folder), name)
        for seed in seeds:
            found = damage.book(seed, whole=seed % _WHOLE_EVERY == 0)
            told["copies"] += 1
            told["refused"] += found is None
            told["payments_booked"] += found.accepted if found else 0
            told["rows_rejected"] += found.rejected if found else 0
    return told


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
