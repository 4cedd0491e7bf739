"""What people look at: collections with how they went, and the files that were written."""

from datetime import date, datetime
from typing import NamedTuple

from relight.flow.database import Tx, statements

SQL = statements(__package__, "listing.sql")
_LISTED_MAX = 200


class Shown(NamedTuple):
    """A collection as people read it; `amount` in minor units."""

    id: int
    account: str
    bill: str
    scheme: str
    amount: int
    currency: str
    state: str
    collect_date: date
    attempt: int
    ref: str
    reason: str
    retry_date: date | None
    recall: str
    message: str


class File(NamedTuple):
    """A file that was written."""

    message: str
    scheme: str
    kind: str
    collections: int
    amount: int
    written_at: datetime


def collections(tx: Tx, *, account: str = "", only_open: bool = False) -> list[Shown]:
    """Collections of an account, or of all; the newest first."""
    given = {"account": account, "open": only_open, "limit": _LISTED_MAX}
    return [Shown(*row) for row in tx.rows(SQL.collections, given)]


def files(tx: Tx) -> list[File]:
    """The files that were written, the newest first."""
    return [File(*row) for row in tx.rows(SQL.files, {"limit": _LISTED_MAX})]
