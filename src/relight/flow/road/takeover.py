"""Running cases are taken over: a step that was completed elsewhere stands in the case as if it had been taken here.

What follows goes on from there: the next step counts from the completion that the proof shows.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from relight.flow.cases.operations import append_event, lock_accounts, open_cases, wake
from relight.flow.cases.policies import PolicyShelf
from relight.flow.claims.cells import Row
from relight.flow.claims.fields import Fields, Problem, RowReader
from relight.flow.database import Tx, statements

SQL = statements(__package__, "intake.sql")
_BETWEEN_NUMBERS = re.compile(r"[\s;,|]+")


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
        found = ReadStep(
            line=reader.line,
            account=reader.needed("account"),
            step=reader.needed("step"),
            completed_date=reader.date("completed_date", needed=True),
            pay_by_date=reader.date("pay_by_date"),
            numbers=tuple(filter(None, _BETWEEN_NUMBERS.split(reader.needed("claims")))),
            proof=reader.needed("proof"),
        )
        return found._replace(problems=tuple(reader.problems))


class TakeOver:
    """One batch of steps, in the caller's transaction."""

    def __init__(self, tx: Tx, now: datetime):
        self.tx, self.now = tx, now
        self.zone = ZoneInfo(
            tx.value("SELECT time_zone FROM partner WHERE id = %(partner)s", {"partner": tx.partner_id})
        )
        self.policies = PolicyShelf()
        self.accepted = self.unchanged = 0

    def run(self, batch: Sequence[ReadStep]) -> list[Problem]:
        """Lock the accounts, open their cases, write the steps oldest first; what kept rows out."""
        good = [found for found in batch if not found.problems]
        accounts = dict(self.tx.rows(SQL.find_accounts, {"refs": list({found.account for found in good})}))
        ids = sorted(accounts.values())
        lock_accounts(self.tx, ids)
        open_cases(self.tx, ids, self.now)
        problems = [problem for found in batch for problem in found.problems]
        for found in sorted(good, key=lambda found: (found.completed_date, found.line)):
            problem = self._take(found, accounts.get(found.account))
            if problem:
                problems.append(Problem(found.line, *problem))
        wake(self.tx, ids, self.now, urgent=False)
        return sorted(problems)

    def _take(self, found: ReadStep, account_id: int | None) -> tuple[str, str] | None:
        """Write one step; the field and reason when it cannot be."""
        if account_id is None:
            return "account", f"There is no account {found.account}. Import its invoices first."
        completed_at = datetime.combine(found.completed_date or self.now.date(), time(12), self.zone)
        if completed_at > self.now:
            return "completed_date", "The step lies in the future. Only steps that are complete can be taken over."
        claims = self.tx.rows(SQL.claims, {"account": account_id, "numbers": list(found.numbers)})
        missing = sorted(set(found.numbers) - {claim[1] for claim in claims})
        if missing:
            return "claims", f"Account {found.account} has no invoice {', '.join(missing)}. Import it first."
        early = [number for _, number, _, _, _, due in claims if due >= completed_at.date()]
        if early:
            return "claims", f"Invoice {early[0]} was not due yet on that day. Correct the date or the invoice."
        still_open = [claim for claim in claims if claim[2] == "open"]
        if not still_open:
            return "claims", "All of these invoices are settled, so there is nothing to go on with. Leave the row out."
        return self._write(found, account_id, completed_at, [claim[0] for claim in still_open])

    def _write(
        self, found: ReadStep, account_id: int, completed_at: datetime, claims: list[int]
    ) -> tuple[str, str] | None:
        case = self.tx.row(SQL.open_case, {"account": account_id, "claims": claims})
        if case is None:
            return "account", "No published policy covers these invoices. Publish one for their service and debtor."
        case_id, version_id = case
        names = [step.name for step in self.policies.get(self.tx, version_id).steps]
        if found.step not in names:
            return "step", f"The policy has no step {found.step!r}. Its steps are {', '.join(names)}."
        params: dict[str, Any] = {"case": case_id, "step": found.step, "completed_at": completed_at, "claims": claims}
        if self.tx.value(SQL.same_step, params):
            self.unchanged += 1
            return None
        number = append_event(
            self.tx,
            case_id=case_id,
            code="step_taken_over",
            actor="import",
            now=self.now,
            params={"step": found.step, "at": completed_at.isoformat(), "claims": claims, "proof": found.proof},
        )
        more = {"partner": self.tx.partner_id, "number": number, "pay_by": found.pay_by_date, "proof": found.proof}
        self.tx.run(SQL.take_over, {**params, **more})
        self.accepted += 1
        return None
