"""Which claims money pays: those that it names first, then by the rule of the partner's country, the oldest due first.

What is left stays as the account's credit. The caller holds the accounts' locks.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from relight.core.allocation.rule import AllocationRule, allocation_rule
from relight.core.rules.lawbook import packaged_law
from relight.flow.database import Tx, statements

SQL = statements(__package__, "allocation.sql")
_BY_NAME = f"WITH {SQL.rule}, {SQL.by_name}, {SQL.post_pairs}"
_BY_AGE = f"WITH {SQL.rule}, {SQL.by_age}, {SQL.post_pairs}"


@lru_cache(maxsize=1)
def country_rules() -> Mapping[str, AllocationRule]:
    """By country, in which order money pays costs, interest and principal, as the law in force says."""
    return {pack.country: allocation_rule(pack) for pack in packaged_law().packs}


def allocate_by_name(tx: Tx, money: Sequence[tuple[Any, ...]], *, today: date, now: datetime) -> None:
    """Pay the claims that money names: tuples of account, payment (or None), amount and reference, in order."""
    for turn in _turns(money):
        accounts, payments, amounts, references = (list(column) for column in zip(*turn, strict=True))
        tx.run(
            _BY_NAME,
            {
                "partner": tx.partner_id,
                "accounts": accounts,
                "payments": payments,
                "amounts": amounts,
                "references": references,
                "today": today,
                "now": now,
                **_rules(),
            },
        )


def _rules() -> dict[str, Any]:
    """The countries' rules as the statements take them; which one holds is looked up where the partner is."""
    rules = country_rules()
    return {
        "countries": list(rules),
        "orders": [" ".join(rule.order) for rule in rules.values()],
        "by_kinds": [rule.first == "kind" for rule in rules.values()],
    }


def _turns(money: Sequence[tuple[Any, ...]]) -> list[list[tuple[Any, ...]]]:
    """The money, so that in one turn no account names claims in two ways: a claim has a number and a reference, and
    what the one leaves of it is the other's to pay. Nearly always one turn."""
    turns: list[list[tuple[Any, ...]]] = []
    latest: dict[Any, tuple[int, Any]] = {}  # by account: its turn, and what it named there
    for one in money:
        turn, named = latest.get(one[0], (0, one[3]))
        if named != one[3]:
            turn += 1
        latest[one[0]] = turn, one[3]
        if turn == len(turns):
            turns.append([])
        turns[turn].append(one)
    return turns


def allocate_by_age(tx: Tx, account_ids: Sequence[int], *, today: date, now: datetime) -> None:
    """Spend what these accounts have in credit on what is owed, payment by payment in the order it came."""
    if account_ids:
        params = {"partner": tx.partner_id, "accounts": list(account_ids), "today": today, "now": now}
        tx.run(_BY_AGE, {**params, **_rules()})
