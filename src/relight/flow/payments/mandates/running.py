"""Collections run by themselves: each day's plan, the files when they are due, their delivery, and what comes back.

Each stage is a transaction of its own and may be cut off anywhere. A file is ordered by its commit and lies in the
folder under its message: what was ordered and not delivered is delivered by the next pass, the same to the last byte.
No file leaves while the partner is in shadow or stopped.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from psycopg.types.json import Jsonb

from relight.core.spans import Span, Unit
from relight.core.windows import local_date
from relight.flow.apart import apart
from relight.flow.cases.errors import UnableTo
from relight.flow.claims.errors import UnableToImport
from relight.flow.database import Database, Tx
from relight.flow.partners.stopping import heed_stops
from relight.flow.payments.files.pain002 import read_receipt
from relight.flow.payments.mandates import (
    agreeing,
    announcing,
    answering,
    calendar,
    days,
    folder,
    hearing,
    planning,
    writing,
)
from relight.flow.payments.mandates.calendar import SQL, Setting
from relight.flow.payments.mandates.planning import Place, place_of
from relight.flow.payments.mandates.rules import schemes
from relight.telemetry import metrics

log = structlog.get_logger(__name__)
_WITHIN = timedelta(hours=12)
_REFUSED = "RJCT"


@dataclass(slots=True)
class Ran:
    """What a pass came to."""

    planned: int = 0
    ordered: int = 0
    recalled: int = 0
    delivered: list[str] = field(default_factory=list[str])
    read: list[str] = field(default_factory=list[str])


def run(db: Database, partner_id: int, *, now: datetime) -> Ran:
    """One pass over a partner's calendars. The same again changes nothing."""
    ran = Ran()
    with db.transaction(partner_id) as tx:
        found = calendar.settings(tx)
        place, at_work = place_of(tx, now), bool(tx.value(SQL.at_work, {"partner": partner_id}))
    if not found:
        return ran
    for one in found:
        _read_answers(db, partner_id, one, now=now, ran=ran)
    planning.back_what_lapsed(db, partner_id, now=now)
    _plan(db, partner_id, found, place, now=now, ran=ran)
    _tell_again(db, partner_id, now=now)
    for one in found:
        if at_work and one.is_on and _is_open(one, place, now):
            _order(db, partner_id, one, now=now, ran=ran)
        if at_work:
            _deliver(db, partner_id, one, now=now, ran=ran)
        _miss(db, partner_id, one, place, now=now)
    return ran


def run_all(db: Database, now: datetime, only: Collection[int] | None = None) -> list[Ran]:
    """One pass over all partners' calendars, among `only`; what is wrong with one stops no other."""
    with db.transaction(None) as tx:
        partners = [row[0] for row in tx.rows(SQL.partners)]
    ran: list[Ran] = []
    for partner_id in partners:
        if only is None or partner_id in only:
            with apart("collections", partner_id):
                ran.append(run(db, partner_id, now=now))
    return ran


def _is_open(one: Setting, place: Place, now: datetime) -> bool:
    """Files are written on days on which the scheme works, from the calendar's hour on."""
    return days.is_open(place.calendar, schemes()[one.scheme], place.today) and (
        now.astimezone(place.zone).hour >= one.from_hour
    )


def _plan(db: Database, partner_id: int, found: list[Setting], place: Place, *, now: datetime, ran: Ran) -> None:
    """Once a day, from the first calendar's hour on: end what nobody answered, and plan."""
    due = [one for one in found if one.is_on and one.planned_on != place.today]
    if not due or now.astimezone(place.zone).hour < min(one.from_hour for one in due):
        return
    answering.sweep(db, partner_id, now=now)
    for one in due:
        late = partial(writing.give_up_late, scheme_name=one.scheme, now=now)
        planning.in_batches(db, partner_id, writing.SQL.waiting, {"scheme": one.scheme}, late)
    ran.planned += planning.plan(db, partner_id, now=now).planned
    with db.transaction(partner_id) as tx:
        tx.run(SQL.planned, {"today": place.today})


def _tell_again(db: Database, partner_id: int, *, now: datetime) -> None:
    """What reached nobody goes out on the next channel."""

    def again(tx: Tx, accounts: Sequence[int]) -> None:
        announcing.announce(tx, accounts, now=now)

    given = {"accounts": None, "now": now, **announcing.scope()}
    planning.in_batches(db, partner_id, announcing.SQL.to_tell, given, again)


def _order(db: Database, partner_id: int, one: Setting, *, now: datetime, ran: Ran) -> None:
    """Order what is due, and call back what was paid, each in a file of its own; one worker at a time."""
    try:
        with db.transaction(partner_id) as tx:
            if not _may(tx, one):
                return
            written = writing.order(tx, one.scheme, now=now, until=place_of(tx, now).today, by="worker")
            recalled = writing.recall(tx, one.scheme, now=now, by="worker")
            tx.run(SQL.done, {"dedups": [f"stuck-{one.scheme}"], "now": now})
    except UnableTo as refused:
        log.warning("collections_stuck", partner=partner_id, scheme=one.scheme, error=str(refused))
        with db.transaction(partner_id) as tx:
            _ask(tx, "collection_file_stuck", f"stuck-{one.scheme}", now, scheme=one.scheme, detail=str(refused))
        return
    ran.ordered += written.collections if written else 0
    ran.recalled += recalled.collections if recalled else 0


def _may(tx: Tx, one: Setting) -> bool:
    """Whether files may leave, until the commit, and nobody else is at them: a stop may have come meanwhile."""
    heed_stops(tx)
    at_work = tx.value(SQL.at_work, {"partner": tx.partner_id})
    return bool(at_work) and tx.row(SQL.my_turn, {"scheme": one.scheme}) is not None


def _deliver(db: Database, partner_id: int, one: Setting, *, now: datetime, ran: Ran) -> None:
    """Put into the folder what was ordered and does not lie there; noted once it does."""
    with db.transaction(partner_id) as tx:
        if not _may(tx, one):
            return
        for file, message in tx.rows(SQL.undelivered, {"scheme": one.scheme}):
            try:
                place = folder.put(Path(one.folder), one.scheme, message, writing.again(tx, message).content)
            except OSError as refused:
                log.warning("collections_stuck", partner=partner_id, scheme=one.scheme, error=str(refused))
                _ask(tx, "collection_file_stuck", f"undelivered-{one.scheme}", now, scheme=one.scheme,
                     file=message, detail=f"{one.folder}: {refused.strerror or refused}")  # fmt: skip
                return
            given = {"partner": partner_id, "file": file, "place": str(place), "now": now}
            tx.run(SQL.delivered, given)
            ran.delivered.append(str(place))
        tx.run(SQL.done, {"dedups": [f"undelivered-{one.scheme}"], "now": now})


def _miss(db: Database, partner_id: int, one: Setting, place: Place, *, now: datetime) -> None:
    """A person asks after a file of which the other side has said nothing in its days."""
    if not one.receipt_days:
        return
    scheme = schemes()[one.scheme]
    with db.transaction(partner_id) as tx:
        for message, kind, at in tx.rows(SQL.unheard, {"scheme": one.scheme, "before": now}):
            span = Span(one.receipt_days, Unit.WORKING_DAYS)
            if days.after(place.calendar, scheme, local_date(at, place.zone), span) < place.today:
                dedup = f"unheard-{message}"
                _ask(tx, "collection_file_unheard", dedup, now, scheme=one.scheme, kind=kind, detail=message)


def _read_answers(db: Database, partner_id: int, one: Setting, *, now: datetime, ran: Ran) -> None:
    """Take in what the other side left: a bank's status, AvtaleGiro's agreements, Betalingsservice's word."""
    for path in folder.answers(Path(one.folder)):
        try:
            _read(db, partner_id, one.scheme, path, now=now)
        except UnableToImport as wrong:
            log.warning("collections_unread", partner=partner_id, error=type(wrong).__name__)
            _not_read(db, partner_id, one.scheme, path, str(wrong), now=now)
        except (ValueError, LookupError) as bug:  # a file that we do not understand holds up no other
            log.exception("collections_unread", partner=partner_id, error=type(bug).__name__)
            metrics.failed("collections", type(bug).__name__)
            _not_read(db, partner_id, one.scheme, path, "It is not as we know such files.", now=now)
        folder.put_away(path)
        ran.read.append(path.name)


def _not_read(db: Database, partner_id: int, scheme: str, path: Path, why: str, *, now: datetime) -> None:
    with db.transaction(partner_id) as tx:
        _ask(tx, "collection_answer_unread", f"unread-{scheme}-{path.name}", now, file=path.name, detail=why)


def _read(db: Database, partner_id: int, scheme: str, path: Path, *, now: datetime) -> None:
    if scheme == "avtalegiro":
        agreeing.import_agreements(db, partner_id, path, now=now)
        return
    if scheme == "betalingsservice":
        _read_betalingsservice(db, partner_id, path, now=now)
        return
    hearing.import_answers(db, partner_id, path, format="pain002", now=now)
    message, status = read_receipt(path)
    if not message or not status:
        return
    with db.transaction(partner_id) as tx:
        if tx.value(SQL.is_ours, {"message": message}):
            calendar.hear(tx, message=message, accepted=status != _REFUSED, told=status, actor=path.name, now=now)


def _read_betalingsservice(db: Database, partner_id: int, path: Path, *, now: datetime) -> None:
    """Its deliveries 0602 and 0603, or its word as a table."""
    with path.open("rb") as file:
        start = file.read(20)
    if start[16:20] == b"0603":
        agreeing.import_agreements(db, partner_id, path, now=now, scheme="betalingsservice")
        return
    told = "bs0602" if start.startswith(b"BS002") else "csv"
    hearing.import_answers(db, partner_id, path, format=told, now=now)


def _ask(tx: Tx, code: str, dedup: str, now: datetime, **params: str) -> None:
    given = {"partner": tx.partner_id, "code": code, "dedup": dedup, "params": Jsonb(params)}
    tx.run(SQL.ask, {**given, "now": now, "due": now + _WITHIN})
