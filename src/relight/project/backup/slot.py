"""The server's slot for us, which keeps the log until we have it: made anew where it is of no use.

A server gives up a slot that is too far behind (`max_slot_wal_keep_size`), and one that has taken over from another has
none. What it no longer has is missing for good, and a new base copy is needed; so that is said.
"""

from collections.abc import Callable
from typing import Any, LiteralString

import psycopg

from relight.flow.watch.copies import SLOT
from relight.project.backup.places import BackupFolder
from relight.project.backup.source import Source

Tell = Callable[[str], object]

# One that is lost keeps nothing, nor does one that was made and never used.
_KEPT = (
    "SELECT (restart_lsn - '0/0'::pg_lsn)::bigint FROM pg_replication_slots"
    " WHERE slot_name = %s AND restart_lsn IS NOT NULL AND wal_status <> 'lost'"
)
_DROP = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s"
_MAKE = "SELECT pg_create_physical_replication_slot(%s, true)"  # true: it keeps the log from now on
_SIZES = (
    "SELECT (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'),"
    " (SELECT timeline_id FROM pg_control_checkpoint())"
)
_BYTES_OF_MIDDLE_DIGITS = 1 << 32


def made_ready(source: Source, folder: BackupFolder, tell: Tell) -> int:
    """See that the slot is of use, and that what lies in the folder leads up to it: else the log goes on where the
    server still has it, which is told. The place in the log, in bytes, up to which we have it.

    Raises psycopg.Error; commits nothing that would wait for us.
    """
    with psycopg.connect(source.conninfo, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = local")
        place = _value(connection, _KEPT, SLOT)
        if place is None:
            connection.execute(_DROP, [SLOT])
            connection.execute(_MAKE, [SLOT])
            place = _value(connection, _KEPT, SLOT)
        found = connection.execute(_SIZES).fetchone()
    assert found is not None
    size, timeline = found
    folder.mend(size)
    begins = _segment(place, size, timeline)
    last = folder.last_of_log()
    if last is not None and not _leads_to(folder, begins, before=_segment(max(0, place - size), size, timeline)):
        (folder.wal / f"{begins}.partial").touch(mode=0o600)  # pg_receivewal goes on at the highest that it finds
        tell(
            f"The server has not kept the log after {last}: it goes on at {begins}, and what was in between is missing."
            " A new base copy is needed: run relight backup base."
        )
    return int(place)


def _leads_to(folder: BackupFolder, begins: str, *, before: str) -> bool:
    """Whether nothing is missing between the folder's log and a segment; timelines, the first eight digits, aside."""
    return any(path.name[8:] >= before[8:] for path in folder.segments()) or any(
        path.stem[8:] >= begins[8:] for path in folder.unfinished()
    )


def _segment(place: int, size: int, timeline: int) -> str:
    """The name of the segment in which a place of the log is."""
    high, low = divmod(place // size, _BYTES_OF_MIDDLE_DIGITS // size)
    return f"{timeline:08X}{high:08X}{low:08X}"


def _value(connection: psycopg.Connection[Any], statement: LiteralString, slot: str) -> Any:
    found = connection.execute(statement, [slot]).fetchone()
    return found[0] if found else None
