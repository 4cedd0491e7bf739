"""Release: the moment an effect leaves. Lock the account, read the facts anew, run the guards again, spend the limits,
commit the attempt; only then may a driver act. A payment committed before this stops a cut; a later one restores.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from relight.core.facts import CaseFacts, PartnerFacts
from relight.core.law import Law
from relight.core.leave import UNCOUNTED_TEMPLATES, Due, Exit, Leave, check_leave, gives_back
from relight.core.levels import Level
from relight.core.rules.lawbook import packaged_law
from relight.core.standing import standing
from relight.flow.cases.operations import wake_case
from relight.flow.cases.policies import PolicyShelf
from relight.flow.cases.tasks import add_task
from relight.flow.database import Database, Tx, statements
from relight.flow.effects import rests
from relight.flow.effects.port import Attempt
from relight.flow.handover import handlers as handover
from relight.flow.handover.port import Package
from relight.flow.messages.context import ClaimItem
from relight.flow.messages.handlers import Ready, Unready, Wanted, prepare
from relight.flow.messages.port import Message
from relight.flow.partners.stopping import heed_stops
from relight.flow.payments.operations import links_for
from relight.flow.road.claiming import EffectClaimer
from relight.flow.road.gather import Gathered, PartnerTurn, gather
from relight.flow.road.moment import Moment, as_told
from relight.flow.road.outcome import LOST
from relight.flow.road.room import Room
from relight.flow.road.stuck import lock_account_of, may_be_one, one_by_one, put_off_effect
from relight.flow.road.tracing import of_effects
from relight.flow.supply.operations import target
from relight.flow.supply.port import Target
from relight.telemetry import metrics
from relight.telemetry.traces import span

SQL = statements("relight.flow.effects", "release.sql")
BATCH = {"bulk": 100, "urgent": 50}
SEND_WITHIN = timedelta(seconds=2)
LEASE = timedelta(seconds=60)
COMMAND_LEASE = timedelta(seconds=8)  # of commands: a restore waits for whoever is missed, and may be repeated
ALONE_AFTER = 2  # attempts, the last of which was lost
_PERSON_WITHIN = timedelta(days=1)
_NO_LOAD: rests.Load = {}


@dataclass(frozen=True, slots=True)
class Job:
    """An attempt on record, for a driver to act on: a message, a package for an agency, or a level for a target.

    `trace` is the span that it left under (a traceparent), or empty. `alone`: nothing else should be begun meanwhile,
    since it may end the worker."""

    partner_id: int
    account_id: int
    effect_id: int
    attempt_id: int
    attempt: Attempt
    driver: str
    message: Message | None = None
    target: Target | None = None
    level: Level | None = None
    package: Package | None = None
    trace: str = ""
    alone: bool = False


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """A due effect's row."""

    id: int
    case_id: int
    account_id: int
    kind: str
    template: str
    part: int
    step_number: int | None
    service_id: int | None
    level: str
    generation: int | None
    channel: str
    params: Mapping[str, Any]
    key: str
    attempts: int
    created_at: datetime
    why: str

    @property
    def may_end_us(self) -> bool:
        """Whether its last attempts were lost with their workers: it may have ended them, or only been there."""
        return self.why == LOST and self.attempts >= ALONE_AFTER

    def as_due(self) -> Due:
        level = Level(self.level) if self.level else None
        return Due(
            self.id, self.kind, self.template, self.part, self.step_number, self.service_id, level, self.generation
        )


@dataclass(slots=True)
class _Batch:
    """What becomes of a batch's effects."""

    stopped: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])
    later: list[tuple[int, datetime, str]] = field(default_factory=list[tuple[int, datetime, str]])
    sending: list[_Outgoing] = field(default_factory=list[_Outgoing])
    room: Room | None = None
    woken: set[int] = field(default_factory=set[int])


class Releaser:
    """Lets due effects leave. `link` makes a pay link's address; `moment` is what is taken for now under the locks."""

    def __init__(
        self,
        db: Database,
        link: "LinkMaker",
        *,
        law: Law | None = None,
        shelf: PolicyShelf | None = None,
        moment: Moment = as_told,
    ):
        self.db, self.link, self.law, self.shelf = db, link, law or packaged_law(), shelf or PolicyShelf()
        self.moment = moment
        self.claimer = EffectClaimer()

    def release(
        self,
        partner_id: int,
        lane: str,
        now: datetime,
        *,
        limit: int | None = None,
        load: rests.Load = _NO_LOAD,
        messages: int | None = None,
    ) -> tuple[int, list[Job]]:
        """One batch of one partner's due effects: how many were looked at, and the attempts to act on.

        `load` is what the worker has under way at the partner's drivers: bulk work waits for one that is full or rests.
        Of urgent messages at most `messages` leave. An effect that fails its batch is put off (stuck.py).
        """
        claimed: list[int] = []

        def claim(tx: Tx) -> list[int]:
            claimed.extend(self.claimer.claim(tx, lane, now, limit or BATCH[lane], load, messages))
            return claimed

        def alone(effect_id: int) -> list[Job]:
            def lock(tx: Tx) -> list[int]:
                lock_account_of(tx, effect_id)
                return [effect_id]

            return self._batch(partner_id, lane, now, lock)

        def put_off(effect_id: int, error: Exception) -> None:
            put_off_effect(self.db, partner_id, lane, effect_id, error, now)

        try:
            jobs = self._batch(partner_id, lane, now, claim)
        except Exception as error:
            if not claimed or not may_be_one(error):
                raise
            jobs = [job for batch in one_by_one(claimed, alone, put_off) for job in batch]
        else:
            self.claimer.done(partner_id, lane)
        return len(claimed), jobs

    def _batch(self, partner_id: int, lane: str, now: datetime, claim: Callable[[Tx], list[int]]) -> list[Job]:
        """One transaction: let go what it claims, as far as the guards do."""
        with self.db.transaction(partner_id) as tx:
            ids = claim(tx)
            if not ids:
                return []
            with tx.together():
                if lane == "bulk":
                    heed_stops(tx)
                moment = self.moment(tx, now)
                still_due = tx.rows_together(SQL.still_due, {"ids": ids})
            now = moment()
            outgoing = _together([_Outgoing(*row) for row in still_due()])
            turn, found = gather(tx, sorted({row.case_id for row in outgoing}), now)
            cases = {one.facts.case_id: one for one in found}
            batch = self._sort(tx, turn, outgoing, cases, now)
            jobs = self._start(tx, turn.facts, batch, cases, now)
            _write(tx, batch, now)
        by_id = {row.id: row for row in outgoing}
        for id_, state, _ in batch.stopped:
            metrics.ended(by_id[id_].kind, by_id[id_].channel, state)
        return jobs

    def start_decided(self, tx: Tx, partner: PartnerFacts, keys: Sequence[str], now: datetime) -> list[Job]:
        """The attempts of commands that leave with their decision (at_once.py). The caller holds the accounts' locks,
        has just recorded the commands, and hands on the attempts after its commit."""
        rows = tx.rows(SQL.just_decided, {"keys": list(keys)})
        return self._start(tx, partner, _Batch(sending=[_Outgoing(*row) for row in rows]), {}, now)

    def _sort(
        self,
        tx: Tx,
        turn: PartnerTurn,
        outgoing: Sequence[_Outgoing],
        cases: Mapping[int, Gathered],
        now: datetime,
    ) -> _Batch:
        batch = _Batch()
        room = Room(tx, turn, [row.id for row in outgoing if row.kind == "supply" and row.attempts], now)
        services: set[int] = set()
        told = defaultdict[int, dict[int, datetime]](dict)  # messages of this very batch that count, by account
        for row in outgoing:
            case = cases[row.case_id]
            policy = self.shelf.get(tx, case.policy_version_id)
            leave = check_leave(policy, self.law, _told_others(case, told[row.account_id], row.id), row.as_due(), now)
            if leave.exit is Exit.SEND and row.kind == "message" and row.template not in UNCOUNTED_TEMPLATES:
                told[row.account_id][row.id] = now
            if leave.exit is Exit.SEND and row.service_id is not None and row.service_id in services:
                leave = Leave(Exit.LATER, "one_command", now + timedelta(seconds=1))
            if leave.exit is Exit.SEND and _is_cut(row, case.facts) and not room.take(row.id):
                leave = Leave(Exit.LATER, "cut_limit", now + timedelta(minutes=10))
            if row.service_id is not None and leave.exit is Exit.SEND:
                services.add(row.service_id)
            _file(batch, row, leave, now)
        batch.room = room
        return batch

    def _start(
        self, tx: Tx, partner: PartnerFacts, batch: _Batch, cases: Mapping[int, Gathered], now: datetime
    ) -> list[Job]:
        """Put the attempts on record, with everything their drivers need."""
        messages = self._messages(tx, partner, batch, cases, now)
        targets = _targets(tx, batch, now)
        packages = _packages(tx, batch, cases, now)
        ready = [row for row in batch.sending if row.id in messages or row.id in targets or row.id in packages]
        if not ready:
            return []
        drivers = [targets[row.id][0] if row.id in targets else row.channel for row in ready]
        kept = [agency_driver(name) if row.id in packages else name for row, name in zip(ready, drivers, strict=True)]
        send_before = now + SEND_WITHIN
        params = {
            "ids": [row.id for row in ready],
            "drivers": kept,
            "partner": partner.id,
            "now": now,
            **leases(now),
            "send_before": send_before,
        }
        started = {row[0]: (row[1], row[2]) for row in tx.rows(SQL.start, params)}
        decided_under = of_effects(tx, [row.id for row in ready])
        assert len(started) == len(ready), "an effect left twice"
        if batch.room is not None:
            batch.room.spend({id_: attempt for id_, (attempt, _) in started.items()})
        return [
            Job(
                partner_id=partner.id,
                account_id=row.account_id,
                effect_id=row.id,
                attempt_id=started[row.id][0],
                attempt=Attempt(row.key, started[row.id][1], send_before),
                driver=driver,
                message=messages.get(row.id),
                target=targets[row.id][1] if row.id in targets else None,
                level=Level(row.level) if row.id in targets else None,
                package=packages.get(row.id),
                trace=_left_under(row, decided_under.get(row.id, "")),
                alone=row.may_end_us,
            )
            for row, driver in zip(ready, drivers, strict=True)
        ]

    def _messages(
        self, tx: Tx, partner: PartnerFacts, batch: _Batch, cases: Mapping[int, Gathered], now: datetime
    ) -> dict[int, Message]:
        rows = [row for row in batch.sending if row.kind == "message"]
        if not rows:
            return {}
        links = links_for(tx, [(row.case_id, row.account_id) for row in rows], now)
        today = now.astimezone(partner.zone).date()
        wanted = [_wanted(row, cases[row.case_id], now, self.link(partner.id, links[row.case_id])) for row in rows]
        messages: dict[int, Message] = {}
        by_id = {row.id: row for row in rows}
        for made in prepare(tx, wanted, partner.calendar, today, now):
            if isinstance(made, Ready):
                messages[made.effect_id] = made.message
            else:
                _cannot_send(tx, batch, by_id[made.effect_id], made, now)
        return messages


def _together(rows: list[_Outgoing]) -> list[_Outgoing]:
    """What leaves in one batch. What may end its worker leaves alone, so that none that only was there goes with it."""
    if rows and rows[0].may_end_us:
        return rows[:1]
    return [row for row in rows if not row.may_end_us]


def leases(now: datetime) -> dict[str, datetime]:
    """Until when attempts belong to the worker that says now that it lives: parameters of `start` and `renew`."""
    return {"lease_until": now + LEASE, "command_lease_until": now + COMMAND_LEASE}


def renew(db: Database, partner_id: int, jobs: Sequence[Job], now: datetime) -> None:
    """Say that these attempts are still being acted on."""
    ids, numbers = [job.effect_id for job in jobs], [job.attempt.number for job in jobs]
    with db.transaction(partner_id) as tx:
        tx.run(SQL.renew, {"ids": ids, "numbers": numbers, **leases(now)})


def _told_others(case: Gathered, told: Mapping[int, datetime], effect_id: int) -> CaseFacts:
    """The facts with what this batch sends too, since they were read before it and only one message can be the last,
    and without this message's own lost attempt: sent again, it is the same message."""
    if not told and effect_id not in case.contacts:
        return case.facts
    counted = {**case.contacts, **told}
    counted.pop(effect_id, None)
    return replace(case.facts, contacted_at=tuple(counted.values()))


class LinkMaker:
    """The address of a pay link, as customers get it."""

    def __init__(self, base_url: str, make: Any):
        self.base_url, self.make = base_url.rstrip("/"), make

    def __call__(self, partner_id: int, link_id: int) -> str:
        return f"{self.base_url}/p/{self.make(partner_id, link_id)}"


def without_agencies(facts: CaseFacts) -> CaseFacts:
    """The facts without claims that an agency has: our messages ask for none of them."""
    away = frozenset[int]().union(*(one.claims for one in facts.handovers if one.is_open))
    if not away:
        return facts
    return replace(facts, claims=tuple(claim for claim in facts.claims if claim.id not in away))


def _wanted(row: _Outgoing, case: Gathered, now: datetime, pay_url: str) -> Wanted:
    facts = case.facts if row.template in UNCOUNTED_TEMPLATES else without_agencies(case.facts)
    at = standing(facts, now)
    claims = tuple(
        ClaimItem(claim.number, claim.due_date, at.countable[claim.id])
        for claim in at.overdue
        if at.countable[claim.id]
    )
    fees = at.arrears - sum(item.amount for item in claims)
    return Wanted(
        row.id, row.case_id, row.account_id, row.channel, row.template, row.params, case.services, claims, fees, pay_url
    )


def _cannot_send(tx: Tx, batch: _Batch, row: _Outgoing, made: Unready, now: datetime) -> None:
    """A message that cannot be made counts as refused: the next channel is tried, and a person is told why."""
    batch.sending.remove(row)
    batch.stopped.append((row.id, "refused", made.why))
    batch.woken.add(row.case_id)
    if made.why == "unfit_message":
        add_task(
            tx,
            case_id=row.case_id,
            account_id=row.account_id,
            code="unfit_message",
            due_at=now + _PERSON_WITHIN,
            dedup=f"unfit-{row.template}-{row.channel}-{row.case_id}",
            now=now,
            params={"template": row.template, "channel": row.channel, "detail": made.detail},
        )


def _left_under(row: _Outgoing, decided_under: str) -> str:
    """The span of an effect's release, for its driver's; nothing where its decision was not traced."""
    with span("release", parent=decided_under, only_within=True, effect=row.id, case=row.case_id) as left:
        return left.traceparent


def _is_cut(row: _Outgoing, facts: CaseFacts) -> bool:
    """Whether this command takes a service away. Restores do not spend the limits."""
    if row.kind != "supply":
        return False
    due = row.as_due()
    return any(service.id == row.service_id and not gives_back(facts, due, service) for service in facts.services)


def _file(batch: _Batch, row: _Outgoing, leave: Leave, now: datetime) -> None:
    match leave.exit:
        case Exit.SEND:
            batch.sending.append(row)
        case Exit.LATER:
            batch.later.append((row.id, leave.until or now + timedelta(hours=1), leave.why))
        case Exit.WITHHOLD:
            batch.stopped.append((row.id, "withheld", leave.why))
            batch.woken.add(row.case_id)
        case Exit.CANCEL:
            batch.stopped.append((row.id, "cancelled", leave.why))
            batch.woken.add(row.case_id)


def _targets(tx: Tx, batch: _Batch, now: datetime) -> dict[int, tuple[str, Target]]:
    ids = [row.id for row in batch.sending if row.kind == "supply"]
    if not ids:
        return {}
    return {
        id_: (driver, target(kind, address, profile, serial, device))
        for id_, kind, driver, address, profile, serial, device in tx.rows(SQL.targets, {"ids": ids, "now": now})
    }


def agency_driver(name: str) -> str:
    """What attempts keep as the driver of an agency: a service's driver may have the same name."""
    return f"agency:{name}"


def _packages(tx: Tx, batch: _Batch, cases: Mapping[int, Gathered], now: datetime) -> dict[int, Package]:
    rows = [row for row in batch.sending if row.kind == "handover"]
    wanted = [
        handover.Wanted(row.id, row.template, row.params, _given_away(row, cases[row.case_id].facts, now))
        for row in rows
    ]
    return handover.prepare(tx, wanted, now)


def _given_away(row: _Outgoing, facts: CaseFacts, now: datetime) -> tuple[tuple[int, int], ...]:
    """The claims of the step that are still open, each with the principal that counts."""
    at = standing(facts, now)
    covered = {one.claim_id for step in facts.steps if step.number == row.step_number for one in step.claims}
    return tuple((claim.id, at.countable[claim.id]) for claim in at.overdue if claim.id in covered)


def _write(tx: Tx, batch: _Batch, now: datetime) -> None:
    if batch.stopped:
        ids, states, whys = (list(column) for column in zip(*batch.stopped, strict=True))
        tx.run(SQL.stop, {"ids": ids, "states": states, "whys": whys, "now": now})
    if batch.later:
        ids, due, whys = (list(column) for column in zip(*batch.later, strict=True))
        tx.run(SQL.later, {"ids": ids, "due": due, "whys": whys})
    for case_id in sorted(batch.woken):
        wake_case(tx, case_id, now, urgent=False)
