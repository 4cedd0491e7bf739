"""Journal entries as rows for a customer's own accounting, on the accounts of its chart.

The columns have the names that SAF-T gives to the lines of general ledger entries, so that mapping them is reading.
It is not a SAF-T file: that holds masters and tax codes, which are not kept here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from relight.core.money import to_decimal
from relight.flow.books.errors import UnableToPost
from relight.flow.books.trial import Entry

HEADS = (
    *("TransactionID", "RecordID", "TransactionDate", "Period", "PeriodYear", "Description", "Creditor", "AccountID"),
    *("DebitAmount", "CreditAmount", "CurrencyCode", "Transfers"),
)
LEDGERS = (
    *("receivable", "revenue", "fee_income", "interest_income", "cost_income", "settlement", "customer", "unmatched"),
    *("refund", "refund_owed", "written_off", "forgiven", "remitted", "client_money", "agency", "between"),
)


@dataclass(frozen=True, slots=True)
class Chart:
    """The account number for each ledger, and by creditor where one has its own; a ledger that is left out keeps its
    name."""

    accounts: Mapping[str, str] = field(default_factory=dict)
    creditors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Chart":
        """From YAML: `accounts:` by ledger, and `creditors:` by name and ledger. Raises `UnableToPost`."""
        try:
            found = yaml.safe_load(text) or {}
        except yaml.YAMLError as wrong:
            raise UnableToPost(f"The chart is no YAML: {wrong}") from wrong
        if not isinstance(found, dict) or set(found) - {"accounts", "creditors"}:
            raise UnableToPost("A chart has `accounts:`, and `creditors:` where some have their own; nothing else.")
        creditors = found.get("creditors") or {}
        if not isinstance(creditors, dict):
            raise UnableToPost("`creditors:` gives accounts by creditor and ledger.")
        return cls(
            _accounts(found.get("accounts") or {}), {str(name): _accounts(one) for name, one in creditors.items()}
        )

    def number(self, ledger: str, creditor: str) -> str:
        """The account of a ledger."""
        return self.creditors.get(creditor, {}).get(ledger) or self.accounts.get(ledger, ledger)


def lines(entries: Sequence[Entry], chart: Chart) -> Iterator[tuple[Any, ...]]:
    """Two rows an entry, in the order of `HEADS`."""
    for number, one in enumerate(entries, start=1):
        amount = to_decimal(one.amount, one.currency)
        sides = ((one.debit, amount, ""), (one.credit, "", amount))
        for record, (ledger, debit, credit) in enumerate(sides, start=1):
            head = (f"{one.day:%Y%m}-{number}", record, one.day.isoformat(), one.day.month, one.day.year)
            yield (
                *head,
                one.kind,
                one.creditor,
                chart.number(ledger, one.creditor),
                debit,
                credit,
                one.currency,
                one.transfers,
            )


def _accounts(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise UnableToPost("Accounts are given by ledger, such as `receivable: 1500`.")
    unknown = sorted(set(map(str, given)) - set(LEDGERS))
    if unknown:
        raise UnableToPost(f"There is no ledger {unknown[0]!r}. There are: {', '.join(LEDGERS)}.")
    return {str(ledger): str(account) for ledger, account in given.items()}
