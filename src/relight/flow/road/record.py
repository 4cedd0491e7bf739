"""Recording: everything that a batch of decisions changes, written set-based in the transaction that read the facts."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from relight.core.decision import Decision, EffectDraft
from relight.core.facts import CaseFacts
from relight.core.facts_record import as_json, digest
from relight.core.law import Reason
from relight.flow.cases import plans
from relight.flow.cases.operations import ITSELF
from relight.flow.cases.voiding import take_back
from relight.flow.claims import fees, interest
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Tx, statements

SQL = statements(__package__, "record.sql")


class VersionMoved(RuntimeError):
    """A case changed between reading its facts and recording its decision: the batch rolls back and is done again."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision with what it was made from."""

    decision: Decision
    facts: CaseFacts
    policy_hash: str
    law_hash: str

    def number(self, event: int) -> int:
        """The log number of the decision's event with this index."""
        return self.decision.version + 1 + event

    def key(self, index: int, effect: EffectDraft) -> str:
        """What the outside sees of the decision's effect with this index."""
        return f"{self.facts.partner.id}-{self.decision.case_id}-{self.number(effect.event)}-{index}"


def record(tx: Tx, decided: Sequence[Decided], now: datetime) -> None:
    """Write a batch. The caller holds the accounts' locks and owns the transaction."""
    if not decided:
        return
    with tx.together():
        written = _cases(tx, decided, now)
        _events(tx, decided, now)
        _steps(tx, decided, now)
        _effects(tx, decided, now)
        _supply(tx, decided, now)
        _money(tx, decided, now)
        _people(tx, decided, now)
        _plans(tx, decided, now)
        _apologies(tx, decided)
    if written() != len(decided):
        raise VersionMoved(f"{len(decided) - written()} of {len(decided)} cases changed under the lock")


def _columns(rows: Iterable[Sequence[Any]], *names: str) -> dict[str, list[Any]]:
    """Rows turned into the arrays that `unnest` takes; empty without rows."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return dict(zip(names, columns, strict=True)) if columns else {}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _run(tx: Tx, statement: str, columns: dict[str, list[Any]], **more: Any) -> None:
    """Run a set-based statement unless there is nothing to write."""
    if columns:
        tx.run(statement, {**columns, "partner": tx.partner_id, **more})


def _cases(tx: Tx, decided: Sequence[Decided], now: datetime) -> Callable[[], int]:
    decisions = [one.decision for one in decided]
    columns = _columns(
        (
            (d.case_id, d.version, d.state, d.wakes_at, len(d.events), d.arrears, d.step, d.next_step, d.next_at,
             d.waits_for)
            for d in decisions
        ),
        "ids", "versions", "states", "wakes", "counts", "arrears", "steps", "next_steps", "next_ats", "waits",
    )  # fmt: skip
    return tx.run_together(SQL.cases, {**columns, "now": now})


def _events(tx: Tx, decided: Sequence[Decided], now: datetime) -> None:
    rows: list[tuple[Any, ...]] = []
    for one in decided:
        if not one.decision.events:
            continue
        told = as_json(one.facts)
        seen = digest(told, now)
        for index, event in enumerate(one.decision.events):
            reasons = _json([_reason(reason) for reason in event.reasons])
            rows.append(
                (one.decision.case_id, one.number(index), event.code, _json(event.params), reasons,
                 one.policy_hash, one.law_hash, seen, told if event.keep_facts else None)
            )  # fmt: skip
    columns = _columns(rows, "cases", "numbers", "codes", "params", "reasons", "policies", "laws", "hashes", "facts")
    _run(tx, SQL.events, columns, now=now, calendar=decided[0].facts.partner.calendar.hash)


def _reason(reason: Reason) -> dict[str, Any]:
    written: dict[str, Any] = {"code": reason.code, "params": dict(reason.params)}
    return {**written, "law": reason.law} if reason.law else written


def _steps(tx: Tx, decided: Sequence[Decided], now: datetime) -> None:
    taken = [(one, step) for one in decided for step in one.decision.steps]
    steps = _columns(
        ((one.decision.case_id, one.number(s.event), s.step, s.pay_by_date) for one, s in taken),
        "cases", "numbers", "steps", "pay_by",
    )  # fmt: skip
    if steps:
        names = ("of_cases", "of_numbers", "claims", "principals", "costs")
        covered = _columns(
            ((one.decision.case_id, one.number(s.event), *claim) for one, s in taken for claim in s.claims), *names
        )
        _run(tx, SQL.steps, {**steps, **(covered or {name: [] for name in names})}, now=now)
    completed = _columns((pair for one in decided for pair in one.decision.completed_steps), "ids", "ats")
    _run(tx, SQL.complete_steps, completed)
    _void(tx, [one.decision for one in decided if one.decision.voided_steps], now)


def _void(tx: Tx, decisions: Sequence[Decision], now: datetime) -> None:
    """Steps that were withdrawn, with what they charged: nobody owes a fee for a letter that did not reach them."""
    steps = [id_ for decision in decisions for id_ in decision.voided_steps]
    if steps:
        tx.run(SQL.void_steps, {"ids": steps, "now": now})
        take_back(tx, steps, sorted({decision.account_id for decision in decisions}), actor=ITSELF, now=now)


def _ids(tx: Tx, statement: str, ids: list[int], now: datetime, **more: Any) -> None:
    if ids:
        tx.run(statement, {"ids": ids, "now": now, **more})


def _effects(tx: Tx, decided: Sequence[Decided], now: datetime) -> None:
    rows = [_effect_row(one, index, effect) for one in decided for index, effect in enumerate(one.decision.effects)]
    columns = _columns(
        rows, "cases", "accounts", "numbers", "steps", "parts", "keys", "kinds", "lanes", "channels", "templates",
        "services", "levels", "generations", "params", "due",
    )  # fmt: skip
    _ids(tx, SQL.cancel_effects, [id_ for one in decided for id_ in one.decision.cancelled_effects], now)
    _run(tx, SQL.effects, columns, now=now)


def _effect_row(one: Decided, index: int, effect: EffectDraft) -> tuple[Any, ...]:
    number = one.number(effect.event)
    step = number if effect.of_step else (effect.step_number or None)
    level = effect.level.value if effect.level else ""
    return (
        one.decision.case_id, one.decision.account_id, number, step, effect.part, one.key(index, effect), effect.kind,
        effect.lane, effect.channel, effect.template, effect.service_id, level, effect.generation,
        _json(effect.params), effect.due_at,
    )  # fmt: skip


def _supply(tx: Tx, decided: Sequence[Decided], now: datetime) -> None:
    _ids(tx, SQL.lift_blocks, [id_ for one in decided for id_ in one.decision.lifted_blocks], now)
    blocks = _columns(
        (
            (block.service_id, one.decision.case_id, one.number(block.event), block.level.value)
            for one in decided
            for block in one.decision.blocks
        ),
        "services", "cases", "numbers", "levels",
    )  # fmt: skip
    _run(tx, SQL.blocks, blocks, now=now)
    supplies = _columns(
        ((s.service_id, s.desired.value, s.generation) for one in decided for s in one.decision.supplies),
        "services", "desired", "generations",
    )  # fmt: skip
    _run(tx, SQL.supplies, supplies, now=now)


def _money(tx: Tx, decided: Sequence[Decided], now: datetime) -> None:
    named = [claim for one in decided for claim in one.decision.interest]
    if named:
        interest.name(tx, named, today=partner_today(tx, now), now=now)
    fees.post(tx, [(fee.claim_id, fee.amount, fee.fee) for one in decided for fee in one.decision.fees], now)
    noted = [(id_, one.decision.account_id) for one in decided for id_ in one.decision.noted_payments]
    _ids(tx, SQL.payments, [id_ for id_, _ in noted], now)
    _ids(tx, SQL.shares, [id_ for id_, _ in noted], now, accounts=[account for _, account in noted])


def _plans(tx: Tx, decided: Sequence[Decided], now: datetime) -> None:
    plans.record_offers(
        tx,
        [
            (one.decision.case_id, offer.plan, one.number(offer.event), *offer.months, offer.valid_until)
            for one in decided
            for offer in one.decision.offers
        ],
        now,
    )
    plans.record_moves(tx, [move for one in decided for move in one.decision.plans], now)
    if noted := [id_ for one in decided for id_ in one.decision.noted_holds]:
        tx.run(plans.SQL.note_holds, {"holds": noted, "now": now})


def _apologies(tx: Tx, decided: Sequence[Decided]) -> None:
    told = [(one.decision.case_id, one.decision.noted_sorry) for one in decided if one.decision.noted_sorry]
    _run(tx, SQL.apologies, _columns(told, "cases", "undos"))


def _people(tx: Tx, decided: Sequence[Decided], now: datetime) -> None:
    tasks = _columns(
        (
            (one.decision.account_id, one.decision.case_id,
             one.number(task.event) if task.event is not None else (task.step_number or None), task.part, task.code,
             _json(task.params), task.urgent, task.due_at, task.dedup)
            for one in decided
            for task in one.decision.tasks
        ),
        "accounts", "cases", "numbers", "parts", "codes", "params", "urgent", "due", "dedups",
    )  # fmt: skip
    _run(tx, SQL.tasks, tasks, now=now)
    for state, name in (("spent", "spent_approvals"), ("lapsed", "lapsed_approvals")):
        ids = [id_ for one in decided for id_ in getattr(one.decision, name)]
        _ids(tx, SQL.approvals_become, ids, now, state=state)
    approvals = _columns(
        (
            (one.decision.case_id, approval.step, _json(approval.claims), approval.needs)
            for one in decided
            for approval in one.decision.approvals
        ),
        "cases", "steps", "claims", "needs",
    )  # fmt: skip
    _run(tx, SQL.approvals, approvals, now=now)
