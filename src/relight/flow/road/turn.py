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
from relight.flow.cases.policies import PolicyShelf
from relight.flow.database import Database, Tx
from relight.flow.partners.stopping import heed_stops
from relight.flow.road.at_once import AtOnce
from relight.flow.road.claiming import Claimer
from relight.flow.road.due import Only, due_partners
from relight.flow.road.gather import gather
from relight.flow.road.moment import Moment, as_told
from relight.flow.road.record import Decided, record
from relight.flow.road.tracing import deciding
from relight.telemetry.metrics import DECISIONS, TURN_SECONDS

BATCH = {"bulk": 400, "urgent": 50}  # an urgent payment waits for at most one batch of either

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
        """One batch of one partner's due cases; how many were decided. With `at_once`, restores leave with them."""
        began = time.perf_counter()
        with self.db.transaction(partner_id) as tx:
            locked = [case_id for case_id, _ in self.claimer.claim(tx, lane, now, limit or BATCH[lane])]
            if not locked:
                return 0
            with tx.together():
                if at_once is None:
                    tx.need_not_wait()
                if lane == "bulk":
                    heed_stops(tx)
                moment = self.moment(tx, now)
            now = moment()
            with deciding(tx, lane, locked) as traced:
                decided = self.decide(tx, locked, now)
                record(tx, decided, now)
                traced.keep(tx, decided, now)
            if at_once is not None and decided:
                at_once.take(tx, decided, now)
            if at_once is not None and not at_once.jobs:
                tx.need_not_wait()
        self.claimer.done(partner_id, lane)
        _count(lane, decided, time.perf_counter() - began)
        return len(decided)

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
