"""What people look at: collections with how they went, and the files that were written."""

from datetime import date, datetime
from typing import NamedTuple

from relight.flow.database import Tx, statements
from relight.flow.payments.mandates.noting import Listed, listed
from relight.flow.payments.mandates.rules import schemes

SQL = statements(__package__, "listing.sql")
_LISTED_MAX = 200
_ON_A_PAGE, _FILES_MAX = 8, 30
PAGE = 50
SHOWS = {
    "coming": ("planned", "sent"),
    "failed": ("refused", "returned", "unanswered"),
    "collected": ("collected",),
    "called_back": ("called_back",),
}


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
    """A file that was written, by hand or by the worker; since when it lies in its folder, and what was heard of it."""

    message: str
    scheme: str
    kind: str
    collections: int
    amount: int
    written_at: datetime
    written_by: str
    delivered_at: datetime | None
    outcome: str
    told: str


class Row(NamedTuple):
    """A collection of the list that people work with. `told_at`: our message left; `waits`: it is about to."""

    id: int
    account: str
    name: str | None
    case_id: int | None
    bill: str
    scheme: str
    reference: str
    amount: int
    currency: str
    state: str
    collect_date: date
    attempt: int
    reason: str
    retry_date: date | None
    recall: str
    message: str
    told_at: datetime | None
    waits: bool
    announced_by: str
    bank_notifies: bool

    @property
    def we_tell(self) -> bool:
        """Whether a message of ours has to tell the customer."""
        return self.announced_by == "message" and schemes()[self.scheme].creditor_tells(
            bank_notifies=self.bank_notifies
        )


def collections(tx: Tx, *, account: str = "", only_open: bool = False) -> list[Shown]:
    """Collections of an account, or of all; the newest first."""
    given = {"account": account, "open": only_open, "limit": _LISTED_MAX}
    return [Shown(*row) for row in tx.rows(SQL.collections, given)]


def of_account(tx: Tx, account_id: int) -> tuple[list[Listed], list[Shown]]:
    """An account's mandates and its newest collections, for its page."""
    ref = tx.value(SQL.ref_of, {"account": account_id})
    rows = tx.rows(SQL.of_account, {"account": account_id, "limit": _ON_A_PAGE})
    return listed(tx, ref), [Shown(*row) for row in rows]


def work(tx: Tx, *, show: str = "coming", q: str = "", page: int = 1) -> tuple[list[Row], bool]:
    """A page of the collections that stand in a way (`SHOWS`) and whose customer, bill or mandate `q` names; and
    whether there are more."""
    like = "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    given = {"states": list(SHOWS[show]), "q": q, "like": like, "limit": PAGE + 1, "offset": (page - 1) * PAGE}
    rows = [Row(*row) for row in tx.rows(SQL.work, given)]
    return rows[:PAGE], len(rows) > PAGE


def counts(tx: Tx) -> dict[str, int]:
    """How many collections stand in each way of `SHOWS`."""
    by_state = dict(tx.rows(SQL.counts))
    return {show: sum(by_state.get(state, 0) for state in states) for show, states in SHOWS.items()}


def files(tx: Tx) -> list[File]:
    """The files that were written, the newest first."""
    return [File(*row) for row in tx.rows(SQL.files, {"limit": _FILES_MAX})]
