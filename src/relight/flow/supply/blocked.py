"""Periods in which services were blocked, for billing: some laws let nobody charge a subscription meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from relight.core.rules.lawbook import packaged_law
from relight.core.rules.model import MaxAmount
from relight.flow.database import Tx, statements

SQL = statements(__package__, "blocked.sql")
NO_FEE = "fee.subscription_while_blocked"
_ARREARS = "arrears"


@dataclass(frozen=True, slots=True)
class Blocked:
    """One reason for one service. `ended_at` is None while it lasts; both are the partner's local moments. `no_fee`
    is the section that forbids a subscription fee meanwhile, where one does."""

    service: str
    account: str
    kind: str
    reason: str
    level: str
    started_at: datetime
    ended_at: datetime | None
    no_fee: str


def blocked_periods(tx: Tx, first: date, last: date) -> Iterator[Blocked]:
    """All blocks that touch the days from `first` to `last`, these included, by service and start; read as they are
    asked for, while the transaction lasts."""
    for service, account, kind, debtor, reason, level, starts, ends, zone, country in tx.stream(
        SQL.blocked, {"first": first, "last": last}
    ):
        here = ZoneInfo(zone)
        law = _no_fee(country, kind, debtor) if reason == _ARREARS else ""
        yield Blocked(
            service, account, kind, reason, level, starts.astimezone(here),
            ends.astimezone(here) if ends is not None else None, law,
        )  # fmt: skip


@lru_cache(maxsize=64)
def _no_fee(country: str, kind: str, debtor: str) -> str:
    """The section that forbids a subscription fee while a service is blocked for arrears; empty where none does."""
    for pack in packaged_law().packs:
        for rule in pack.rules if pack.country == country else ():
            applies, demand = rule.applies, rule.demand
            whom = (not applies.service or kind in applies.service) and (not applies.debtor or debtor in applies.debtor)
            if NO_FEE in rule.targets and whom and isinstance(demand, MaxAmount) and demand.forbidden:
                return rule.law
    return ""
