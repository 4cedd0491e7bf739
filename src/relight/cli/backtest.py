"""`relight policy simulate --history`: which notices a policy would have sent over real bills, and which needlessly."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import click

from relight.cli.output import answer
from relight.core.money import parse_amount
from relight.core.policy import Policy
from relight.core.rules.lawbook import packaged_law
from relight.core.simulate.history import back_test
from relight.core.simulate.portfolio import Bill

_COLUMNS = {
    "account": ("customerID", "account"),
    "issued": ("InvoiceDate", "issued_date"),
    "due": ("DueDate", "due_date"),
    "amount": ("InvoiceAmount", "amount"),
    "paid": ("SettledDate", "settled_date"),
}


def tell_history(policy: Policy, file: Path, *, as_json: bool) -> None:
    """Run the policy over real bills and tell which of its notices would have been needless."""
    accounts = list(_real_bills(file, policy.currency))
    found = back_test(policy, packaged_law(), accounts)
    asked, needless = sum(found.asked.values()), sum(found.needless.values())
    result = {
        "policy": policy.name,
        "accounts": len(accounts),
        "bills": found.totals.claims,
        "late_bills": found.late_bills,
        "cases_opened": found.totals.opened,
        "notices": found.asked,
        "needless": found.needless,
        "needless_share": round(needless / asked, 3) if asked else None,
    }
    lines = [f"{len(accounts)} accounts, {found.totals.claims} bills, {found.late_bills} of them paid late."]
    lines += [
        f"  {template.replace('_', ' '):24} {count:6} would have gone out,"
        f" {found.needless.get(template, 0)} of them needlessly"
        for template, count in sorted(found.asked.items())
    ]
    lines.append("Needless: everything overdue was paid within a week all the same, and nobody had asked.")
    answer(result, as_json=as_json, text="\n".join(lines))


def _real_bills(file: Path, currency: str) -> Iterator[tuple[Bill, ...]]:
    by_account: dict[str, list[Bill]] = {}
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = csv.DictReader(opened)
        names = _names(rows.fieldnames or [], file)
        for number, row in enumerate(rows, 2):
            try:
                bill = Bill(
                    number,
                    _day(row[names["issued"]]),
                    _day(row[names["due"]]),
                    parse_amount(row[names["amount"]], currency),
                    _day(row[names["paid"]]) if row[names["paid"]].strip() else None,
                )
            except (ValueError, TypeError, AttributeError) as wrong:
                raise click.ClickException(f"{file.name}, line {number}: {wrong}.") from wrong
            by_account.setdefault(row[names["account"]], []).append(bill)
    yield from (tuple(sorted(bills, key=lambda bill: (bill.issued, bill.id))) for bills in by_account.values())


def _names(header: Sequence[str], file: Path) -> dict[str, str]:
    found = {}
    for field, known in _COLUMNS.items():
        name = next((name for name in header if name in known), None)
        if name is None:
            raise click.ClickException(f"{file.name} has no column {' or '.join(known)}.")
        found[field] = name
    return found


def _day(text: str) -> date:
    """A day as ISO or American dates have it."""
    if "/" in text:
        month, day, year = (int(part) for part in text.split("/"))
        return date(year, month, day)
    return date.fromisoformat(text.strip())
