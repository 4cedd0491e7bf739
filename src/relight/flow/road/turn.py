"""A turn: lock due cases, gather their facts, decide, record. One transaction a batch; a crash rolls it back whole."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from relight.core.decide import decide
from relight.core.decision import Decision
from relight.core.facts import CaseFacts
from relight.core.law import Law
from relight.core.policy import Policy
from relight.core.rules.lawbook import packaged_law
from relight.flow.cases.operations import lock_accounts
from relight.flow.cases.policies import PolicyShelf
from relight.flow.database import Database, Tx
from relight.flow.partners.stopping import heed_stops
from relight.flow.road.at_once import AtOnce
from relight.flow.road.claiming import Claimer
from relight.flow.road.due import Only, due_partners
from relight.flow.road.gather import gather
from relight.flow.road.moment import Moment, as_told
from relight.flow.road.record import Decided, record
from relight.flow.road.release import Job
from relight.flow.road.stuck import may_be_one, one_by_one, put_off_case
from relight.flow.road.tracing import deciding
from relight.telemetry.metrics import DECISIONS, TURN_SECONDS

BATCH = {"bulk": 800, "urgent": 50}  # an urgent payment waits for at most one batch of either

Decide = Callable[[Policy, Law, CaseFacts, datetime], Decision]


class Turner:
    """Decides due cases, of `only` these partners if given. Keeps compiled policies; everything else is read anew.
    `moment` is what is taken for now under the locks."""

    def __init__(
        self,
        db: Database,
        *,
        law: Law | None = None,
        decider: Decide = decide,
        only: Only = None,
        moment: Moment = as_told,
    ):
        self.db, self.law, self.decider, self.only = db, law or packaged_law(), decider, only
        self.moment = moment
        self.shelf, self.claimer = PolicyShelf(), Claimer()

    def turn(
        self,
        partner_id: int,
        lane: str,
        now: datetime,
        *,
        limit: int | None = None,
        at_once: AtOnce | None = None,
    ) -> int:
        """One batch of one partner's due cases; how many were decided. With `at_once`, restores leave with them:
        its jobs are committed, whatever is raised. A case that fails its batch is put off (stuck.py)."""
        began = time.perf_counter()
        claimed: list[tuple[int, int]] = []

        def claim(tx: Tx) -> list[int]:
            claimed.extend(self.claimer.claim(tx, lane, now, limit or BATCH[lane]))
            return [case_id for case_id, _ in claimed]

        try:
            decided = self._batch(partner_id, lane, now, claim, at_once)
        except Exception as error:
            if not claimed or not may_be_one(error):
                raise
            # Some may be left: the next search begins where this batch did.
            decided = self._one_by_one(partner_id, lane, now, claimed, at_once)
        else:
            self.claimer.done(partner_id, lane)
        if claimed:
            _count(lane, decided, time.perf_counter() - began)
        return len(decided)

    def _batch(
        self, partner_id: int, lane: str, now: datetime, claim: Callable[[Tx], list[int]], at_once: AtOnce | None
    ) -> list[Decided]:
        """One transaction: decide what it claims, and record it."""
        jobs: list[Job] = []
        with self.db.transaction(partner_id) as tx:
            locked = claim(tx)
            if not locked:
                return []
            with tx.together():
                if at_once is None:
                    tx.need_not_wait()
                if lane == "bulk":
                    heed_stops(tx)
                moment = self.moment(tx, now)
            now = moment()
            with deciding(tx, lane, locked) as traced:
                decided = self._decide_and_record(tx, locked, now)
                traced.keep(tx, decided, now)
            if at_once is not None:
                jobs = at_once.take(tx, decided, now)
                if not jobs:
                    tx.need_not_wait()
        if at_once is not None:
            at_once.jobs += jobs
        return decided

    def _one_by_one(
        self, partner_id: int, lane: str, now: datetime, claimed: Sequence[tuple[int, int]], at_once: AtOnce | None
    ) -> list[Decided]:
        def alone(one: tuple[int, int]) -> list[Decided]:
            case_id, account_id = one

            def lock(tx: Tx) -> list[int]:
                lock_accounts(tx, [account_id])
                return [case_id]

            return self._batch(partner_id, lane, now, lock, at_once)

        def put_off(one: tuple[int, int], error: Exception) -> None:
            put_off_case(self.db, partner_id, lane, *one, error, now)

        return [one for decided in one_by_one(claimed, alone, put_off) for one in decided]

    def _decide_and_record(self, tx: Tx, cases: Sequence[int], now: datetime) -> list[Decided]:
        """Two cases of an account may be about one service: the second is decided on what the first has written."""
        decided: list[Decided] = []
        left = self.decide(tx, cases, now)
        while left:
            first, left = _one_a_service(left)
            record(tx, first, now)
            decided += first
            if left:
                left = self.decide(tx, [one.decision.case_id for one in left], now)
        return decided

    def decide(self, tx: Tx, cases: Sequence[int], now: datetime) -> list[Decided]:
        """Gather and decide those of these cases that are due; writes nothing. The caller holds the accounts' locks."""
        decided: list[Decided] = []
        for found in gather(tx, cases, now)[1]:
            if found.wakes_at is None or found.wakes_at > now:
                continue  # another worker was here between the claim and its lock
            policy = self.shelf.get(tx, found.policy_version_id)
            decision = self.decider(policy, self.law, found.facts, now)
            decided.append(Decided(decision, found.facts, policy.hash, self.law.hash_for(policy)))
        return decided

    def drain(self, lane: str, now: datetime) -> int:
        """Decide until nothing is due in a lane at this moment; how many decisions."""
        total = 0
        for partner_id in due_partners(self.db, f"decide {lane}", now, self.only):
            while done := self.turn(partner_id, lane, now):
                total += done
        return total


def _one_a_service(decided: Sequence[Decided]) -> tuple[list[Decided], list[Decided]]:
    """Those to record together, and those about a service of which another of them decides: they were decided on facts
    that are about to change."""
    if len({one.decision.account_id for one in decided}) == len(decided):
        return list(decided), []
    first: list[Decided] = []
    left: list[Decided] = []
    taken: set[int] = set()
    for one in decided:
        about = _services_of(one)
        (left if about & taken else first).append(one)
        taken |= about
    return first, left


def _services_of(one: Decided) -> set[int]:
    """The services that a decision commands, blocks or gives back."""
    decision = one.decision
    commanded = {supply.service_id for supply in decision.supplies} | {block.service_id for block in decision.blocks}
    lifted = set(decision.lifted_blocks)
    return commanded | {
        service.id for service in one.facts.services if any(block.id in lifted for block in service.blocks)
    }


def _count(lane: str, decided: Sequence[Decided], seconds: float) -> None:
    """Add a batch to the figures: by what a decision came to, not by whose it was."""
    for outcome, count in Counter(_outcome(one.decision) for one in decided).items():
        DECISIONS.labels(lane, outcome).inc(count)
    TURN_SECONDS.labels(lane).observe(seconds)


def _outcome(decision: Decision) -> str:
    """A step was taken, the case ended, something was noted on it, or it only waits on."""
    if decision.steps:
        return "step"
    if decision.state == "closed":
        return "closed"
    return "noted" if decision.events else "deferred"
