"""What was so at the moment of a cut: rebuilt from dated rows, without asking what the decision believed.

A cut is an attempt at a command that left a customer with less than the last command that had succeeded. Repeats are
cuts of their own: whatever leaves must be allowed to leave.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from relight.audit.policies import Policy, Step, published
from relight.audit.reading import Reading, Row, statements

SQL = statements("history.sql")
PAGE = 500
_RANK = {"no": 0, "unknown": 1, "yes": 2}


@dataclass(frozen=True)
class Earlier:
    """A step that a claim had been through: `sent` are (template, channel, moment) of the messages that left."""

    name: str
    decided_at: datetime
    completed_at: datetime | None
    pay_by_date: date | None
    proof: str
    sent: tuple[tuple[str, str, datetime], ...]
    tasks: frozenset[str]


@dataclass(frozen=True)
class Basis:
    """A claim that a cut rests on. `principal` and `costs` are what was owed when it left, in minor units.

    `disputed` and `believed` are the part under objection and the principal that the decision saw, since only that is
    kept. `owed_then` are the lowest and highest principal that the transfers come to around the decision.
    """

    claim_id: int
    number: str
    due_date: date
    principal: int
    costs: int
    held: int
    disputed: int
    believed: int | None
    owed_then: tuple[int, int]
    is_for_service: bool
    earlier: tuple[Earlier, ...]

    @property
    def countable(self) -> int:
        """Principal that nobody disputes or holds."""
        return max(0, self.principal - self.disputed - self.held)

    @property
    def owed(self) -> int:
        """What counts towards a cut: costs only beside principal that counts, or when none is left."""
        return self.countable + self.costs if self.countable or not self.principal else 0


@dataclass(frozen=True)
class Cut:
    """A cut with everything known at its moment. `row` is the attempt with its effect, step and event."""

    row: Row
    moment: datetime
    policy: Policy
    step: Step | None
    facts: dict[str, Any]
    claims: tuple[Basis, ...] = ()
    flags: dict[str, str] = field(default_factory=dict)
    holds: tuple[Row, ...] = ()
    in_transit: tuple[Row, ...] = ()
    credit: int = 0
    approvals: tuple[Row, ...] = ()

    @property
    def services_desired(self) -> frozenset[str]:
        """The levels that the account's services were to be at, as the decision saw them."""
        return frozenset(str(service["desired"]) for service in self.facts.get("services", []))


def cuts(reading: Reading) -> Iterator[Cut]:
    """All cuts of a reading, in the order in which they left; a page of them in memory at a time."""
    policies, ids = published(reading)
    after = 0
    while rows := reading.rows(SQL.page, after=after, limit=PAGE):
        after = rows[-1]["attempt_id"]
        known = _Known(reading, rows)
        for row in rows:
            policy = policies[ids.get(row["policy_hash"]) or row["policy_version_id"]]
            yield known.cut(row, policy)


class _Known:
    """What one page of cuts needs, read set-based and grouped by attempt."""

    def __init__(self, reading: Reading, rows: list[Row]):
        given = {
            "attempts": [row["attempt_id"] for row in rows],
            "accounts": [row["account_id"] for row in rows],
            "cases": [row["case_id"] for row in rows],
            "services": [row["service_id"] for row in rows],
            "moments": [row["started_at"] for row in rows],
            "steps": [row["step_id"] for row in rows],
            "names": [row["step"] or "" for row in rows],
            "decided": [row["decided_at"] for row in rows],
        }

        def read(statement: str) -> dict[int, list[Row]]:
            grouped: dict[int, list[Row]] = defaultdict(list)
            for row in reading.rows(statement, **given):
                grouped[row["attempt_id"]].append(row)
            return grouped

        self.claims, self.earlier, self.flags = read(SQL.claims), read(SQL.earlier), read(SQL.flags)
        self.holds, self.money, self.approvals = read(SQL.holds), read(SQL.money), read(SQL.approvals)

    def cut(self, row: Row, policy: Policy) -> Cut:
        id_ = row["attempt_id"]
        facts = row["facts"] or {}
        believed = {claim["id"]: claim for claim in facts.get("claims", [])}
        money = self.money.get(id_, [])
        return Cut(
            row=row,
            moment=row["started_at"],
            policy=policy,
            step=policy.steps.get(row["step"] or ""),
            facts=facts,
            claims=tuple(self._basis(id_, claim, believed) for claim in self.claims.get(id_, [])),
            flags=_worst(self.flags.get(id_, [])),
            holds=tuple(self.holds.get(id_, [])),
            in_transit=tuple(one for one in money if one["credit"] is None),
            credit=sum(one["credit"] or 0 for one in money),
            approvals=tuple(self.approvals.get(id_, [])),
        )

    def _basis(self, attempt_id: int, row: Row, believed: dict[int, dict[str, Any]]) -> Basis:
        seen = believed.get(row["claim_id"], {})
        due = date.fromisoformat(seen["due_date"]) if seen else row["due_date"]
        earlier = [one for one in self.earlier.get(attempt_id, []) if one["claim_id"] == row["claim_id"]]
        return Basis(
            claim_id=row["claim_id"],
            number=row["number"],
            due_date=due,
            principal=row["principal"],
            costs=row["costs"],
            held=row["held"],
            disputed=seen.get("disputed", 0),
            believed=seen.get("principal"),
            owed_then=(
                min(row["decided_before"], row["decided_after"]),
                max(row["decided_before"], row["decided_after"]),
            ),
            is_for_service=not row["lines_for_services"] or row["lines_for_service"] > 0,
            earlier=tuple(_earlier(one) for one in earlier),
        )


def _earlier(row: Row) -> Earlier:
    return Earlier(
        name=row["step"],
        decided_at=row["decided_at"],
        completed_at=row["completed_at"],
        pay_by_date=row["pay_by_date"],
        proof=row["proof"],
        sent=tuple((template, channel, datetime.fromisoformat(at)) for template, channel, at in row["sent"]),
        tasks=frozenset(row["tasks"]),
    )


def _worst(rows: list[Row]) -> dict[str, str]:
    """One answer a flag: a yes anywhere is yes, else an unknown anywhere is unknown."""
    found: dict[str, str] = {}
    for row in rows:
        if _RANK[row["value"]] > _RANK.get(found.get(row["name"], ""), -1):
            found[row["name"]] = row["value"]
    return found
