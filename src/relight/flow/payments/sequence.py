"""Whether a source's bank files came one after the other, and so up to when its money is complete.

A chain is the statements of one kind on one account. It goes on while each statement follows the one before, by number
and by balance; what comes after a gap waits, and counts as soon as the gap is filled.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from relight.flow.database import Tx, statements
from relight.flow.payments.files.series import Run, Series, follows
from relight.flow.payments.files.statements import Statement

SQL = statements(__package__, "sequence.sql")

WAITING_MAX = 10_000


class Complete(NamedTuple):
    """Up to when a source's money is complete by its bank files, and a sentence for each thing that is missing."""

    until: datetime | None
    missing: tuple[str, ...]


class Span(NamedTuple):
    """Statements of one chain without a gap between them, as they are kept."""

    id: int
    first: Statement
    last: Statement


def note_statements(tx: Tx, source_id: int, series: Series, *, run_id: int) -> Complete:
    """Keep what a file told, and say how far the source goes without a gap. The caller owns the transaction.

    Statements of which a row could not be taken in are not kept: they count once their mended file is here.
    """
    tx.rows(SQL.lock_source, {"source": source_id})
    whole = _whole(series)
    if whole:
        tx.run(SQL.add_statements, {**_columns(whole), "partner": tx.partner_id, "source": source_id, "run": run_id})
    heads = {span.last.chain: span for span in _spans(tx.rows(SQL.heads, {"source": source_id}))}
    waiting = _spans(tx.rows(SQL.waiting, {"source": source_id, "limit": WAITING_MAX}))
    reached, missing = advance(heads, waiting)
    missing += _not_counted(series)
    if reached:
        tx.run(SQL.reach, {"source": source_id, "ids": [span.id for span in reached]})
    return Complete(complete_until(heads), tuple(missing))


def advance(heads: dict[str, Span], waiting: Iterable[Span]) -> tuple[list[Span], list[str]]:
    """Move each chain's head on over what follows it; what was reached, and what is missing before the rest.

    `waiting` is sorted by chain and time. A chain that has no head begins with its first statement, if that can tell
    whether another one follows it.
    """
    reached: list[Span] = []
    missing: list[str] = []
    for chain, spans in groupby(waiting, key=lambda span: span.first.chain):
        left = list(spans)
        while (following := _following(heads.get(chain), left)) is not None:
            left.remove(following)
            heads[chain] = following
            reached.append(following)
        head = heads.get(chain)
        left = [span for span in left if head is None or _is_later(head, span)]
        if left:
            missing.append(_what_is_missing(head, left[0].first))
    return reached, missing


def complete_until(heads: dict[str, Span]) -> datetime | None:
    """The moment up to which every account is told of: of its chains the furthest, of the accounts the least."""
    by_account: dict[tuple[str, str], datetime] = {}
    whole_accounts: dict[str, datetime] = {}
    for chain, span in heads.items():
        _, account, currency = (*chain.split(" "), "", "")[:3]
        assert span.last.until is not None
        if currency:
            key = (account, currency)
            by_account[key] = max(span.last.until, by_account.get(key, span.last.until))
        else:
            whole_accounts[account] = max(span.last.until, whole_accounts.get(account, span.last.until))
    for account, until in whole_accounts.items():
        keys = [key for key in by_account if key[0] == account] or [(account, "")]
        for key in keys:
            by_account[key] = max(until, by_account.get(key, until))
    return min(by_account.values()) if by_account else None


def _following(head: Span | None, spans: list[Span]) -> Span | None:
    if head is None:
        first = spans[0] if spans else None
        return first if first and first.first.can_tell and first.first.part == 1 else None
    return next((span for span in spans if follows(head.last, span.first) or _goes_beyond(head.last, span)), None)


def _goes_beyond(head: Statement, span: Span) -> bool:
    """Whether statements of one file begin with what is known already and go on after it."""
    if head.number is None or span.first.number is None or span.last.number is None:
        return False
    assert head.until is not None
    assert span.last.until is not None
    return span.first.number <= head.number < span.last.number and span.last.until > head.until


def _is_later(head: Span, span: Span) -> bool:
    """A statement that the head has passed already (the same number again) is not missing anything."""
    same = (span.last.number, span.last.part) == (head.last.number, head.last.part)
    return not (same and span.last.until == head.last.until)


def _what_is_missing(head: Span | None, after: Statement) -> str:
    if head is None:
        return f"Statement {after.label} is not its first page; the pages before it are missing."
    before = head.last
    if before.closing is not None and after.opening is not None and before.closing != after.opening:
        return (
            f"Statement {before.label} ends with {before.closing} and {after.label} begins with {after.opening} (in "
            "minor units): what is between them is missing."
        )
    if before.number is not None and after.number is not None and after.number > before.number + 1:
        first, last = before.number + 1, after.number - 1
        which = f"{first} is" if first == last else f"{first} to {last} are"
        return f"After statement {before.label} comes {after.number}: {which} missing."
    return f"Statement {after.label} does not follow {before.label}: what is between them is missing."


def _whole(series: Series) -> list[Run]:
    """Runs that count, once what is before them is here."""
    if not series.is_whole:
        return []
    return [run for run in series.runs if run.last.can_tell and not run.rejected and run.last.until is not None]


def _not_counted(series: Series) -> list[str]:
    if not series.is_whole:
        return ["The file breaks off, or something in it could not be read, so none of it counts as complete."]
    return [sentence for run in series.runs if (sentence := _why_not_counted(run))]


def _why_not_counted(run: Run) -> str:
    if run.rejected:
        return f"Statement {run.last.label} has rows that could not be taken in, so it does not count as complete."
    if not run.last.can_tell:
        return (
            f"{run.last.chain} has neither statement numbers nor balances, so nobody can tell whether a file is "
            "missing: say with --complete-until up to when it is complete."
        )
    if run.last.until is None:
        return f"Statement {run.last.label} does not say up to when it tells, so it does not count as complete."
    return ""


def _spans(rows: Iterable[tuple[object, ...]]) -> list[Span]:
    return [_span(*row) for row in rows]  # type: ignore[arg-type]


def _span(
    id_: int,
    chain: str,
    first_number: int | None,
    first_part: int,
    first_other: int | None,
    opening: int | None,
    number: int | None,
    part: int,
    is_last: bool,
    other: int | None,
    closing: int | None,
    until: datetime,
) -> Span:
    first = Statement(
        chain, 0, first_number, first_part, is_last, first_other, opening=opening, closing=closing, until=until
    )
    last = Statement(chain, 0, number, part, is_last, other, opening=opening, closing=closing, until=until)
    return Span(id_, first, last)


def _columns(runs: Iterable[Run]) -> dict[str, object]:
    pairs = [(run.first, run.last) for run in runs]
    return {
        "chains": [last.chain for _, last in pairs],
        "first_numbers": [first.number for first, _ in pairs],
        "first_parts": [first.part for first, _ in pairs],
        "first_other_numbers": [first.other_number for first, _ in pairs],
        "openings": [first.opening for first, _ in pairs],
        "numbers": [last.number for _, last in pairs],
        "parts": [last.part for _, last in pairs],
        "are_last": [last.is_last for _, last in pairs],
        "other_numbers": [last.other_number for _, last in pairs],
        "closings": [last.closing for _, last in pairs],
        "untils": [last.until for _, last in pairs],
    }
