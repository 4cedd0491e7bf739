"""What import tests share: files written in a line, and the books read without Relight's own statements."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from relight.flow.database import Database
from relight.flow.road.report import Report

INVOICES = ("number", "account", "amount", "due_date")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """A file as Relight's own mappings want it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def counts(report: Report) -> tuple[int, int, int, int, int]:
    """read, accepted, unchanged, other, rejected."""
    return report.read, report.accepted, report.unchanged, report.other, report.rejected


def where(report: Report) -> list[tuple[int, str]]:
    """(line, field) of each error, sorted."""
    return sorted((problem.line, problem.field) for problem in report.errors)


def owed(db: Database, partner: int) -> dict[str, tuple[int, str]]:
    """What is still owed (principal) and the state of each claim, by number."""
    with db.transaction(partner) as tx:
        return {number: (owed, state) for number, owed, state in tx.rows("SELECT number, principal, state FROM claim")}


def books(db: Database, partner: int) -> tuple[object, ...]:
    """What money rests on, without ids and moments: the same after any way there."""
    with db.transaction(partner) as tx:
        return (
            tx.rows(
                "SELECT a.ref, c.number, c.amount, c.principal, c.costs, c.disputed, c.due_date, c.state,"
                " c.service_kind"
                " FROM claim c JOIN account a ON a.id = c.account_id ORDER BY 1, 2"
            ),
            tx.rows(
                "SELECT c.number, l.number, l.amount, l.text, l.kind, l.disputed FROM claim_line l"
                " JOIN claim c ON c.id = l.claim_id ORDER BY 1, 2"
            ),
            tx.rows(
                "SELECT a.ref, c.number, p.ref, t.kind, t.debit, t.credit, t.part, t.amount, t.value_date"
                " FROM transfer t JOIN account a ON a.id = t.account_id LEFT JOIN claim c ON c.id = t.claim_id"
                " LEFT JOIN payment p ON p.id = t.payment_id ORDER BY 1, 2, 3, 4, 5, 6, 7, 8"
            ),
            tx.rows("SELECT ref, amount, state, value_date FROM payment ORDER BY 1"),
            tx.rows("SELECT ref, credit, currency, debtor, profile FROM account ORDER BY 1"),
            tx.rows("SELECT ref, name FROM party ORDER BY 1"),
            tx.rows("SELECT channel, value FROM contact_point WHERE ends_at IS NULL ORDER BY 1, 2"),
            tx.rows("SELECT a.ref, s.state FROM dunning_case s JOIN account a ON a.id = s.account_id ORDER BY 1, 2"),
        )
