"""A partner's own portfolio for a what-if: who owes what today, how they have paid, and bills that go on as before.

Nothing is written. A customer who has settled every bill of the last year in time counts as one who does; the others
are spread over the model's other kinds by their shares, the same way each time.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from relight.core.policy import Policy
from relight.core.simulate.customers import IN_TIME, Kind, Model
from relight.core.simulate.portfolio import Bill, Household
from relight.core.windows import local_date
from relight.flow.database import Tx, statements
from relight.flow.road.gather import zone

SQL = statements(__package__, "whatif.sql")
ACCOUNTS_MAX = 200_000
_ACCOUNTS_AT_ONCE = 2_000  # with all their bills of a year
_GRACE = timedelta(days=2)
_MONTH = timedelta(days=30)


def own_portfolio(
    tx: Tx, policy: Policy, model: Model, *, now: datetime, days: int, limit: int = ACCOUNTS_MAX
) -> list[Household]:
    """The partner's accounts that the policy would be for, at most `limit`, with their bills from today on."""
    today, services = local_today(tx, now), sorted(policy.services)
    accounts = tx.rows(SQL.accounts, {"debtor": policy.debtor, "services": services, "now": now, "limit": limit})
    asked = {"services": services, "today": today, "zone": _zone(tx)}
    found = list[Household]()
    for first in range(0, len(accounts), _ACCOUNTS_AT_ONCE):
        some = accounts[first : first + _ACCOUNTS_AT_ONCE]
        bills: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for account_id, *bill in tx.rows(SQL.claims, {**asked, "accounts": [row[0] for row in some]}):
            bills[account_id].append(tuple(bill))
        found += [_household(row, bills[row[0]], model, today, days) for row in some]
    return found


def local_today(tx: Tx, now: datetime) -> date:
    """The partner's day: what a what-if on its portfolio begins with."""
    return local_date(now, zone(_zone(tx)))


def _zone(tx: Tx) -> str:
    return str(tx.value(SQL.zone, {"partner": tx.partner_id}))


def _household(row: tuple[Any, ...], bills: list[tuple[Any, ...]], model: Model, today: date, days: int) -> Household:
    account_id, profile, reach, flags = row
    return Household(
        id=account_id,
        kind=_kind(account_id, bills, model, today),
        profile=profile,
        reach=frozenset(reach),
        flags=tuple(tuple(flag.split("=", 1)) for flag in flags),
        bills=tuple(_bills(bills, today, days)),
    )


def _kind(account_id: int, bills: list[tuple[Any, ...]], model: Model, today: date) -> Kind:
    late = [bill for bill in bills if (bill[5] or today) > bill[2] + _GRACE]  # one that is not due yet says nothing
    others = [kind for kind in model.kinds if kind.name != IN_TIME]
    if not late:
        return next(kind for kind in model.kinds if kind.name == IN_TIME)
    return Random(account_id).choices(others, [kind.share for kind in others])[0]  # noqa: S311 - a model, not a secret


def _bills(bills: list[tuple[Any, ...]], today: date, days: int) -> list[Bill]:
    """What is open today, and from then on a bill a month like the last one."""
    found = [
        Bill(claim_id, today, due, open_sum)
        for claim_id, _, due, _, open_sum, _, state in bills
        if state == "open" and open_sum > 0
    ]
    if not bills:
        return found
    _, issued, due, amount, *_ = bills[-1]
    latest = max(bill[0] for bill in bills)
    month = 1
    while (coming := issued + month * _MONTH) < today + timedelta(days=days):
        if coming >= today:
            found.append(Bill(latest + month, coming, due + month * _MONTH, amount))
        month += 1
    return found
