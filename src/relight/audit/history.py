"""What was so at the moment of a cut: rebuilt from dated rows, without asking what the decision believed.

A cut is an attempt at a command that left a customer with less than the last command that had succeeded. Repeats are
cuts of their own: whatever leaves must be allowed to leave.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from relight.audit.policies import LEVEL_ACTS, Policy, Step, published
from relight.audit.reading import Reading, Row, statements

SQL = statements("history.sql")
PAGE = 500
_RANK = {"no": 0, "unknown": 1, "yes": 2}


@dataclass(frozen=True)
class Sent:
    """A message that had left, and when it had arrived (letters that nobody reported on: five days later)."""

    template: str
    channel: str
    part: int
    at: datetime
    arrived_at: datetime


@dataclass(frozen=True)
class Done:
    """Work that a person had done."""

    code: str
    part: int | None
    done_at: datetime


@dataclass(frozen=True)
class Earlier:
    """A step that a claim had been through, with the messages that left and the work that was done. `gives` is every
    time to pay that its letters gave, under the version that sent them: a case may have been moved since."""

    name: str
    decided_at: datetime
    completed_at: datetime | None
    pay_by_date: date | None
    proof: str
    sent: tuple[Sent, ...]
    tasks: tuple[Done, ...]
    gives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Basis:
    """A claim that a cut rests on. `principal` and `costs` are what was owed when it left, in minor units.

    `disputed`, `believed` and `costs_then` are the part under objection, the principal and the costs that the decision
    saw, since only that is kept. `owed_then` are the lowest and highest principal that the transfers come to around the
    decision, and `held_then` is what was on hold then.
    """

    claim_id: int
    number: str
    due_date: date
    principal: int
    costs: int
    held: int
    disputed: int
    believed: int | None
    costs_then: int
    held_then: int
    owed_then: tuple[int, int]
    is_for_service: bool
    earlier: tuple[Earlier, ...]

    @property
    def countable(self) -> int:
        """Principal that nobody disputes or holds."""
        return max(0, self.principal - self.disputed - self.held)

    @property
    def when_decided(self) -> "Basis":
        """The claim with what was owed on it when the step was decided."""
        if self.believed is None:
            return self
        return replace(self, principal=self.believed, costs=self.costs_then, held=self.held_then)

    @property
    def was_owed(self) -> bool:
        """Whether anything of it counted when the step was decided, as the decision saw it."""
        if self.believed is None:
            return False
        countable = max(0, self.believed - self.disputed - self.held_then)
        return countable > 0 or (not self.believed and self.costs_then > 0)

    @property
    def owed(self) -> int:
        """What counts towards a cut: costs only beside principal that counts, or when none is left."""
        return self.countable + self.costs if self.countable or not self.principal else 0


@dataclass(frozen=True)
class Cut:
    """A cut with everything known at its moment. `row` is the attempt with its effect, step and event; what people were
    asked to cut has no attempt, and its moment is the decision's."""

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

    def left(self, today: date) -> tuple[Basis, ...]:
        """The claims that were overdue and undisputed when it left, and not paid."""
        return tuple(claim for claim in self.claims if claim.due_date < today and claim.owed > 0)

    @property
    def acts(self) -> frozenset[str]:
        """What it is in law."""
        if self.row["level"] is not None:
            return frozenset(LEVEL_ACTS.get(self.row["level"], ()))
        return self.step.by_people if self.step else frozenset()

    @property
    def takes_away(self) -> bool:
        """Whether the customer loses a service by it: all but a hand-over to an agency."""
        return bool(self.acts - {"agency_handoff"}) or not self.acts

    @property
    def services(self) -> frozenset[str]:
        """The kinds of service that it is about."""
        kind = self.row["service_kind"]
        return frozenset({kind}) if kind is not None else self.policy.services

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
        known = _Known(reading, rows, policies, ids)
        for row in rows:
            policy = policies[ids.get(row["policy_hash"]) or row["policy_version_id"]]
            yield known.cut(row, policy)
    yield from _by_people(reading, policies, ids)


def _by_people(reading: Reading, policies: dict[int, Policy], ids: dict[str, int]) -> Iterator[Cut]:
    """Cuts and hand-overs that people were asked to make: the steps that ask for them, as of their decision."""
    names = sorted({step.name for policy in policies.values() for step in policy.steps.values() if step.by_people})
    after = 0
    while names and (rows := reading.rows(SQL.asked, after=after, limit=PAGE, names=names)):
        after = rows[-1]["step_id"]
        known = _Known(reading, rows, policies, ids)
        for row in rows:
            policy = policies[ids.get(row["policy_hash"]) or row["policy_version_id"]]
            if row["step"] in policy.steps and policy.steps[row["step"]].by_people:
                yield known.cut(row, policy)


class _Known:
    """What one page of cuts needs, read set-based and grouped by attempt."""

    def __init__(self, reading: Reading, rows: list[Row], policies: dict[int, Policy], ids: dict[str, int]):
        self.policies, self.ids = policies, ids
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
            claims=tuple(self._basis(id_, claim, believed, policy) for claim in self.claims.get(id_, [])),
            flags=_worst(self.flags.get(id_, [])),
            holds=tuple(self.holds.get(id_, [])),
            in_transit=tuple(one for one in money if one["credit"] is None),
            credit=sum(one["credit"] or 0 for one in money),
            approvals=tuple(self.approvals.get(id_, [])),
        )

    def _basis(self, attempt_id: int, row: Row, believed: dict[int, dict[str, Any]], policy: Policy) -> Basis:
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
            costs_then=seen.get("costs", 0),
            held_then=row["held_then"],
            owed_then=(
                min(row["decided_before"], row["decided_after"]),
                max(row["decided_before"], row["decided_after"]),
            ),
            is_for_service=not row["lines_for_services"] or row["lines_for_service"] > 0,
            earlier=tuple(
                _earlier(one, self.policies.get(self.ids.get(one["policy_hash"], 0), policy)) for one in earlier
            ),
        )


def _earlier(row: Row, sent_under: Policy) -> Earlier:
    step = sent_under.steps.get(row["step"])
    return Earlier(
        name=row["step"],
        decided_at=row["decided_at"],
        completed_at=row["completed_at"],
        pay_by_date=row["pay_by_date"],
        proof=row["proof"],
        sent=tuple(
            Sent(template, channel, part, datetime.fromisoformat(at), datetime.fromisoformat(arrived_at))
            for template, channel, part, at, arrived_at in row["sent"]
        ),
        tasks=tuple(Done(code, part, datetime.fromisoformat(at)) for code, part, at in row["tasks"]),
        gives=step.gives if step else (),
    )


def _worst(rows: list[Row]) -> dict[str, str]:
    """One answer a flag: a yes anywhere is yes, else an unknown anywhere is unknown."""
    found: dict[str, str] = {}
    for row in rows:
        if _RANK[row["value"]] > _RANK.get(found.get(row["name"], ""), -1):
            found[row["name"]] = row["value"]
    return found
