"""Invoices become claims: new ones are posted, changed and cancelled ones corrected, credit notes allocated."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from relight.flow.claims import fees, interest
from relight.flow.claims.allocation import allocate_by_age, allocate_by_name
from relight.flow.claims.customers import save_customers
from relight.flow.claims.receiving import partner_today
from relight.flow.claims.rows import ClaimRow, fingerprint
from relight.flow.database import Tx, statements

STAGE = statements(__package__, "stage.sql")
SQL = statements(__package__, "posting.sql")

# Why a row is refused: the field, and a sentence with what to do.
_REFUSALS = {
    "no_account": ("account", "This partner has no creditor or no brand yet. Make them first, then import again."),
    "twice": ("number", "Number {row.number} stood further up with different contents. Keep the row that is right."),
    "currency": ("currency", "Account {row.account_ref} is kept in another currency than {row.currency}. "
                 "Use an account for each currency."),
    "service": ("service", "Account {row.account_ref} has no such service. Correct the reference, "
                "or give the service's kind so that it can be made."),
    "account": ("account", "Number {row.number} belongs to another account. "
                "Cancel it there and give this invoice a number of its own."),
    "credit_note": ("amount", "Number {row.number} is known already, and a credit note is neither changed nor mixed "
                    "with an invoice. Give it a number of its own."),
    "creditor": ("creditor", "There is no creditor called {row.creditor!r}. Make it first, or leave the column empty."),
}  # fmt: skip


class Refusal(NamedTuple):
    """A row that was not taken in: its place among the rows given, the field, and what to do."""

    at: int
    field: str
    reason: str


class Correction(NamedTuple):
    """A known invoice that says something else now: `less` is how much too high it was, in minor units (0 or below
    when only its days or other terms changed, or when it went up), `raised` by how much more of it is undisputed.
    `services` are those that it was for; empty where it named none."""

    claim_id: int
    less: int
    raised: int = 0
    services: Sequence[int] = ()


class Posted(NamedTuple):
    """How many rows were new, changed and unchanged; whose facts changed; which known claims were corrected or
    credited by name; the places of the rows that were known already."""

    new: int
    changed: int
    unchanged: int
    account_ids: tuple[int, ...]
    corrections: tuple[Correction, ...] = ()
    unchanged_at: tuple[int, ...] = ()
    refused: tuple[Refusal, ...] = ()


def post_claims(tx: Tx, rows: Sequence[ClaimRow], *, run_id: int | None, now: datetime) -> Posted:
    """Take in invoices and credit notes (negative amounts); the same row again changes nothing.

    A bad row is refused in the answer and does not stop the others. Locks every account it names.
    """
    creditors = dict(tx.rows(STAGE.creditors))
    refused = [_refuse(rows, at, "creditor") for at, row in enumerate(rows) if row.creditor not in ("", *creditors)]
    left_out = frozenset(refusal.at for refusal in refused)
    _stage(tx, rows, creditors, leave_out=left_out)
    tx.run(STAGE.new_accounts, {"partner": tx.partner_id, "now": now})
    tx.lock(STAGE.lock_accounts)
    now = tx.after_waiting(now)
    told = [customer for at, row in enumerate(rows) if at not in left_out for customer in row.customers]
    known = save_customers(tx, told, now=now)
    tx.run(STAGE.place, {"partner": tx.partner_id, "run": run_id})
    fates = {
        fate: (count, seqs, has_credit, accounts) for fate, count, seqs, has_credit, accounts in tx.rows(STAGE.fates)
    }
    refused += [_refuse(rows, at, fate) for fate, (_, seqs, *_) in fates.items() if fate in _REFUSALS for at in seqs]
    corrections = _post(tx, fates, run_id=run_id, now=now)
    moved = {account for *_, accounts in fates.values() for account in accounts or ()}
    return Posted(
        new=_count(fates, "new"),
        changed=_count(fates, "changed"),
        unchanged=_count(fates, "same"),
        account_ids=tuple(sorted(moved | known)),
        corrections=corrections,
        unchanged_at=tuple(fates["same"][1]) if "same" in fates else (),
        refused=tuple(sorted(refused)),
    )


def _count(fates: Mapping[str, tuple[Any, ...]], fate: str) -> int:
    return fates[fate][0] if fate in fates else 0


def _refuse(rows: Sequence[ClaimRow], at: int, fate: str) -> Refusal:
    field, reason = _REFUSALS[fate]
    return Refusal(at, field, reason.format(row=rows[at]))


def _stage(tx: Tx, rows: Sequence[ClaimRow], creditors: Mapping[str, int], *, leave_out: frozenset[int]) -> None:
    for statement in (STAGE.claims_table, STAGE.lines_table, STAGE.clear):
        tx.run(statement)
    with tx.connection.cursor() as cursor:
        with cursor.copy(STAGE.copy_claims) as copy:
            for at, row in enumerate(rows):
                if at not in leave_out:
                    copy.write_row((at, *row[:8], *row[9:14], fingerprint(row), creditors.get(row.creditor)))
        if any(row.lines for row in rows):
            with cursor.copy(STAGE.copy_lines) as copy:
                for at, row in enumerate(rows):
                    for number, line in enumerate(row.lines, start=1):
                        copy.write_row((at, number, *line))


def _post(tx: Tx, fates: Mapping[str, tuple[Any, ...]], *, run_id: int | None, now: datetime) -> tuple[Correction, ...]:
    """Post what is staged; the claims that say something else now."""
    today = partner_today(tx, now)
    params = {"partner": tx.partner_id, "run": run_id, "now": now, "today": today}
    corrected: list[tuple[Any, ...]] = []
    named: list[tuple[Any, ...]] = []
    if "new" in fates:
        tx.run(SQL.post_new, params)
        if fates["new"][2]:
            named = tx.rows(SQL.post_credit_notes, params)
            corrected += tx.rows(SQL.credited)
    if "changed" in fates:
        fees.reverse(tx, [row[0] for row in tx.rows(SQL.fees_of_cancelled)], now=now)
        corrected += tx.rows(SQL.post_changed, params)
        tx.run(SQL.clear_lines)
        tx.run(SQL.add_lines, params)
    accounts = [account for *_, found in fates.values() for account in found or ()]
    allocate_by_name(tx, named, today=today, now=now)
    allocate_by_age(tx, accounts, today=today, now=now)
    if "changed" in fates or ("new" in fates and fates["new"][2]):  # bills and credit notes that change what was owed
        interest.recount(tx, sorted(set(accounts)), today=today, now=now)
    return tuple(Correction(*row) for row in corrected)
