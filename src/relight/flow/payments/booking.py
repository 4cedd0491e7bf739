"""Rows of payment files find their way: what a provider told before counts once, what went back takes its payment back.

All the rest is settled as it stands. The caller owns the transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from relight.flow.claims.rows import PaymentRow
from relight.flow.claims.sources import provider_source
from relight.flow.database import Tx, statements
from relight.flow.payments.mandates import answering as mandates
from relight.flow.payments.mandates.answering import NO_REASON, Came, Failure, Named
from relight.flow.payments.operations import SQL as PAYMENTS
from relight.flow.payments.operations import TASK_DUE
from relight.flow.payments.rows import Booking, ReadPayment
from relight.flow.payments.settle import settle

SQL = statements(__package__, "booking.sql")

# A shorter text may well be somebody's invoice number.
PROVIDER_REF_CHARACTERS_MIN = 8
_MONEY = ("confirmed", "booked")
_NOT_COLLECTED = ("planned", "sent", "unanswered", "called_back")


class Booked(NamedTuple):
    """What became of a row. `refused` is a sentence; `is_other`: it is no payment of its own after all."""

    payment_id: int | None
    account_id: int | None
    moved: bool
    refused: str = ""
    is_other: bool = False


class _Row(NamedTuple):
    at: int
    row: PaymentRow
    booking: Booking | None


class _Told(NamedTuple):
    """Who told it, and when."""

    source_id: int
    source_name: str
    now: datetime
    run_id: int | None


class _Before(NamedTuple):
    """A booking that was taken in before, and the payment that it is or takes back."""

    source_id: int
    payment_id: int | None
    account_id: int | None


class _Known(NamedTuple):
    """A payment or an order of ours at a provider."""

    ref: str
    provider: str
    account_ref: str
    amount: int
    currency: str


def book(
    tx: Tx, source_id: int, found: Sequence[ReadPayment], *, now: datetime, run_id: int | None = None
) -> list[Booked]:
    """Take in the rows of a file; one answer a row, in order. Every one of `found` must have its `row`."""
    rows = [_Row(at, one.row, one.booking) for at, one in enumerate(found) if one.row is not None]
    assert len(rows) == len(found)
    told = _Told(source_id, tx.value(SQL.source_name, {"source": source_id}), now, run_id)
    known = _known_before(tx, rows)
    ordered = mandates.named(tx, [row.booking.end_to_end for row in rows if row.booking is not None])
    rows = [_of_collection(row, ordered) for row in rows]
    elsewhere = {row.at: known[row.row.ref] for row in rows if _is_known_elsewhere(row, known, source_id)}
    answers = {at: Booked(before.payment_id, before.account_id, moved=False) for at, before in elsewhere.items()}
    came = [row for row in rows if not _is_return(row) and row.at not in elsewhere]
    answers |= _came(tx, told, came, known)
    _keep(tx, told, came, answers)
    _tell_mandates(tx, came, answers, now)
    back = [row for row in rows if _is_return(row) and row.at not in elsewhere]
    if back:
        answers |= _went_back(tx, told, back, known, ordered)
        _keep(tx, told, back, answers)
    return [answers[at] for at in range(len(found))]


def _is_known_elsewhere(row: _Row, known: Mapping[str, _Before], source_id: int) -> bool:
    """Whether the same account's booking came under another source's name: then it has been counted there."""
    before = known.get(row.row.ref)
    return row.booking is not None and before is not None and before.source_id != source_id


def _is_return(row: _Row) -> bool:
    return row.booking is not None and row.booking.is_return


def _came(tx: Tx, told: _Told, rows: Sequence[_Row], before: Mapping[str, _Before]) -> dict[int, Booked]:
    """Settle what came in, under the provider's own id where the row names one, else under the row's."""
    known = _known_to_providers(tx, rows)
    groups: dict[int, list[_Row]] = {}
    sources: dict[str, int] = {}
    differing: list[_Row] = []
    for row in rows:
        one = known.get(row.at)
        if one is None:
            groups.setdefault(told.source_id, []).append(row)
        elif (one.amount, one.currency) != (row.row.amount, row.row.currency):
            differing.append(row)
        else:
            if one.provider not in sources:
                sources[one.provider] = provider_source(tx, one.provider)
            same = row.row._replace(ref=one.ref, account_ref=one.account_ref or row.row.account_ref, reference="")
            groups.setdefault(sources[one.provider], []).append(row._replace(row=same))
    answers = _settled(tx, told, groups)
    if differing:
        # The provider's payout, less its fee: the payment itself was told by the provider.
        new = [row for row in differing if row.row.ref not in before]
        _ask_a_person(tx, told, new, "payment_mismatch", asked={row.at: known[row.at] for row in new})
        answers |= {row.at: Booked(None, None, moved=False, is_other=True) for row in differing}
    return answers


def _settled(tx: Tx, told: _Told, groups: Mapping[int, Sequence[_Row]]) -> dict[int, Booked]:
    """Settle rows by their source."""
    answers: dict[int, Booked] = {}
    for source_id, rows in sorted(groups.items()):
        settled = settle(tx, source_id, [row.row for row in rows], now=told.now, run_id=told.run_id)
        for row, answer in zip(rows, settled.received, strict=True):
            moved = answer.is_new or answer.moved
            answers[row.at] = Booked(answer.payment_id, answer.account_id, moved, answer.refused)
    return answers


def _known_to_providers(tx: Tx, rows: Sequence[_Row]) -> dict[int, _Known]:
    """Rows that refer to a provider's payment, or to an order that we gave it."""
    texts = {text for row in rows for text in _texts(row)}
    providers = [name for (name,) in tx.rows(SQL.providers, {"partner": tx.partner_id})] if texts else []
    if not providers:
        return {}
    told = tx.rows(SQL.provider_payments, {"texts": sorted(texts), "providers": providers})
    known = {one.ref: one for one in (_Known(*row) for row in told)}
    return {row.at: known[text] for row in rows for text in reversed(_texts(row)) if text in known}


def _texts(row: _Row) -> list[str]:
    texts = (row.row.reference, row.booking.end_to_end if row.booking else "")
    return [text for text in texts if len(text) >= PROVIDER_REF_CHARACTERS_MIN]


def _of_collection(row: _Row, ordered: Mapping[str, Named]) -> _Row:
    """What the bank names as a collection of ours finds its account and its bill by that, whatever else it says."""
    found = ordered.get(row.booking.end_to_end) if row.booking is not None and not row.booking.is_return else None
    if found is None or (found.amount, found.currency) != (row.row.amount, row.row.currency):
        return row
    return row._replace(row=row.row._replace(account_ref=found.account_ref, reference=found.bill))


def _tell_mandates(tx: Tx, rows: Sequence[_Row], answers: Mapping[int, Booked], now: datetime) -> None:
    """Money that was collected by a mandate ends its collection; so does a table's word that it went back."""
    came = [
        Came(payment, row.row, row.booking.end_to_end if row.booking else "")
        for row in rows
        if (payment := answers[row.at].payment_id) is not None and answers[row.at].moved and row.row.state in _MONEY
    ]
    mandates.came(tx, came, now=now)
    told = [answers[row.at] for row in rows if row.row.state == "returned"]
    mandates.went_back(tx, {one.payment_id: NO_REASON for one in told if one.payment_id and one.moved}, now=now)


def _went_back(
    tx: Tx,
    told: _Told,
    rows: Sequence[_Row],
    before: Mapping[str, _Before],
    ordered: Mapping[str, Named],
) -> dict[int, Booked]:
    """Take payments back where one is named for certain; the others are a person's work, once.

    A direct debit that was refused before its money came takes nothing back: its collection has failed.
    """
    answers: dict[int, Booked] = {}
    new: list[_Row] = []
    for row in rows:
        known = before.get(row.row.ref)
        if known is None:
            new.append(row)
        else:
            answers[row.at] = Booked(known.payment_id, known.account_id, moved=False)
    originals = _originals(tx, new)
    groups: dict[int, list[_Row]] = {}
    unknown: list[_Row] = []
    taken: set[tuple[str, int]] = set()
    refused: list[Failure] = []
    for row in new:
        original = originals.get(row.row.ref)
        collection = ordered.get(_booking(row).end_to_end)
        if original is None and collection is not None and collection.state in _NOT_COLLECTED:
            refused.append(Failure(collection.id, "refused", _booking(row).reason or NO_REASON))
            answers[row.at] = Booked(None, collection.account_id, moved=True)
        elif original is None or original in taken:
            unknown.append(row)
        else:
            taken.add(original)
            same = row.row._replace(ref=original[0], account_ref="", reference="")
            groups.setdefault(original[1], []).append(row._replace(row=same))
    _ask_a_person(tx, told, unknown, "payment_unknown", asked={})
    answers |= {row.at: Booked(None, None, moved=True) for row in unknown}
    settled = _settled(tx, told, groups)
    reasons = {row.at: _booking(row).reason or NO_REASON for row in new}
    mandates.went_back(
        tx, {one.payment_id: reasons[at] for at, one in settled.items() if one.payment_id and one.moved}, now=told.now
    )
    mandates.fail(tx, refused, now=told.now)
    return answers | settled


def _booking(row: _Row) -> Booking:
    assert row.booking is not None, "only bookings of a bank go back"
    return row.booking


def _known_before(tx: Tx, rows: Sequence[_Row]) -> dict[str, _Before]:
    """Bookings of bank files that were taken in before, by their ref."""
    refs = [row.row.ref for row in rows if row.booking is not None]
    return {ref: _Before(*found) for ref, *found in tx.rows(SQL.known, {"refs": refs})} if refs else {}


def _originals(tx: Tx, rows: Sequence[_Row]) -> dict[str, tuple[str, int]]:
    """By a return's ref: the payment's ref and its source."""
    if not rows:
        return {}
    found = tx.rows(SQL.originals, _columns(rows))
    return {ref: (payment_ref, payment_source) for ref, _, payment_ref, payment_source in found}


def _keep(tx: Tx, told: _Told, rows: Sequence[_Row], answers: Mapping[int, Booked]) -> None:
    """Keep the bookings of a bank file by the names that it gives them."""
    kept = [row for row in rows if row.booking is not None and not answers[row.at].refused]
    if kept:
        given = {"partner": tx.partner_id, "source": told.source_id, "run": told.run_id}
        tx.run(SQL.keep, {**given, **_columns(kept), "payments": [answers[row.at].payment_id for row in kept]})


def _columns(rows: Iterable[_Row]) -> dict[str, Any]:
    pairs = [(row.row, row.booking) for row in rows if row.booking is not None]
    return {
        "refs": [row.ref for row, _ in pairs],
        "are_returns": [booking.is_return for _, booking in pairs],
        "bank_accounts": [booking.bank_account for _, booking in pairs],
        "servicer_refs": [booking.servicer_ref for _, booking in pairs],
        "end_to_ends": [booking.end_to_end for _, booking in pairs],
        "payer_accounts": [booking.payer_account for _, booking in pairs],
        "references": [row.reference for row, _ in pairs],
        "amounts": [row.amount for row, _ in pairs],
        "currencies": [row.currency for row, _ in pairs],
        "value_dates": [row.value_date for row, _ in pairs],
    }


def _ask_a_person(tx: Tx, told: _Told, rows: Iterable[_Row], code: str, *, asked: Mapping[int, _Known]) -> None:
    for at, row in ((one.at, one.row) for one in rows):
        known = asked.get(at)
        params = {
            "provider": told.source_name,
            "ref": row.ref,
            "state": row.state,
            "amount": row.amount,
            "currency": row.currency,
            **({"asked": known.amount, "asked_currency": known.currency} if known else {}),
        }
        dedup = f"{code}-{told.source_id}-{row.ref}"
        given = {"partner": tx.partner_id, "code": code, "params": Jsonb(params), "dedup": dedup, "now": told.now}
        tx.run(PAYMENTS.add_loose_task, {**given, "due_at": told.now + TASK_DUE})
