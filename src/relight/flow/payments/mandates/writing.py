"""The files that order collections, and that call back what was paid meanwhile: written once, and again by their name.

The caller owns the transaction.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from relight.core.windows import local_date
from relight.flow.cases.errors import UnableToFind
from relight.flow.cases.operations import lock_accounts, locked_at, wake
from relight.flow.database import Tx, statements
from relight.flow.payments.files.avtalegiro import avtalegiro
from relight.flow.payments.files.betalingsservice import withdrawn
from relight.flow.payments.files.bs_delivery import delivery
from relight.flow.payments.files.ordered import Ordered
from relight.flow.payments.files.pain008 import blocks_of, camt055, pain008
from relight.flow.payments.mandates import days
from relight.flow.payments.mandates.noting import UnableToCollect
from relight.flow.payments.mandates.planning import Place, Planned, place_of, take_back
from relight.flow.payments.mandates.rules import Scheme, schemes
from relight.flow.payments.mandates.withdrawing import SQL as BACK
from relight.flow.payments.mandates.withdrawing import Gone, tell, withdraw

SQL = statements(__package__, "writing.sql")
_LAST_MONTH_DAYS = 31  # a mandate that ends so soon after a collection has had its last one


class Written(NamedTuple):
    """A file: its message, what it holds, how many collections and their sum in minor units."""

    message: str
    content: bytes
    collections: int
    amount: int


class _Due(NamedTuple):
    id: int
    collect_date: date
    amount: int
    is_once: bool
    ends_on: date | None
    mandate_id: int
    used: bool
    hold_id: int
    account_id: int
    claim_id: int
    bank_notifies: bool
    announced_by: str
    told_at: datetime | None


def order(tx: Tx, scheme_name: str, *, now: datetime, until: date | None = None, by: str = "hand") -> Written | None:
    """Order what is planned, in a file; None where nothing is. What was paid by now is not ordered, nor what its
    customer has not been told of in time; with `until`, only what is to leave up to that day. `by` is hand or worker.

    A collection whose day is too near is asked for on the first day that can still be. Raises `UnableToCollect`.
    """
    scheme, place = schemes()[scheme_name], place_of(tx, now)
    on = None if until is None else _days_up_to(tx, scheme, place, until)
    if on == []:
        return None  # and nobody's account was locked to find that out
    accounts = _locked(tx, scheme_name, SQL.lock_planned, days=on)
    take_back(tx, place, now=now, told=Planned(), accounts=accounts)
    due = _in_time(tx, _planned(tx, scheme, accounts, on), scheme, place, now)
    if not due:
        return None
    if nameless := [row[0] for row in tx.rows(SQL.nameless, {"scheme": scheme_name})]:
        names = ", ".join(nameless)
        raise UnableToCollect(
            f"Note first what {scheme_name} calls {names} (relight mandate creditor), and give each a bank account."
        )
    file, number, message = _make_file(tx, scheme_name, "order", due, now, by)
    _write_down(tx, due, scheme, place, file=file, now=now)
    ordered = blocks_of(_ordered(tx, file, "order"), message)
    tx.run(SQL.name_blocks, {"refs": [one.ref for one in ordered], "blocks": [one.block for one in ordered]})
    ordered = _ordered(tx, file, "order")  # in the order in which it would be written again
    return Written(message, _content(tx, scheme_name, "order", ordered, number, message, now), len(due), _sum(due))


def recall(tx: Tx, scheme_name: str, *, now: datetime, by: str = "hand") -> Written | None:
    """Call back what was paid meanwhile, in a file; None where nothing is to be called back. What is too late for it
    comes, and is credit."""
    scheme, place = schemes()[scheme_name], place_of(tx, now)
    accounts = _locked(tx, scheme_name, SQL.lock_wanted_back)
    take_back(tx, place, now=now, told=Planned(), accounts=accounts)
    rows = tx.rows(SQL.wanted_back, {"scheme": scheme_name})
    late = [row[0] for row in rows if days.last_to_recall(place.calendar, scheme, row[1]) < place.today]
    tx.run(SQL.too_late, {"collections": late})
    found = [row for row in rows if row[0] not in set(late)]
    if not found:
        return None
    count, amount = len(found), sum(row[4] for row in found)
    given = {"partner": tx.partner_id, "scheme": scheme_name, "count": count, "amount": amount, "now": now, "by": by}
    file, number, message = tx.rows(SQL.make_file, {**given, "kind": "recall", "letter": "X"})[0]
    tx.run(SQL.recall, {"collections": [row[0] for row in found], "file": file, "now": now})
    tx.run(BACK.let_go, {"holds": [row[2] for row in found], "now": now})
    tell(tx, [(row[3], "collection_called_back", {"amount": row[4]}) for row in found], now)
    wake(tx, accounts, now, urgent=False)
    ordered = _ordered(tx, file, "recall")
    return Written(message, _content(tx, scheme_name, "recall", ordered, number, message, now), count, amount)


def give_up_late(tx: Tx, accounts: Sequence[int], *, scheme_name: str, now: datetime) -> None:
    """Take those back whose customers can no longer be told in time, so that the next plan finds them another day."""
    scheme, place = schemes()[scheme_name], place_of(tx, now)
    now = locked_at(tx, accounts, now)
    _in_time(tx, _planned(tx, scheme, accounts, None), scheme, place, now)


def again(tx: Tx, message: str) -> Written:
    """The file of a message as it was written, for one that was lost on its way. Raises `UnableToFind`."""
    found = tx.row(SQL.file, {"message": message})
    if found is None:
        raise UnableToFind(f"No file was written under {message!r}.")
    file, scheme, kind, number, at = found
    ordered = _ordered(tx, file, kind)
    content = _content(tx, scheme, kind, ordered, number, message, at)
    return Written(message, content, len(ordered), sum(one.amount for one in ordered))


def _in_time(tx: Tx, planned: Sequence[_Due], scheme: Scheme, place: Place, now: datetime) -> list[_Due]:
    """Those whose customers were told in time, of the very day. For the others that cannot be any more, another day is
    found with the next plan; some are only waiting for their message."""
    due: list[_Due] = []
    late: list[_Due] = []
    for one in planned:
        first = _first_day(one, scheme, place)
        can_be = days.collect_on(place.calendar, scheme, today=place.today, not_before=one.collect_date)
        if not _is_told_by_us(one, scheme) or (first is not None and first <= one.collect_date == can_be):
            due.append(one)
        elif first is not None or can_be > one.collect_date:
            late.append(one)
    gone = [Gone(one.id, one.account_id, one.claim_id, one.amount, one.hold_id) for one in late]
    withdraw(tx, gone, why="not_announced", now=now)
    return due


def _is_told_by_us(one: _Due, scheme: Scheme) -> bool:
    return one.announced_by == "message" and scheme.creditor_tells(bank_notifies=one.bank_notifies)


def _first_day(one: _Due, scheme: Scheme, place: Place) -> date | None:
    """The first day for which the customer was told in time; None while no message has arrived."""
    if one.told_at is None:
        return None
    return days.told_long_enough(place.calendar, scheme, local_date(one.told_at, place.zone))


def _days_up_to(tx: Tx, scheme: Scheme, place: Place, until: date) -> list[date]:
    """The days of planned collections whose file is to leave up to a day."""
    found = [row[0] for row in tx.rows(SQL.planned_days, {"scheme": scheme.name})]
    return [day for day in found if days.file_day(place.calendar, scheme, day) <= until]


def _planned(tx: Tx, scheme: Scheme, accounts: Sequence[int], on: Sequence[date] | None) -> list[_Due]:
    given = {"scheme": scheme.name, "accounts": list(accounts), "days": on}
    return [_Due(*row) for row in tx.rows(SQL.planned, given)]


def _locked(tx: Tx, scheme: str, whose: str, **given: Any) -> list[int]:
    tx.rows(SQL.in_turn, {"scheme": scheme})
    accounts = [row[0] for row in tx.rows(whose, {"scheme": scheme, **given})]
    lock_accounts(tx, accounts)
    return accounts


def _sum(due: Sequence[_Due]) -> int:
    return sum(one.amount for one in due)


def _make_file(tx: Tx, scheme: str, kind: str, due: Sequence[_Due], now: datetime, by: str) -> tuple[Any, ...]:
    given = {"partner": tx.partner_id, "scheme": scheme, "kind": kind, "letter": "C", "now": now, "by": by}
    return tx.rows(SQL.make_file, {**given, "count": len(due), "amount": _sum(due)})[0]


def _write_down(tx: Tx, due: Sequence[_Due], scheme: Scheme, place: Place, *, file: int, now: datetime) -> None:
    """They are ordered now: each with its day, until when it may settle, and its place in the mandate's row."""
    on = [days.collect_on(place.calendar, scheme, today=place.today, not_before=one.collect_date) for one in due]
    collections = [one.id for one in due]
    given = {
        "collections": collections,
        "days": on,
        "untils": [place.until(scheme, day) for day in on],
        "sequences": _sequences(due, on) if scheme.name == "sepa" else [""] * len(due),
    }
    tx.run(SQL.order, {**given, "file": file, "now": now})
    tx.run(SQL.longer_holds, {"collections": collections})


def _sequences(due: Sequence[_Due], on: Sequence[date]) -> list[str]:
    """Once, first, recurring or last: of a mandate's several in one file the earliest may be first, the latest last."""
    seen: set[int] = set()
    last = {one.mandate_id: one.id for one in due}
    told: list[str] = []
    for one, day in zip(due, on, strict=True):
        ends = (
            one.ends_on is not None and (one.ends_on - day).days <= _LAST_MONTH_DAYS and last[one.mandate_id] == one.id
        )
        if one.is_once:
            told.append("OOFF")
        elif ends:
            told.append("FNAL")
        else:
            told.append("RCUR" if one.used or one.mandate_id in seen else "FRST")
        seen.add(one.mandate_id)
    return told


def _ordered(tx: Tx, file: int, kind: str) -> list[Ordered]:
    return [Ordered(*row) for row in tx.rows(SQL.ordered, {"file": file, "kind": kind})]


def _content(
    tx: Tx, scheme: str, kind: str, ordered: Sequence[Ordered], number: int, message: str, at: datetime
) -> bytes:
    try:
        if scheme == "avtalegiro":
            return avtalegiro(ordered, number=number, deletion=kind == "recall")
        if scheme == "betalingsservice":
            return delivery(ordered, number=number, at=at) if kind == "order" else withdrawn(ordered)
        write: Callable[..., bytes] = pain008 if kind == "order" else camt055
        sender = tx.value(SQL.sender, {"partner": tx.partner_id})
        return write(ordered, message_id=message, sender=sender, at=at)
    except ValueError as wrong:
        raise UnableToCollect(f"{wrong}.") from wrong
