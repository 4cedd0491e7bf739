"""Where agencies' words and money meet: what they say is taken in, and their money goes in by the only entrance.

Files are read one a transaction. One that is read again, since we were killed before it was put away, changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from psycopg.types.json import Jsonb

from relight.flow.apart import apart
from relight.flow.claims.operations import Received
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Database, Tx
from relight.flow.effects.drivers import DriverRoom, NoDriver
from relight.flow.handover import hearing, settling
from relight.flow.handover.hearing import Heard
from relight.flow.handover.port import HandoverDriver, Letter, Status, StatusRefused, read_status, statuses_in
from relight.flow.handover.settlement_file import Settlement
from relight.flow.handover.settling import Settled
from relight.flow.payments.settle import settle
from relight.flow.road.due import Only, partners
from relight.flow.road.stuck import may_be_one

log = structlog.get_logger(__name__)
_PERSON_WITHIN = timedelta(days=1)
_LOOP = "agencies"


@dataclass(frozen=True, slots=True)
class ReadLetter:
    """A file of an agency: what became of its statuses, and a sentence for each that could not be read or placed."""

    agency: str
    name: str
    heard: Sequence[Heard]
    errors: Sequence[str]


def _take(tx: Tx, source_id: int, row: PaymentRow, now: datetime) -> Received:
    return settle(tx, source_id, [row], now=now).received[0]


def hear_agency(tx: Tx, agency: str, statuses: Sequence[Status], *, way: str, now: datetime) -> list[Heard]:
    """Take in what an agency says; see `hearing.hear`."""
    return hearing.hear(tx, agency, statuses, settle=_take, way=way, now=now)


def settle_agency(tx: Tx, agency: str, found: Settlement, *, file_name: str, now: datetime) -> Settled:
    """Post what an agency settles; see `settling.settle_with`."""
    return settling.settle_with(tx, agency, found, settle=_take, file_name=file_name, now=now)


def read_letter(db: Database, partner_id: int, agency: str, letter: Letter, now: datetime) -> ReadLetter:
    """Read one file of statuses: a line that is wrong is told, and stops no other."""
    statuses, lines, errors = _statuses_of(letter)
    heard, failed = _hear_all(db, partner_id, agency, statuses, now)
    errors += [f"line {lines[status.id]}: {why}" for status, why in failed]
    if errors:
        _ask_a_person(db, partner_id, agency, letter, errors, now)
    errors += [f"line {lines[one.status.id]}: {one.why}" for one in heard if one.why]
    return ReadLetter(agency, letter.name, heard, errors)


def _statuses_of(letter: Letter) -> tuple[list[Status], dict[str, int], list[str]]:
    """What a file says, the line of each message, and what cannot be read."""
    statuses, lines, errors = list[Status](), dict[str, int](), list[str]()
    try:
        found = statuses_in(letter)
    except StatusRefused as refused:
        return statuses, lines, [str(refused)]
    for line, told in found:
        try:
            status = read_status(told)
        except StatusRefused as refused:
            errors.append(f"line {line}: {refused}")
            continue
        statuses.append(status)
        lines.setdefault(status.id, line)
    return statuses, lines, errors


def read_letters(db: Database, room: DriverRoom, now: datetime, only: Only = None) -> list[ReadLetter]:
    """Read what agencies left in the folders of all partners. A file, an agency or a partner whose reading fails stops
    no other; a file that the database could not take in just now stays where it is, for the next time."""
    found: list[ReadLetter] = []
    for partner_id in partners(db, only):
        names: list[str] = []
        with apart(_LOOP, partner_id):
            names = room.names(partner_id, "handover")
        for agency in names:
            with apart(_LOOP, partner_id):
                _read_all(db, room, partner_id, agency, now, found)
    return found


def _read_all(
    db: Database, room: DriverRoom, partner_id: int, agency: str, now: datetime, found: list[ReadLetter]
) -> None:
    """Read one agency's files; what was read is added to `found`."""
    try:
        driver: HandoverDriver = room.get(partner_id, "handover", agency)
        letters = driver.letters()
    except (NoDriver, ValueError, OSError) as wrong:
        log.warning("agency_not_heard", partner=partner_id, agency=agency, error=str(wrong))
        return
    for letter in letters:
        with apart(_LOOP, partner_id):
            try:
                read = _read_or_give_to_person(db, partner_id, agency, letter, now)
            except hearing.UnableToFindAgency as unknown:
                log.warning("agency_not_heard", partner=partner_id, agency=agency, error=str(unknown))
                return  # its files stay where they are until somebody notes the agency
            found.append(read)
            driver.put_away(letter, read.errors)


def _read_or_give_to_person(db: Database, partner_id: int, agency: str, letter: Letter, now: datetime) -> ReadLetter:
    try:
        return read_letter(db, partner_id, agency, letter, now)
    except Exception as error:
        if not _may_be_it(error):
            raise
        log.exception("letter_fails", partner=partner_id, agency=agency)
        errors = [f"it could not be read ({type(error).__name__}); the log tells more"]
        _ask_a_person(db, partner_id, agency, letter, errors, now)
        return ReadLetter(agency, letter.name, [], errors)


def _hear_all(
    db: Database, partner_id: int, agency: str, statuses: Sequence[Status], now: datetime
) -> tuple[list[Heard], list[tuple[Status, str]]]:
    """Take in a file's statuses in one transaction. Where that fails, each in its own: what fails by itself is told."""
    try:
        with db.transaction(partner_id) as tx:
            return hear_agency(tx, agency, statuses, way="file", now=now), []
    except Exception as error:
        if not _may_be_it(error):
            raise
    heard, failed = list[Heard](), list[tuple[Status, str]]()
    for status in statuses:
        try:
            with db.transaction(partner_id) as tx:
                heard += hear_agency(tx, agency, [status], way="file", now=now)
        except Exception as error:
            if not _may_be_it(error):
                raise
            log.exception("status_fails", partner=partner_id, agency=agency)
            failed.append((status, f"it could not be taken in ({type(error).__name__}); the log tells more"))
    return heard, failed


def _may_be_it(error: Exception) -> bool:
    """Whether what we read may be to blame: not where the agency is not noted, or the database or host has a trouble
    of its own."""
    return not isinstance(error, hearing.UnableToFindAgency) and may_be_one(error)


def _as_text(name: str) -> str:
    """A file's name as it can be kept and shown: on the disk it may be any octets."""
    return name.encode("utf-8", "replace").decode()


def _ask_a_person(
    db: Database, partner_id: int, agency: str, letter: Letter, errors: Sequence[str], now: datetime
) -> None:
    params = {"agency": agency, "file": _as_text(letter.name), "detail": "; ".join(errors[:5])}
    with db.transaction(partner_id) as tx:
        tx.run(hearing.SQL.add_loose_task, {
            "partner": partner_id, "code": "agency_unreadable", "params": Jsonb(params), "now": now,
            "due_at": now + _PERSON_WITHIN, "dedup": f"agency_unreadable-{sha256(letter.content).hexdigest()[:24]}",
        })  # fmt: skip
