"""Pairs of a policy and a life: whether the proof and run time ever contradict each other.

What passes the proof is never refused for what a file could know: what had to come before, the time that has to pass,
the time that a letter gives. What does not pass is stopped: its counterexample by the very rule that it breaks, and in
no life is such a step taken against a rule.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from relight.core.actions import MessageAction
from relight.core.facts import CaseFacts, ClaimFacts, EffectFacts, StepFacts
from relight.core.law import Ruling
from relight.core.policy import Policy, Step
from relight.core.prove.prove import prove
from relight.core.prove.result import Breach, Proof
from relight.core.restore import RESTORE
from relight.core.rules.lawbook import LawBook, packaged_law
from relight.core.rules.model import MinElapsed
from relight.flow.messages.elements import Texts
from tests.agreement.counterexamples import replay
from tests.agreement.lives import Life, Plot, draw_plot, live
from tests.agreement.lives import shrink as shrink_plot
from tests.agreement.roads import Road, draw_road
from tests.agreement.roads import shrink as shrink_road

# What a file could know, and so must not come up in a life under a policy that passed.
KNOWABLE = frozenset({"law.requires_before", "law.min_deadline", "law.min_elapsed"})


@dataclass(frozen=True, slots=True)
class Heard:
    """What the law said of a step when it was asked, at a decision or a release."""

    step: Step
    claims: tuple[ClaimFacts, ...]
    facts: CaseFacts
    now: datetime
    rulings: tuple[Ruling, ...]


class Listening:
    """A law book that remembers what it said."""

    def __init__(self, book: LawBook):
        self.book, self.heard = book, list[Heard]()

    def hash_for(self, policy: Policy) -> str:
        """As the book."""
        return self.book.hash_for(policy)

    def rule(
        self, policy: Policy, step: Step, claims: tuple[ClaimFacts, ...], facts: CaseFacts, now: datetime
    ) -> tuple[Ruling, ...]:
        """As the book, and kept where it says anything."""
        rulings = self.book.rule(policy, step, claims, facts, now)
        if rulings:
            self.heard.append(Heard(step, claims, facts, now, rulings))
        return rulings


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A pair in which proof and run time do not agree; `road` and `plot` make it again."""

    what: str
    road: Road
    plot: Plot | None
    told: str


@dataclass(slots=True)
class Found:
    """What a number of pairs came to."""

    counted: Counter[str] = field(default_factory=Counter[str])
    contradictions: list[Contradiction] = field(default_factory=list[Contradiction])

    def take(self, other: "Found") -> None:
        """Add what others found."""
        self.counted.update(other.counted)
        self.contradictions.extend(other.contradictions)


def look_at(seed: int, *, proved_lives: int, refused_lives: int) -> Found:
    """One policy, proved, and so many lives under it: more where it passed. The same seed gives the same."""
    found, book, road = Found(), packaged_law(), draw_road(seed)
    policy = road.policy()
    assert policy is not None
    proof = prove(policy, book, Texts())
    count = proved_lives if proof.ok else refused_lives
    found.counted.update((f"policies.{'proved' if proof.ok else 'refused'}", f"country.{policy.country}"))
    found.counted.update(f"actor.{policy.actor}" for _ in range(count))
    found.counted[f"debtor.{policy.debtor}"] += count
    found.counted.update({f"service.{name}": count for name in policy.services})
    found.counted.update(_roads(policy))
    for breach in proof.findings:
        _replayed(found, road, policy, breach, book)
    for number in range(count):
        _lived(found, road, policy, proof, draw_plot(seed * 1_000 + number, policy, book))
    return found


def _roads(policy: Policy) -> Iterator[str]:
    """What is unusual about a policy, for the count of what was covered."""
    yield from (f"policy.{name}" for name, has in {
        "branches": any(step.next for step in policy.steps),
        "skips": any(profile.skip for profile in policy.profiles.values()),
        "delays": any(profile.delay for profile in policy.profiles.values()),
        "windows": any(step.window for step in policy.steps),
        "cuts": any(step.cuts for step in policy.steps),
    }.items() if has)  # fmt: skip


def _replayed(found: Found, road: Road, policy: Policy, breach: Breach, book: LawBook) -> None:
    shown = replay(policy, book, breach)
    found.counted[f"counterexample.{shown.outcome}.{shown.kind or 'house'}"] += 1
    if shown.outcome == "not_stopped":
        found.contradictions.append(Contradiction("not_stopped", road, None, str(breach)))


def _lived(found: Found, road: Road, policy: Policy, proof: Proof, plot: Plot) -> None:
    law = Listening(packaged_law())
    life = live(policy, law, plot)
    found.counted[f"pairs.{'proved' if proof.ok else 'refused'}"] += 1
    found.counted.update(f"happening.{one.what}" for one in plot.happenings)
    found.counted.update(_went(life, policy))
    found.counted.update({f"stopped_by.{code}" for code in _codes(life)})
    told = [*_against_proof(found, policy, life, law)] if proof.ok else [*_unlawful(policy, life)]
    found.contradictions += [Contradiction("refused" if proof.ok else "taken", road, plot, one) for one in told]


def _codes(life: Life) -> set[str]:
    """Why something was deferred, refused, withheld or withdrawn."""
    said = {why.code for event in life.log if event.code != "step_taken" for why in event.reasons}
    return said | {one.leave.why for one in life.released if one.leave.why}


def _went(life: Life, policy: Policy) -> set[str]:
    """How far a life went."""
    taken = [policy.by_name[name] for name in life.names() if name != RESTORE]
    went = {
        "asked": bool(taken), "cut": any(step.cuts for step in taken), "burdened": any(step.burdens for step in taken),
        "restored": RESTORE in life.names(), "voided": bool(life.voided), "two_claims": len(life.plot.sums) > 1,
        "cured": "cured" in life.codes(), "withdrawn": "step_withdrawn" in life.codes(),
    }  # fmt: skip
    return {f"lives.{name}" for name, so in went.items() if so}


# -- under a policy that passed


def _against_proof(found: Found, policy: Policy, life: Life, law: Listening) -> Iterator[str]:
    """Refusals for what the file could know, where no missing answer, channel or change of the customer explains it."""
    explained, told = set[str](), dict[str, str]()
    for heard in law.heard:
        for ruling in heard.rulings:
            if ruling.reason.code not in KNOWABLE or _is_stale(policy, law.book, ruling):
                continue
            if any(one.what == "profile" for one in life.plot.happenings):
                explained.add("profile_changed_on_the_way")
            elif not _still_says(policy, law.book, heard, ruling, _as_planned(policy, life, heard)):
                explained.add("did_not_arrive_or_was_deferred")
            elif _is_for_all_owed(policy, law.book, ruling) and not any(
                _still_says(policy, law.book, heard, ruling, _alone(heard.facts, claim.id)) for claim in heard.claims
            ):
                explained.add("counted_with_another_bill")
            else:
                more = f"{ruling.reason} of {heard.step.name} at {heard.now:%Y-%m-%d %H:%M}"
                told.setdefault(f"{heard.step.name} {dict(ruling.reason.params)['rule']}", more)
    found.counted.update(f"explained.{why}" for why in explained)
    yield from told.values()


def _is_stale(policy: Policy, book: LawBook, ruling: Ruling) -> bool:
    """A notice that is too old is refused at run time: a step can always come late (the proof says so)."""
    return any(demand.at_most is not None for demand in _waits(policy, book, ruling))


def _is_for_all_owed(policy: Policy, book: LawBook, ruling: Ruling) -> bool:
    """What is counted over all bills of a case is more than one bill's way through a policy."""
    return any(demand.per == "arrears" for demand in _waits(policy, book, ruling))


def _waits(policy: Policy, book: LawBook, ruling: Ruling) -> list[MinElapsed]:
    id_ = dict(ruling.reason.params)["rule"]
    demands = [rule.demand for pack in book.packs_of(policy) for rule in pack.rules if rule.id == id_]
    return [demand for demand in demands if isinstance(demand, MinElapsed)]


def _alone(facts: CaseFacts, claim_id: int) -> CaseFacts:
    """The facts as if this were the only bill."""
    steps = tuple(step for step in facts.steps if any(one.claim_id == claim_id for one in step.claims))
    return replace(facts, claims=tuple(one for one in facts.claims if one.id == claim_id), steps=steps)


def _still_says(policy: Policy, book: LawBook, heard: Heard, ruling: Ruling, facts: CaseFacts) -> bool:
    ids = {claim.id for claim in heard.claims}
    claims = tuple(claim for claim in facts.claims if claim.id in ids)
    said = book.rule(policy, heard.step, claims, facts, heard.now)
    return any(dict(one.reason.params)["rule"] == dict(ruling.reason.params)["rule"] for one in said)


def _as_planned(policy: Policy, life: Life, heard: Heard) -> CaseFacts:
    """The facts as they would be had every message of a completed step arrived on each channel that it was to take, so
    that no step was withdrawn, and had nobody moved a due date."""
    withdrawn = (step for step in life.voided.values() if step.decided_at < heard.now)
    steps = {step.number: step for step in (*withdrawn, *heard.facts.steps)}
    arrived = tuple(_arrived(policy, steps[number]) for number in sorted(steps))
    moved = any(one.what == "defer" for one in life.plot.happenings)
    claims = tuple(replace(claim, due_date=date(2020, 1, 1)) if moved else claim for claim in heard.facts.claims)
    return replace(heard.facts, steps=arrived, claims=claims)


def _arrived(policy: Policy, taken: StepFacts) -> StepFacts:
    step = policy.by_name.get(taken.step)
    if step is None or taken.completed_at is None:
        return taken
    kept = [effect for effect in taken.effects if effect.kind != "message"]
    for part, action in enumerate(step.do):
        if isinstance(action, MessageAction):
            kept += _done(taken, part, action)
    return replace(taken, effects=tuple(kept))


def _done(taken: StepFacts, part: int, action: MessageAction) -> Iterator[EffectFacts]:
    assert taken.completed_at is not None
    mine = [one for one in taken.effects if one.part == part and one.kind == "message"]
    reached = [one for one in mine if one.state == "done" and not one.failed]
    at = max((one.finished_at or taken.decided_at for one in reached), default=taken.completed_at)
    sure = action.mode == "all" or len(action.channels) == 1
    channels = action.channels if sure else [one.channel for one in mine] or action.channels[:1]
    for number, channel in enumerate(channels):
        yield EffectFacts(-1 - number, part, "message", channel, "done", at, action.template, at)


# -- under one that did not


def _unlawful(policy: Policy, life: Life) -> Iterator[str]:
    """Steps that were taken although the law, asked of what was known, says no."""
    for facts, now, decision in life.turns:
        for step in decision.steps:
            if step.step == RESTORE:
                continue
            covered = {claim_id for claim_id, _, _ in step.claims}
            claims = tuple(claim for claim in facts.claims if claim.id in covered)
            rulings = packaged_law().rule(policy, policy.step(step.step), claims, facts, now)
            if rulings:
                yield f"{step.step} at {now:%Y-%m-%d %H:%M}: {rulings[0].reason}"


# -- to tell it again


def shrunk(one: Contradiction, *, proved_by: LawBook | None = None) -> Contradiction:
    """The same contradiction with as few changes and happenings as show it."""

    def shows(road: Road, plot: Plot | None) -> bool:
        return any(other.what == one.what for other in again(road, plot, proved_by=proved_by).contradictions)

    road = shrink_road(one.road, lambda road: shows(road, one.plot))
    plot = one.plot and shrink_plot(one.plot, lambda plot: shows(road, plot))
    return next(other for other in again(road, plot, proved_by=proved_by).contradictions if other.what == one.what)


def again(road: Road, plot: Plot | None, *, proved_by: LawBook | None = None) -> Found:
    """One pair once more; without a life, the policy's counterexamples. `proved_by`: another law than that of the life,
    to see contradictions come."""
    found, policy = Found(), road.policy()
    assert policy is not None
    proof = prove(policy, proved_by or packaged_law(), Texts())
    if plot is not None:
        _lived(found, road, policy, proof, plot)
    else:
        for breach in proof.findings:
            _replayed(found, road, policy, breach, packaged_law())
    return found
