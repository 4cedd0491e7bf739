"""`relight watch`: what is late or wrong, and what to do about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
import psycopg
import psycopg_pool

from relight.cli.context import installation, partner_id
from relight.cli.output import answer, json_option
from relight.flow.database import Database
from relight.flow.watch.alarms import Urgency, all_alarms
from relight.flow.watch.ready import NoDatabase

_SKEW_SECONDS_MAX = 2
_EXIT = {Urgency.NOW: 2, Urgency.SOON: 1}
_DAY, _HOUR, _MINUTE = 86400, 3600, 60


@dataclass(frozen=True, slots=True)
class _Told:
    """One alarm as it is printed; without a partner it concerns the whole installation."""

    alarm: str
    urgency: Urgency
    what: str
    to_do: str
    partner: str = ""
    count: int = 1
    since: datetime | None = None
    seconds: float | None = None

    def as_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"partner": self.partner, "alarm": self.alarm, "urgency": self.urgency.value, "count": self.count,
                "since": self.since, "what": self.what, "to_do": self.to_do}  # fmt: skip

    def as_text(self) -> str:
        """Two lines for people."""
        of = f"{self.partner}: " if self.partner else ""
        lasts = f"; {_span(self.seconds)} by now" if self.seconds is not None else ""
        return f"{self.urgency.value.upper():4}  {of}{self.what}{lasts}\n      {self.to_do}"


@click.command()
@click.option("--partner", "slug", metavar="SLUG", help="Only this partner; all of them if left out.")
@json_option
def watch(slug: str | None, as_json: bool) -> None:
    """Tell what breaks a promise or a deadline right now, and what to do about it.

    Exit code 0: all is well. 1: somebody should look today. 2: somebody has to look now. Monitoring systems that run
    plug-ins read these as OK, WARNING and CRITICAL.

    Example:  relight watch
    """
    found = _found(slug)
    text = "\n".join(one.as_text() for one in found) or "All is well."
    result = {"ok": not found, "alarms": [one.as_data() for one in found]}
    answer(result, as_json=as_json, text=text)
    raise SystemExit(max((_EXIT[one.urgency] for one in found), default=0))


def _found(slug: str | None) -> list[_Told]:
    """All alarms, those that cannot wait first; only that the database is away, when it is."""
    try:
        with installation().database(size_max=1) as db:
            if slug is not None:
                partner_id(db, slug)  # refuses with the choice
            return _asked(db, slug or "")
    except (NoDatabase, psycopg.OperationalError, psycopg_pool.PoolTimeout) as away:
        why = str(away).strip().split("\n")[0]
        return [
            _Told("database_away", Urgency.NOW, f"the database does not answer: {why}",
                  "Start it or restore the connection; nothing accepted is lost. `relight doctor` tells more.")
        ]  # fmt: skip


def _asked(db: Database, slug: str) -> list[_Told]:
    now = db.clock()
    skew = abs((installation().now() - now).total_seconds())
    told = [
        _Told(one.code, one.urgency, one.what, one.to_do, of.partner, one.count, one.since,
              (now - one.since).total_seconds())
        for of in all_alarms(db, now, only=slug)
        for one in of.alarms
    ]  # fmt: skip
    if skew > _SKEW_SECONDS_MAX:
        text = f"this host's clock is {skew:.0f} seconds from the database's"
        told.append(_Told("clock_skew", Urgency.SOON, text, "Keep both hosts on network time (for instance chrony)."))
    return sorted(told, key=lambda one: one.urgency)


def _span(seconds: float) -> str:
    """ "40 s", "5 min", "3 h", "4 days" """
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.0f} h"
    return f"{seconds / _DAY:.0f} days"
