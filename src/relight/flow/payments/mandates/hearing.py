"""What became of collections, as files say it: a bank's refusals (pain.002), and Betalingsservice's word as a table."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from relight.flow.claims.fields import Problem
from relight.flow.claims.rows import PaymentRow
from relight.flow.claims.sources import provider_source
from relight.flow.database import Database, Tx
from relight.flow.payments.files.bs_payments import read_payments
from relight.flow.payments.files.pain002 import Refusal, read_pain002
from relight.flow.payments.mandates import answering
from relight.flow.payments.mandates.answering import NO_REASON, Came, Failure
from relight.flow.payments.mandates.taking import Taken, batches, table
from relight.flow.payments.settle import settle

COLUMNS = ("ref", "outcome", "date")
_OURS = "betalingsservice"


def import_answers(db: Database, partner_id: int, path: Path, *, format: str, now: datetime) -> Taken:
    """Take in what became of collections: a pain.002, Betalingsservice's delivery 0602 (`bs0602`) or its word as a
    table (`csv`). Raises `UnableToImport`."""
    taken = Taken()
    if format == "pain002":
        for refusals in batches(read_pain002(path)):
            with db.transaction(partner_id) as tx:
                _refuse(tx, refusals, now=now, taken=taken)
        return taken
    rows = _delivered(path, taken) if format == "bs0602" else table(path, COLUMNS)
    for batch in batches(rows):
        with db.transaction(partner_id) as tx:
            _answer(tx, batch, now=now, taken=taken)
    return taken


def _delivered(path: Path, taken: Taken) -> Iterator[tuple[int, dict[str, str]]]:
    """A delivery's lines as rows of the table. One that is not whole is refused before any of it counts: it is read
    twice, and never held."""
    for _ in read_payments(path):
        pass
    for one in read_payments(path):
        if isinstance(one, Problem):
            taken.read += 1
            taken.reject([one])
        else:
            told = {"ref": one.ref, "outcome": one.outcome, "date": one.day.isoformat(), "reason": one.reason}
            yield one.line, {**told, "amount": str(one.amount)}


def _refuse(tx: Tx, refusals: list[Refusal], *, now: datetime, taken: Taken) -> None:
    """End what a bank refused before it was due, one by one or by the file or block that it was in."""
    failures: dict[int, Failure] = {}
    by_ref = {one.ref: one for one in refusals if one.ref}
    for one in refusals:
        if not one.ref:
            given = {"message": one.message, "block": one.block}
            by_ref |= {ref: one for (ref,) in tx.rows(answering.SQL.of_message, given) if ref not in by_ref}
    named = answering.named(tx, by_ref)
    taken.read += len(by_ref)
    for ref, one in by_ref.items():
        if ref in named:
            failures[named[ref].id] = Failure(named[ref].id, "refused", one.reason or NO_REASON)
        else:
            taken.reject([Problem(one.line, "OrgnlEndToEndId", f"There is no collection {ref[:40]!r} of ours.")])
    taken.changed += answering.fail(tx, list(failures.values()), now=now)


def _answer(tx: Tx, rows: list[tuple[int, dict[str, str]]], *, now: datetime, taken: Taken) -> None:
    """Betalingsservice pays out in sums that name no payment: its own word is where each is booked, once."""
    taken.read += len(rows)
    named = answering.named(tx, [row["ref"] for _, row in rows])
    source = provider_source(tx, _OURS)
    money: list[tuple[int, PaymentRow]] = []
    failures: list[Failure] = []
    for line, row in rows:
        found, outcome = named.get(row["ref"]), row["outcome"].lower()
        try:
            day = date.fromisoformat(row["date"])
        except ValueError:
            taken.reject([Problem(line, "date", f"There is no such day as {row['date'][:20]!r}.")])
            continue
        if found is None:
            taken.reject([Problem(line, "ref", f"There is no collection {row['ref'][:40]!r} of ours.")])
        elif wrong := _not_that_sum(row.get("amount", ""), found.amount):
            taken.reject([Problem(line, "amount", f"Collection {row['ref']}: {wrong}")])
        elif outcome in ("collected", "returned"):
            state = "booked" if outcome == "collected" else "returned"
            paid = PaymentRow(row["ref"], found.amount, found.currency, state, day, found.account_ref, found.bill)
            money.append((found.id, paid))
            if state == "returned":
                failures.append(Failure(found.id, "returned", row.get("reason", "") or "returned"))
        elif outcome == "refused":
            failures.append(Failure(found.id, "refused", row.get("reason", "") or NO_REASON))
        else:
            taken.reject([Problem(line, "outcome", "Write collected, refused or returned.")])
    settled = settle(tx, source, [paid for _, paid in money], now=now) if money else None
    for (_, paid), answer in zip(money, settled.received if settled else (), strict=True):
        if answer.moved and paid.state == "booked":
            answering.came(tx, [Came(answer.payment_id, paid, paid.ref)], now=now)
            taken.changed += 1
    taken.changed += answering.fail(tx, failures, now=now)


def _not_that_sum(told: str, amount: int) -> str:
    """What is wrong with a sum in minor units; nothing, where none is told."""
    if told and not (told.isascii() and told.isdigit()):
        return f"{told[:20]!r} is no sum in whole minor units (øre)."
    return f"it was ordered with another sum, {amount}." if told and int(told) != amount else ""
