"""Alarms: what breaks an invariant or a deadline, told from what is stored, and what to do about each.

They are asked for, never kept: an alarm is there for as long as its reason is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from relight.flow.database import Database, statements
from relight.flow.watch import copies

SQL = statements(__package__, "alarms.sql")


class Urgency(StrEnum):
    """How soon somebody has to look."""

    NOW = "now"  # a household waits, or something that must never happen has
    SOON = "soon"  # a deadline has passed that somebody counts on


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of alarm: `what` is wrong, for `{count}`; `to_do` is what helps."""

    urgency: Urgency
    what: str
    to_do: str


KINDS: Mapping[str, Kind] = {
    "restore_overdue": Kind(
        Urgency.NOW,
        "{count} paid for and not back after a minute",
        "See that an urgent worker runs (`relight worker --lane urgent`) and that the devices' system answers; the"
        " console's case tells the last attempt.",
    ),
    "restore_failed": Kind(
        Urgency.NOW,
        "{count} could not be given back and wait for a person",
        "Open the urgent tasks in the console, give the service back by other means, and close the task.",
    ),
    "case_stuck": Kind(
        Urgency.NOW,
        "{count} cases cannot be decided, or what they decided cannot leave",
        "Open the urgent tasks in the console: see whether the customer has paid and lacks the service, give it back by"
        " other means, and close the task. The worker's log tells the error, by case (`case_stuck`): report it. The"
        " case is tried again every quarter of an hour, and holds up no other.",
    ),
    "urgent_waits": Kind(
        Urgency.NOW,
        "{count} urgent decisions or commands have waited for half a minute",
        "No worker serves the urgent lane, or the database is slow: start `relight worker --lane urgent`, and look at"
        " relight_turn_seconds.",
    ),
    "sequencer_stopped": Kind(
        Urgency.NOW,
        "the feed has given no position for a minute",
        "No worker serves the bulk lane, which gives positions: start `relight worker --lane bulk`. Nothing is lost.",
    ),
    "audit_violation": Kind(
        Urgency.NOW,
        "an audit found {count} violations",
        "Run `relight audit` and read what it names. If cuts are in it, `relight stop` first: restores go on."
        " An audit of everything that finds nothing ends this alarm.",
    ),
    "task_urgent_late": Kind(
        Urgency.NOW,
        "{count} urgent tasks are an hour late",
        "Open the urgent tasks in the console; each says what it waits for.",
    ),
    "effect_unknown": Kind(
        Urgency.SOON,
        "of {count} attempts nobody has seen the end for half an hour",
        "The driver does not answer: see its system, then its lines in the log. What may be repeated is repeated.",
    ),
    "bulk_waits": Kind(
        Urgency.SOON,
        "{count} cases or messages have been due for half an hour",
        "Start one more worker, or look for a slow driver in relight_driver_seconds.",
    ),
    "source_stale": Kind(
        Urgency.SOON,
        "{count} sources of money data are not up to date",
        "Take in the bank's newest file; until then nothing is warned of or cut.",
    ),
    "import_unfinished": Kind(
        Urgency.SOON,
        "{count} imports were begun and not finished",
        "Start the same import again: what was taken in counts once.",
    ),
    "payments_unmatched": Kind(
        Urgency.SOON,
        "{count} payments have lain on no account for three days",
        "Place them in the console under Payments, or with `relight payments`.",
    ),
    "task_late": Kind(
        Urgency.SOON,
        "{count} tasks are a day late",
        "Open the tasks in the console, the latest first.",
    ),
    "reader_behind": Kind(
        Urgency.SOON,
        "{count} readers of the feed are a day behind",
        "Tell whoever reads there; what they have not read stays where it is.",
    ),
    "audit_old": Kind(
        Urgency.SOON,
        "nothing has been audited for a day and a half",
        "Workers of the bulk lane make it every night by themselves (docs/running.md tells when): see that one runs,"
        " and look for `audited` in its log. `relight audit` makes it now.",
    ),
    "backup_old": Kind(
        Urgency.SOON,
        "no base copy of the database has been made for a day and a half",
        "Make one, and see why none came by itself: `systemctl start relight-backup-base`, or `relight backup base"
        " FOLDER`. Where backups are made by other means, set RELIGHT_BACKUP to nothing (docs/installing.md).",
    ),
    "backup_log_old": Kind(
        Urgency.SOON,
        "the log of commits has not been written down for a quarter of an hour",
        "See why: `systemctl status relight-backup`, and its log; or start `relight backup stream FOLDER`. Then run"
        " `relight backup check FOLDER`: it tells when a new base copy is needed. Where backups are made by other"
        " means, set RELIGHT_BACKUP to nothing (docs/installing.md), and drop the slot relight_backup.",
    ),
    "stopped": Kind(
        Urgency.SOON,
        "messages and cuts have been stopped for a day",
        "If the reason is gone, `relight resume` lets them go on.",
    ),
}

# Of these there is one for the whole installation, and none by partner.
OF_INSTALLATION = frozenset({"backup_old", "backup_log_old"})

AFTER: Mapping[str, timedelta] = {
    "restore": timedelta(seconds=60),
    "urgent": timedelta(seconds=30),
    "bulk": timedelta(minutes=30),
    "unknown": timedelta(minutes=30),
    "lease": timedelta(minutes=2),
    "import": timedelta(hours=1),
    "reader": timedelta(days=1),
    "unmatched": timedelta(days=3),
    "feed": timedelta(seconds=60),
    "task_urgent": timedelta(hours=1),
    "task": timedelta(days=1),
    "audit": timedelta(hours=36),
    "backup": timedelta(hours=36),
    "backup_log": timedelta(minutes=15),
    "stopped": timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """So much of one kind is wrong at a partner, the oldest of it since a moment."""

    code: str
    count: int
    since: datetime

    @property
    def urgency(self) -> Urgency:
        """How soon somebody has to look."""
        return KINDS[self.code].urgency

    @property
    def what(self) -> str:
        """What is wrong, in a few words."""
        return KINDS[self.code].what.format(count=self.count)

    @property
    def to_do(self) -> str:
        """What helps."""
        return KINDS[self.code].to_do


@dataclass(frozen=True, slots=True)
class PartnerAlarms:
    """One partner's alarms, those that cannot wait first; without a partner those of the installation."""

    partner: str
    alarms: tuple[Alarm, ...]


def question(partner_id: int, now: datetime) -> dict[str, Any]:
    """What `SQL.alarms` is asked with; its rows go to `answer`. The transaction sees the partner's rows."""
    return {"partner": partner_id, "now": now, **AFTER}


def answer(rows: list[tuple[Any, ...]]) -> tuple[Alarm, ...]:
    """The alarms in the rows of `SQL.alarms`, those that cannot wait first."""
    found = [Alarm(code, int(count), since) for code, count, since in rows if count]
    return tuple(sorted(found, key=lambda alarm: (alarm.urgency, list(KINDS).index(alarm.code))))


def of_installation(slots: Sequence[tuple[Any, ...]], now: datetime) -> tuple[Alarm, ...]:
    """What is wrong with the installation itself, whomever it serves; `slots` are the rows of `SQL.log_slot`, which
    needs no parameters."""
    slot = copies.Slot(*slots[0]) if slots else None
    since = {"backup": copies.none_since(), "backup_log": copies.no_log_since(slot)}
    return tuple(Alarm(f"{of}_old", 1, at) for of, at in since.items() if at is not None and at <= now - AFTER[of])


def all_alarms(db: Database, now: datetime, *, only: str = "") -> list[PartnerAlarms]:
    """The installation's alarms, then every partner's, each asked behind its own wall; with a slug that partner's."""
    with db.transaction(None) as tx:
        partners = tx.rows("SELECT id, slug FROM partner WHERE %(only)s IN ('', slug) ORDER BY slug", {"only": only})
        told = [] if only else [PartnerAlarms("", of_installation(tx.rows(SQL.log_slot), now))]
    for partner_id, slug in partners:
        with db.transaction(partner_id) as tx:
            told.append(PartnerAlarms(slug, answer(tx.rows(SQL.alarms, question(partner_id, now)))))
    return told
