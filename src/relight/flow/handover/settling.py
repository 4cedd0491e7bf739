"""Settling with an agency: what it received, its fee as agreed, and what it pays over, posted once.

A payment that no status told of is taken in now. What differs from the agreement is posted as far as it was agreed; the
rest stays what the agency owes, and a person has a task.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from relight.flow.cases.operations import append_event, lock_accounts
from relight.flow.cases.tasks import add_task
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Tx, statements
from relight.flow.handover.errors import UnableToFindAgency, UnableToSettle
from relight.flow.handover.money import Settle, agency_source, take_in
from relight.flow.handover.settlement_file import Line, Settlement

SQL = statements(__package__, "settling.sql")
_PERSON_WITHIN = timedelta(days=3)
# What keeps a line from being posted; a fee that differs does not.
_UNPOSTED = frozenset({"unknown_case", "settled_before", "payment_differs", "currency"})


@dataclass(frozen=True, slots=True)
class _Known:
    """The hand-over of a line. `bill` is the claim that its money pays first."""

    id: int
    case_id: int
    account_id: int
    account_ref: str
    currency: str
    bill: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A line with what became of it: `agreed` is the fee by agreement, None where there is none; `wrong` is a code."""

    line: Line
    known: _Known | None
    agreed: int | None
    wrong: str = ""
    payment_id: int | None = None

    @property
    def posts(self) -> bool:
        """Whether money is booked for it."""
        return self.wrong not in _UNPOSTED

    @property
    def borne(self) -> int:
        """The part of the fee that was agreed; without any agreement, nothing."""
        return min(self.line.fee, self.agreed or 0)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement came to. `repeated`: it was posted before, and nothing was done."""

    lines: Sequence[Judged] = ()
    repeated: bool = False


def settle_with(tx: Tx, agency: str, found: Settlement, *, settle: Settle, file_name: str, now: datetime) -> Settled:
    """Post a settlement. Raises `UnableToFindAgency`, or `UnableToSettle` for a number that said something else."""
    row = tx.row(SQL.agency, {"name": agency})
    if row is None:
        raise UnableToFindAgency(f"There is no agency {agency!r}. `relight agency list` names them.")
    agency_id, title = row
    tx.rows(SQL.lock_agency, {"agency": agency_id})
    before = tx.value(SQL.known_before, {"agency": agency_id, "ref": found.ref})
    if before is not None:
        if before != found.sha256:
            raise UnableToSettle(
                f"Settlement {found.ref} of {title} is known with another content: nothing was posted."
            )
        return Settled(repeated=True)
    judged = _judge(tx, agency_id, found)
    now = tx.after_waiting(now)
    source_id = agency_source(tx, agency)
    judged = [_received(tx, settle, source_id, found, one, now) for one in judged]
    _post(tx, agency_id, found, judged, file_name, now)
    for one in judged:
        _tell(tx, title, found, one, now)
    return Settled(judged)


def _judge(tx: Tx, agency_id: int, found: Settlement) -> list[Judged]:
    refs, payments = [line.case for line in found.lines], [line.payment for line in found.lines]
    cases = {row[0]: _Known(*row[1:]) for row in tx.rows(SQL.cases, {"agency": agency_id, "refs": refs})}
    lock_accounts(tx, sorted({known.account_id for known in cases.values()}))
    before = {row[0] for row in tx.rows(SQL.settled_before, {"agency": agency_id, "payments": payments})}
    fees = tx.rows(SQL.fees, {"agency": agency_id, "day": found.day})
    return [_judged(line, cases, before, fees, found.currency) for line in found.lines]


def _judged(
    line: Line, cases: Mapping[str, _Known], before: set[str], fees: Sequence[tuple[Any, ...]], currency: str
) -> Judged:
    known, agreed = cases.get(line.case), agreed_fee(line.received, fees)
    if known is None:
        return Judged(line, None, agreed, "unknown_case")
    if known.currency != currency:
        return Judged(line, known, agreed, "currency")
    if line.payment in before:
        return Judged(line, known, agreed, "settled_before")
    return Judged(line, known, agreed, "" if line.fee == (agreed or 0) else "fee_differs")


def agreed_fee(received: int, fees: Sequence[tuple[Any, ...]]) -> int | None:
    """The fee of a payment by bands (least, basis points, amount), the highest first; rounded down, in whose favour it
    is agreed. None where nothing was agreed."""
    for least, basis_points, amount in fees:
        if received >= least:
            return amount if amount is not None else received * basis_points // 10_000
    return None


def _received(tx: Tx, settle: Settle, source_id: int, found: Settlement, one: Judged, now: datetime) -> Judged:
    """A payment that the agency received is the customer's, whether or not it was told before."""
    if not one.posts or one.line.direct or one.known is None:
        return one
    line, known = one.line, one.known
    row = PaymentRow(line.payment, line.received, found.currency, "confirmed", found.day, known.account_ref, known.bill)
    answer = take_in(tx, settle, source_id, row, now=now)
    if answer.refused or answer.account_id != known.account_id or answer.state == "returned":
        return replace(one, wrong="payment_differs")
    return replace(one, payment_id=answer.payment_id)


def _post(tx: Tx, agency_id: int, found: Settlement, judged: Sequence[Judged], file_name: str, now: datetime) -> None:
    settlement_id = tx.value(SQL.keep, {
        "partner": tx.partner_id, "agency": agency_id, "ref": found.ref, "file": file_name, "sha256": found.sha256,
        "currency": found.currency, "day": found.day, "received": found.received, "fee": found.fee,
        "paid_over": found.paid_over, "now": now,
    })  # fmt: skip
    tx.run(SQL.keep_lines, {
        "partner": tx.partner_id, "settlement": settlement_id,
        "handovers": [one.known.id if one.known else None for one in judged],
        "paid": [one.payment_id for one in judged],
        "case_refs": [one.line.case for one in judged],
        "payment_refs": [one.line.payment for one in judged],
        "directs": [one.line.direct for one in judged],
        "receiveds": [one.line.received for one in judged],
        "fees": [one.line.fee for one in judged],
        "agreeds": [one.agreed for one in judged],
        "wrongs": [one.wrong for one in judged],
    })  # fmt: skip
    posting = [one for one in judged if one.posts and one.known is not None]
    tx.run(SQL.post, {
        "partner": tx.partner_id, "currency": found.currency, "day": found.day, "now": now,
        "accounts": [one.known.account_id for one in posting if one.known],
        "paid": [one.payment_id for one in posting],
        "overs": [one.line.paid_over for one in posting],
        "borne": [one.borne for one in posting],
    })  # fmt: skip


def _tell(tx: Tx, title: str, found: Settlement, one: Judged, now: datetime) -> None:
    """A line on the case's log; what differs is a person's."""
    params = {"agency": title, "settlement": found.ref, "payment": one.line.payment, "amount": one.line.received,
              "fee": one.line.fee}  # fmt: skip
    if one.known is not None and one.posts:
        append_event(tx, case_id=one.known.case_id, code="agency_settled", actor=title, now=now, params=params)
    if not one.wrong:
        return
    told = {**params, "detail": one.wrong, "agreed": one.agreed, "case": one.line.case}
    dedup, due_at = f"agency_settlement-{found.ref}-{one.line.payment}", now + _PERSON_WITHIN
    if one.known is None:
        tx.run(SQL.add_loose_task, {
            "partner": tx.partner_id, "code": "agency_settlement_differs", "params": Jsonb(told), "now": now,
            "due_at": due_at, "dedup": dedup,
        })  # fmt: skip
        return
    add_task(
        tx,
        case_id=one.known.case_id,
        account_id=one.known.account_id,
        code="agency_settlement_differs",
        due_at=due_at,
        dedup=dedup,
        now=now,
        params=told,
    )
