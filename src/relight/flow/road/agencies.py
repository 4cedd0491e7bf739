"""Where agencies' words and money meet: what they say is taken in, and their money goes in by the only entrance.

Files are read one a transaction. One that is read again, since we were killed before it was put away, changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from psycopg.types.json import Jsonb

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

log = structlog.get_logger(__name__)
_PERSON_WITHIN = timedelta(days=1)


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
    statuses, lines, errors = list[Status](), dict[str, int](), list[str]()
    for line, told in statuses_in(letter):
        try:
            status = read_status(told)
        except StatusRefused as refused:
            errors.append(f"line {line}: {refused}")
            continue
        statuses.append(status)
        lines.setdefault(status.id, line)
    with db.transaction(partner_id) as tx:
        heard = hear_agency(tx, agency, statuses, way="file", now=now)
        if errors:
            _ask_a_person(tx, agency, letter, errors, now)
    errors += [f"line {lines[one.status.id]}: {one.why}" for one in heard if one.why]
    return ReadLetter(agency, letter.name, heard, errors)


def read_letters(db: Database, room: DriverRoom, now: datetime, only: Only = None) -> list[ReadLetter]:
    """Read what agencies left in the folders of all partners."""
    found: list[ReadLetter] = []
    for partner_id in partners(db, only):
        for agency in room.names(partner_id, "handover"):
            try:
                driver: HandoverDriver = room.get(partner_id, "handover", agency)
                found += _read_all(db, partner_id, agency, driver, now)
            except (NoDriver, ValueError, OSError) as wrong:
                log.warning("agency_not_heard", partner=partner_id, agency=agency, error=str(wrong))
    return found


def _read_all(db: Database, partner_id: int, agency: str, driver: HandoverDriver, now: datetime) -> list[ReadLetter]:
    found: list[ReadLetter] = []
    for letter in driver.letters():
        try:
            read = read_letter(db, partner_id, agency, letter, now)
        except hearing.UnableToFindAgency as unknown:
            log.warning("agency_not_heard", partner=partner_id, agency=agency, error=str(unknown))
            return found  # it stays where it is until somebody notes the agency
        driver.put_away(letter, read.errors)
        found.append(read)
    return found


def _ask_a_person(tx: Tx, agency: str, letter: Letter, errors: Sequence[str], now: datetime) -> None:
    params = {"agency": agency, "file": letter.name, "detail": "; ".join(errors[:5])}
    tx.run(hearing.SQL.add_loose_task, {
        "partner": tx.partner_id, "code": "agency_unreadable", "params": Jsonb(params), "now": now,
        "due_at": now + _PERSON_WITHIN, "dedup": f"agency_unreadable-{sha256(letter.content).hexdigest()[:24]}",
    })  # fmt: skip
