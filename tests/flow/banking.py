"""What tests of bank files share: files imported by a partner, and the books added up after each."""

from datetime import datetime
from pathlib import Path
from typing import Any

from relight.flow.database import Database
from relight.flow.road.intake import import_payments
from relight.flow.road.report import Report
from tests.flow import ledger
from tests.flow.factories import Account, make_account, make_claim
from tests.unit.payments.files.written import camt, statement

KID, OWED = "2345676", 89900


class Bank:
    """One partner's bank, whose files are imported one after another."""

    def __init__(self, db: Database, partner: int, now: datetime, folder: Path):
        self.db, self.partner, self.now, self.folder = db, partner, now, folder

    def sends(self, content: bytes, format: str = "camt", **options: Any) -> Report:
        """Import a file; the books must add up afterwards, and so must the report."""
        path = self.folder / "bank.file"
        path.write_bytes(content)
        report = import_payments(self.db, self.partner, path, format=format, now=self.now, **options)
        with self.db.transaction(self.partner) as tx:
            assert ledger.differences(tx) == []
        assert report.read == report.accepted + report.unchanged + report.other + report.rejected
        assert bool(report.rejected) == bool(report.errors)
        return report

    def tells(self, *entries: str, kind: str = "camt.053", number: int | None = None, **options: Any) -> Report:
        """Import one camt statement, report or notification with these entries."""
        return self.sends(camt(statement(entries, kind=kind, number=number, **options), kind=kind))

    def customer(self, *, kid: str = KID, owed: int = OWED) -> Account:
        """Someone who owes one bill with a KID."""
        with self.db.transaction(self.partner) as tx:
            account = make_account(tx, self.now)
            make_claim(tx, account, self.now, amount=owed, reference=kid, number=f"F-{account.ref}")
        return account

    def owes(self, account: Account) -> int:
        """What is left of the customer's bills, less what waits as credit."""
        return self.value(
            "SELECT (SELECT coalesce(sum(principal), 0) FROM claim WHERE account_id = %(account)s)::bigint - credit"
            " FROM account WHERE id = %(account)s",
            account=account.id,
        )

    def value(self, statement: str, **params: object) -> Any:
        """One value of the partner's."""
        with self.db.transaction(self.partner) as tx:
            return tx.value(statement, params)

    def rows(self, statement: str, **params: object) -> list[tuple[Any, ...]]:
        """Rows of the partner's."""
        with self.db.transaction(self.partner) as tx:
            return tx.rows(statement, params)

    def complete_until(self) -> datetime | None:
        """Up to when the bank's money counts as complete."""
        return self.value("SELECT complete_until FROM source WHERE name = 'bank'")
