"""Logs as rows: what Relight's tables would hold had these acts happened, written by COPY without triggers, so that the
audit can be asked of thousands of them at once. Each log is a case of its own; each country is a partner.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
from psycopg import sql

from relight.core.actions import SupplyAction
from relight.core.facts import CaseFacts, ClaimFacts, EffectFacts, StepFacts
from relight.core.facts_record import as_json
from relight.core.levels import Level
from relight.core.restore import RESTORE
from tests.agreement.lives import ZONES
from tests.agreement.logs import Log

Row = dict[str, Any]
CURRENCIES = {"NO": "NOK", "DK": "DKK", "NL": "EUR", "SE": "SEK", "DE": "EUR", "GB": "GBP"}
PARTNERS = {country: number for number, country in enumerate(ZONES, 1)}
_TABLES = (
    "partner", "source", "policy_version", "account", "service", "dunning_case", "case_event", "claim", "claim_line",
    "transfer", "step_taken", "step_claim", "effect", "attempt", "sent_message", "task", "flag", "hold", "payment",
    "approval", "instalment_plan",
)  # fmt: skip
_ROOM = 10_000  # ids that each log may use
_BEGUN = datetime(2020, 1, 1, tzinfo=UTC)
_FAR = datetime(2059, 1, 1, tzinfo=UTC)
_LONG = timedelta(days=300)
_REASONS = {"breathing_space": "manual"}  # a flag in the database, not a reason to hold
_MINUTE = timedelta(minutes=1)


def case_of(place: int) -> int:
    """The case id of the log at a place."""
    return (place + 1) * _ROOM


def write(connection: psycopg.Connection[Any], logs: Iterable[Log]) -> None:
    """Replace all that is stored by these logs. The connection is a superuser's, in autocommit mode."""
    rows: dict[str, list[Row]] = defaultdict(list)
    _partners(rows)
    versions: dict[tuple[int, str], int] = {}
    for place, log in enumerate(logs):
        _Case(rows, log, case_of(place), versions).write()
    connection.execute("SET session_replication_role = replica")
    tables = [sql.Identifier(table) for table in _TABLES]
    connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(tables)))
    assert rows.keys() <= set(_TABLES), rows.keys()
    for table, found in rows.items():
        _copy(connection, table, found)
    connection.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(tables)))


def _copy(connection: psycopg.Connection[Any], table: str, rows: list[Row]) -> None:
    columns = list(rows[0])
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(copy) as to:
        for row in rows:
            to.write_row([row[column] for column in columns])


def _partners(rows: dict[str, list[Row]]) -> None:
    for country, id_ in PARTNERS.items():
        rows["partner"].append({
            "id": id_, "slug": country.lower(), "name": country, "country": country, "currency": CURRENCIES[country],
            "language": "en", "time_zone": ZONES[country], "mode": "live", "created_at": _BEGUN,
        })  # fmt: skip
        rows["source"].append(
            {"id": id_, "partner_id": id_, "name": "bank", "kind": "bank", "complete_until": _FAR, "required": True}
        )


class _Case:
    """The rows of one log."""

    def __init__(self, rows: dict[str, list[Row]], log: Log, base: int, versions: dict[tuple[int, str], int]):
        self.rows, self.log, self.base, self.versions = rows, log, base, versions
        self.partner = PARTNERS[log.policy.country]
        self.ids = count(base + 5_000)

    def put(self, table: str, **row: Any) -> None:
        """One row of the partner."""
        self.rows[table].append({"partner_id": self.partner, **row})

    def _id(self, of_facts: int | None) -> int | None:
        return None if of_facts is None else self.base + of_facts

    def write(self) -> None:
        """All of them."""
        self._account()
        self._claims()
        for step in self._steps():
            self._step(step)
        self._command()
        self._circumstances()

    def _account(self) -> None:
        log, base = self.log, self.base
        version = self.versions.setdefault((self.partner, log.text), len(self.versions) + 1)
        if version == len(self.rows["policy_version"]) + 1:
            self.put("policy_version", id=version, name=f"drawn-{version}", version=1, text=log.text,
                     hash=log.policy.hash, services=sorted(log.policy.services), debtor=log.policy.debtor)  # fmt: skip
        self.put("account", id=base, ref=f"A{base}", creditor_id=1, brand_id=1, debtor=log.before.debtor,
                 currency=CURRENCIES[log.policy.country], created_at=log.decided_at - 2 * _LONG)  # fmt: skip
        kinds = {service.id: service.kind for service in log.before.services} | {9: "tv"}
        for id_, kind in kinds.items():
            self.put("service", id=base + id_, ref=f"S{base + id_}", account_id=base, kind=kind, driver="simulator",
                     starts_at=log.decided_at - 2 * _LONG)  # fmt: skip
        services = sorted(log.policy.services)
        self.put("dunning_case", id=base, account_id=base, policy_version_id=version, services=services,
                 state="active", wakes_at=log.left_at, turned_at=log.left_at, version=log.number,
                 opened_at=log.decided_at - _LONG)  # fmt: skip
        self.put("case_event", case_id=base, number=log.number, code="step_taken", actor="engine", at=log.decided_at,
                 policy_hash=log.policy.hash, facts=json.dumps(self._kept(log.before)))  # fmt: skip

    def _kept(self, facts: CaseFacts) -> Mapping[str, Any]:
        """The facts as the log keeps them, with the rows' own ids of claims."""
        data = json.loads(as_json(facts))
        for claim in data["claims"]:
            claim["id"] += self.base
        return data

    # -- money

    def _claims(self) -> None:
        log = self.log
        then = {claim.id: claim for claim in log.before.claims}
        now = {claim.id: claim for claim in log.after.claims}
        named = {id_: principal for id_, principal, _ in log.claims}
        for id_ in sorted({*named, *then}):
            before, after = then.get(id_), now.get(id_)
            owed = before.principal if before else 0
            seen = before or after
            due = seen.due_date if seen else log.decided_at.date() - _LONG
            left, costs = (after.principal, after.costs) if after else (0, 0)
            self.put("claim", id=self.base + id_, account_id=self.base, creditor_id=1, number=f"F{self.base + id_}",
                     currency=CURRENCIES[log.policy.country], amount=max(owed, named.get(id_, 0), 1), principal=left,
                     costs=costs, due_date=due, state="open" if left or costs else "settled", fingerprint=b"",
                     created_at=log.decided_at - _LONG)  # fmt: skip
            self._transfers(id_, owed, left, after or before)
            for number, share in enumerate(seen.shares if seen else (), 1):
                self.put("claim_line", id=next(self.ids), claim_id=self.base + id_, number=number,
                         service_id=self.base + share.service_id, amount=max(1, share.amount))  # fmt: skip

    def _transfers(self, id_: int, owed: int, left: int, claim: ClaimFacts | None) -> None:
        log = self.log
        if owed:
            self._transfer(id_, "claim", "receivable", "revenue", "principal", owed, log.decided_at - _LONG)
        if left < owed:
            between = log.decided_at + (log.left_at - log.decided_at) / 2
            self._transfer(id_, "allocation", "customer", "receivable", "principal", owed - left, between)
        if claim is not None and claim.costs:
            at = log.decided_at - timedelta(days=1)
            self._transfer(id_, "fee", "receivable", "fee_income", "costs", claim.costs, at)

    def _transfer(self, id_: int, kind: str, debit: str, credit: str, part: str, amount: int, at: datetime) -> None:
        self.put("transfer", id=next(self.ids), account_id=self.base, claim_id=self.base + id_, kind=kind, debit=debit,
                 credit=credit, part=part, amount=amount, currency=CURRENCIES[self.log.policy.country],
                 value_date=at.date(), posted_at=at)  # fmt: skip

    # -- steps

    def _steps(self) -> list[StepFacts]:
        return [step for step in self.log.after.steps if step.number < self.log.number]

    def _step(self, step: StepFacts) -> None:
        id_ = self.base + 1_000 + step.number
        self.put("step_taken", id=id_, case_id=self.base, number=step.number, step=step.step,
                 decided_at=step.decided_at, completed_at=step.completed_at, pay_by_date=step.pay_by_date)  # fmt: skip
        for claim in step.claims:
            self.put("step_claim", id=next(self.ids), step_id=id_, claim_id=self.base + claim.claim_id,
                     principal=claim.principal, costs=claim.costs)  # fmt: skip
        for effect in step.effects:
            if effect.state == "done":
                self._effect(step, effect)
        definition = self.log.policy.by_name.get(step.step)
        for task in step.tasks:
            action = definition.do[task.part] if definition else None
            code = getattr(action, "code", "") or getattr(action, "kind", "task")
            self.put("task", id=next(self.ids), case_id=self.base, step_number=step.number, part=task.part, code=code,
                     state=task.state, created_at=step.decided_at, due_at=step.decided_at, done_at=task.done_at,
                     dedup=str(next(self.ids)))  # fmt: skip
        offers = (action.kind == "plan_offer" for action in definition.do) if definition else ()
        for part, is_offer in enumerate(offers):
            if is_offer and all(task.part != part for task in step.tasks):
                self._offer(step)

    def _offer(self, step: StepFacts) -> None:
        """A plan that the step offered, whatever came of it."""
        self.put("instalment_plan", id=next(self.ids), case_id=self.base, account_id=self.base, name="standard",
                 state="withdrawn", step_number=step.number, months_min=2, months_max=12, offered_at=step.decided_at,
                 offered_by="relight", valid_until=step.decided_at.date() + _LONG)  # fmt: skip

    def _effect(self, step: StepFacts, effect: EffectFacts) -> None:
        assert effect.finished_at is not None
        id_, letter = next(self.ids), effect.channel == "letter"
        sent_at = effect.finished_at - timedelta(days=letter * self.log.letters_take)
        level = _level(self.log, step, effect)
        self.put("effect", id=id_, case_id=self.base, account_id=self.base, event_number=step.number,
                 step_number=step.number, part=effect.part, key=str(id_), kind=effect.kind, channel=effect.channel,
                 template=effect.template, service_id=self._id(effect.service_id), level=level, state="done",
                 due_at=effect.due_at, created_at=step.decided_at, finished_at=sent_at)  # fmt: skip
        if effect.kind == "supply":
            self._attempt(id_, effect.finished_at)
            return
        self.put("sent_message", id=next(self.ids), effect_id=id_, case_id=self.base, account_id=self.base, party_id=1,
                 contact_point_id=1, channel=effect.channel, template=effect.template, language="en", amount=1,
                 released_at=sent_at, sent_at=sent_at, delivered_at=effect.finished_at if letter else None,
                 undeliverable_at=self._undeliverable(effect))  # fmt: skip

    def _undeliverable(self, effect: EffectFacts) -> datetime | None:
        if not effect.failed:
            return None
        known = any(one.id == effect.id and one.failed for step in self.log.before.steps for one in step.effects)
        return self.log.decided_at - _MINUTE if known else self.log.left_at - _MINUTE / 4

    def _attempt(self, effect_id: int, at: datetime) -> None:
        self.put("attempt", id=next(self.ids), effect_id=effect_id, number=1, driver="simulator", started_at=at,
                 send_before=at, finished_at=at, result="done")  # fmt: skip

    # -- the act, and what was so around it

    def _command(self) -> None:
        log, id_ = self.log, self.base + 1_000 + self.log.number
        self.put("step_taken", id=id_, case_id=self.base, number=log.number, step=log.step, decided_at=log.decided_at,
                 completed_at=None, pay_by_date=log.pay_by)  # fmt: skip
        for claim_id, principal, costs in log.claims:
            self.put("step_claim", id=next(self.ids), step_id=id_, claim_id=self.base + claim_id, principal=principal,
                     costs=costs)  # fmt: skip
        if log.due is None:
            return
        assert log.due.service_id is not None
        effect_id = self.base + 9_000
        self.put("effect", id=effect_id, case_id=self.base, account_id=self.base, event_number=log.number,
                 step_number=log.number, part=log.due.part, key=str(effect_id), kind="supply", channel="", template="",
                 service_id=self.base + log.due.service_id, level=log.due.level, state="done", due_at=log.decided_at,
                 created_at=log.decided_at, finished_at=log.left_at)  # fmt: skip
        self.rows["attempt"].append({
            "partner_id": self.partner, "id": effect_id + 900, "effect_id": effect_id, "number": 1,
            "driver": "simulator", "started_at": log.left_at, "send_before": log.left_at, "finished_at": log.left_at,
            "result": "done",
        })  # fmt: skip

    def _circumstances(self) -> None:
        log, base = self.log, self.base
        for name, value in log.after.flags.items():
            self.put("flag", id=next(self.ids), name=name, value=value, account_id=base,
                     starts_at=log.decided_at - 2 * _LONG, source="drawn")  # fmt: skip
        for hold in log.after.holds:
            self.put("hold", id=next(self.ids), account_id=base, amount=hold.amount, starts_at=hold.starts_at,
                     claim_id=self._id(hold.claim_id), service_id=self._id(hold.service_id), ends_at=hold.ends_at,
                     reason=_REASONS.get(hold.reason, hold.reason), placed_by="bente")  # fmt: skip
        for payment in log.after.payments:
            if payment.state in ("ordered", "authorised"):
                self.put("payment", id=next(self.ids), account_id=base, source_id=self.partner, state=payment.state,
                         ref=f"P{next(self.ids)}", amount=payment.amount, currency=CURRENCIES[log.policy.country],
                         value_date=payment.received_at.date(), received_at=payment.received_at)  # fmt: skip
        wanted = {"person": ["ola"], "two_people": ["ola", "kari"]}.get(log.policy.step(log.step).approval, [])
        for one in log.before.approvals:
            if one.state == "granted":
                self.put("approval", id=next(self.ids), kind="step", case_id=base, step=one.step, state="spent",
                         claims=[base + id_ for id_ in sorted(one.claims)], needs=max(1, len(wanted)),
                         requested_at=one.decided_at, requested_by="relight", decided_at=one.decided_at,
                         decided_by=wanted)  # fmt: skip


def _level(log: Log, step: StepFacts, effect: EffectFacts) -> str:
    if effect.kind != "supply":
        return ""
    definition = log.policy.by_name.get(step.step)
    if step.step == RESTORE or definition is None:
        return Level.FULL.value
    action = definition.do[effect.part]
    return action.level.value if isinstance(action, SupplyAction) else Level.FULL.value
