"""What people look at: collections with how they went, and the files that were written."""

from datetime import date, datetime
from typing import NamedTuple

from relight.flow.database import Tx, statements
from relight.flow.payments.mandates.noting import Listed, listed

SQL = statements(__package__, "listing.sql")
_LISTED_MAX = 200
_ON_A_PAGE = 8


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


def of_account(tx: Tx, account_id: int) -> tuple[list[Listed], list[Shown]]:
    """An account's mandates and its newest collections, for its page."""
    ref = tx.value(SQL.ref_of, {"account": account_id})
    rows = tx.rows(SQL.of_account, {"account": account_id, "limit": _ON_A_PAGE})
    return listed(tx, ref), [Shown(*row) for row in rows]


def files(tx: Tx) -> list[File]:
    """The files that were written, the newest first."""
    return [File(*row) for row in tx.rows(SQL.files, {"limit": _LISTED_MAX})]
