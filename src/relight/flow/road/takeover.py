"""Running cases are taken over: a step that was completed elsewhere stands in the case as if it had been taken here.

What follows goes on from there: the next step counts from the completion that the proof shows.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from relight.core.policy import Policy
from relight.flow.cases.opening import open_cases
from relight.flow.cases.operations import lock_accounts, wake
from relight.flow.cases.policies import PolicyShelf
from relight.flow.claims.cells import Row
from relight.flow.claims.fields import Fields, Problem, RowReader
from relight.flow.database import Tx, statements
from relight.flow.road.report import Report

SQL = statements(__package__, "takeover.sql")
_BETWEEN_NUMBERS = re.compile(r"[\s;,|]+")

Refused = tuple[str, str]


class ReadStep(NamedTuple):
    """A step as the file tells it; `problems` keep it out."""

    line: int
    account: str = ""
    step: str = ""
    completed_date: date | None = None
    pay_by_date: date | None = None
    numbers: tuple[str, ...] = ()
    proof: str = ""
    problems: tuple[Problem, ...] = ()


class TakeOverReader:
    """Reads the rows of one file."""

    def __init__(self, fields: Fields):
        self.fields = fields

    def read(self, rows: Iterable[Row]) -> Iterator[ReadStep]:
        """Steps in the order of the file."""
        for row in rows:
            if row.broken is not None:
                yield ReadStep(row.line, problems=(self.fields.broken(row, row.broken),))
            else:
                yield self._read_row(RowReader(self.fields, row))

    def _read_row(self, reader: RowReader) -> ReadStep:
        completed, pay_by = reader.date("completed_date", needed=True), reader.date("pay_by_date")
        if completed and pay_by and pay_by < completed:
            reader.refuse("pay_by_date", "The term ends before the step was complete. Correct one of the dates.")
        found = ReadStep(
            line=reader.line,
            account=reader.needed("account"),
            step=reader.needed("step"),
            completed_date=completed,
            pay_by_date=pay_by,
            numbers=tuple(dict.fromkeys(filter(None, _BETWEEN_NUMBERS.split(reader.needed("claims"))))),
            proof=reader.needed("proof"),
        )
        return found._replace(problems=tuple(reader.problems))


class _Claim(NamedTuple):
    """An invoice that a row names, and the open case that follows it up."""

    number: str
    id: int
    is_open: bool
    due_date: date
    case_id: int | None
    version_id: int | None


class _Standing(NamedTuple):
    """A step that already stands in a case, and the claims it covers."""

    step: str
    decided_at: datetime
    completed_at: datetime | None
    claims: frozenset[int]


@dataclass(slots=True)
class _Batch:
    """What is known about the batch's accounts, read under their locks, and the steps to write."""

    now: datetime
    zone: ZoneInfo
    accounts: dict[str, int]
    claims: dict[tuple[int, str], _Claim]
    policies: dict[int, Policy]
    taken: dict[int, list[_Standing]]
    writes: list[tuple[int, str, datetime, date | None, str, str]] = field(default_factory=list)
    unchanged: int = 0


def take_over(report: Report, batch: Sequence[ReadStep], now: datetime, tx: Tx) -> Report:
    """Lock the accounts, open their cases, write the steps oldest first; what became of the rows."""
    part = report.part()
    good = [found for found in batch if not found.problems]
    known = _look(tx, good, now)
    part.errors += [problem for found in batch for problem in found.problems]
    for found in sorted(good, key=lambda found: (found.completed_date, found.line)):
        refused = _judge(known, found)
        if refused:
            part.errors.append(Problem(found.line, *refused))
    part.errors.sort()
    _write(tx, known)
    wake(tx, sorted(known.accounts.values()), now, urgent=False)
    part.read, part.accepted, part.unchanged = len(batch), len(known.writes), known.unchanged
    return part


def _look(tx: Tx, good: Sequence[ReadStep], now: datetime) -> _Batch:
    accounts = dict(tx.rows(SQL.find_accounts, {"refs": sorted({found.account for found in good})}))
    ids = sorted(accounts.values())
    lock_accounts(tx, ids)
    open_cases(tx, ids, now)
    numbers = sorted({number for found in good for number in found.numbers})
    claims = {
        (account_id, number): _Claim(number, *rest)
        for account_id, number, *rest in tx.rows(SQL.claims, {"accounts": ids, "numbers": numbers})
    }
    shelf = PolicyShelf()
    versions = {claim.version_id for claim in claims.values() if claim.version_id is not None}
    taken: dict[int, list[_Standing]] = defaultdict(list)
    cases = sorted({claim.case_id for claim in claims.values() if claim.case_id is not None})
    for case_id, step, decided_at, completed_at, covered in tx.rows(SQL.steps, {"cases": cases}):
        taken[case_id].append(_Standing(step, decided_at, completed_at, frozenset(covered)))
    zone = ZoneInfo(tx.value(SQL.time_zone, {"partner": tx.partner_id}))
    return _Batch(now, zone, accounts, claims, {id_: shelf.get(tx, id_) for id_ in versions}, taken)


def _judge(known: _Batch, found: ReadStep) -> Refused | None:
    """Put one step among those to write; the field and reason when it cannot be."""
    account_id = known.accounts.get(found.account)
    if account_id is None:
        return "account", f"There is no account {found.account}. Import its invoices first."
    assert found.completed_date is not None, "a row without it is refused when it is read"
    completed_at = datetime.combine(found.completed_date, time(12), known.zone)
    if found.completed_date >= known.now.astimezone(known.zone).date():
        return "completed_date", "The step was not complete before today. Only steps that are complete are taken over."
    claims = [known.claims.get((account_id, number)) for number in found.numbers]
    missing = [number for number, claim in zip(found.numbers, claims, strict=True) if claim is None]
    if missing:
        return "claims", f"Account {found.account} has no invoice {', '.join(missing)}. Import it first."
    there = [claim for claim in claims if claim is not None]
    early = [claim.number for claim in there if claim.due_date >= found.completed_date]
    if early:
        return "claims", f"Invoice {early[0]} was not overdue yet on that day. Correct the date or the invoice."
    still_open = [claim for claim in there if claim.is_open]
    if not still_open:
        return "claims", "All of these invoices are settled, so there is nothing to go on with. Leave the row out."
    return _place(known, found, completed_at, still_open)


def _place(known: _Batch, found: ReadStep, completed_at: datetime, claims: Sequence[_Claim]) -> Refused | None:
    cases = {(claim.case_id, claim.version_id) for claim in claims}
    case_id, version_id = next(iter(cases))
    if any(case is None for case, _ in cases) or case_id is None or version_id is None:
        return "account", "No published policy covers these invoices. Publish one for their service and debtor."
    if len(cases) > 1:
        return "claims", "These invoices belong to different cases. Give each service's invoices a row of their own."
    policy = known.policies[version_id]
    order = {step.name: at for at, step in enumerate(policy.steps)}
    if found.step not in order:
        return "step", f"The policy has no step {found.step!r}. Its steps are {', '.join(order)}."
    ids = frozenset(claim.id for claim in claims)
    covering = [standing for standing in known.taken[case_id] if standing.claims & ids]
    if any(standing.step == found.step and standing.completed_at == completed_at for standing in covering):
        known.unchanged += 1
        return None
    later = next((one.step for one in covering if order.get(one.step, -1) >= order[found.step]), None)
    if later:
        return "step", f"The case has already come to {later} for these invoices. Give each step once, in order."
    newer = next((one for one in covering if one.decided_at > completed_at), None)
    if newer:  # what it gave the customer time for would be cut short by an older step that comes after it
        day = newer.decided_at.astimezone(known.zone).date()
        return "step", f"Since then, on {day}, these invoices came to {newer.step}. If that was wrong, void it first."
    known.taken[case_id].append(_Standing(found.step, completed_at, completed_at, ids))
    known.writes.append((case_id, found.step, completed_at, found.pay_by_date, found.proof, json.dumps(sorted(ids))))
    return None


def _write(tx: Tx, known: _Batch) -> None:
    if known.writes:
        names = ("cases", "steps", "completed", "pay_by", "proofs", "claims")
        columns = dict(zip(names, map(list, zip(*known.writes, strict=True)), strict=True))
        tx.run(SQL.take_over, {**columns, "partner": tx.partner_id, "now": known.now})
