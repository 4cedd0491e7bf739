"""Logs of acts that take something away: what a life did, and the same with something amiss.

A log is one act (a cut that left, or one that people were asked for) with the facts of its two moments: when it was
decided and when it left. The guards are asked of the facts; `rows` writes them as the database has them, for the audit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from random import Random

from relight.core.decide import decide
from relight.core.decision import Decision
from relight.core.facts import CaseFacts
from relight.core.law import Law, NoLaw
from relight.core.leave import Due, Exit, check_leave
from relight.core.levels import Level
from relight.core.policy import Policy, Step
from relight.core.policy_reader import read_policy
from relight.core.restore import RESTORE
from relight.core.rules.lawbook import packaged_law
from relight.core.standing import has_opened, standing
from tests.agreement.lives import Life, Plot, draw_plot, live
from tests.agreement.roads import Road, Tree, as_yaml, draw_road

# What a log in rows cannot tell of one moment in the past: see docs/audit.md, what the audit cannot see.
_UNTOLD = frozenset({"fails", "closed_day"})
_BY_PEOPLE = ("contract_terminate", "request_to_grid", "handover")


@dataclass(frozen=True, slots=True)
class Log:
    """One act of one case. `due` and `left_at` are of the command; None where people were asked."""

    seed: int
    text: str
    policy: Policy
    step: str
    number: int
    claims: tuple[tuple[int, int, int], ...]  # id, principal and costs as the step named them
    pay_by: date | None
    before: CaseFacts
    decided_at: datetime
    after: CaseFacts
    due: Due | None
    left_at: datetime
    letters_take: int  # days
    amiss: tuple[str, ...] = ()

    @property
    def claim_ids(self) -> frozenset[int]:
        """The claims that the act rests on."""
        return frozenset(id_ for id_, _, _ in self.claims)


def objections(log: Log) -> tuple[str, ...]:
    """What the guards have against the act, on the facts of its moments; nothing when they let it pass."""
    book, at = packaged_law(), standing(log.before, log.decided_at)
    if not has_opened(log.policy, log.before, at):
        return ("not_opened",)
    begun = replace(log.policy, opens=replace(log.policy.opens, arrears_min=None))
    decision = decide(begun, book, _alone(log), log.decided_at)
    taken = next((step for step in decision.steps if step.step == log.step), None)
    if taken is None or not log.claim_ids <= {id_ for id_, _, _ in taken.claims}:
        return _why(log, decision)
    if log.due is None:
        return ()
    leave = check_leave(log.policy, book, log.after, log.due, log.left_at)
    return () if leave.exit is Exit.SEND else (leave.why, *(_told(why.code, dict(why.params)) for why in leave.reasons))


def _alone(log: Log) -> CaseFacts:
    """The facts with the act's own claims: what else there is to do may come first, and says nothing of this act. Not
    where the policy's end of arrears looks at the newest bill of all."""
    if "latest_claim" in (log.policy.restore_when, log.policy.close_when):
        return log.before
    own = log.claim_ids
    steps = (replace(one, claims=tuple(c for c in one.claims if c.claim_id in own)) for one in log.before.steps)
    kept = tuple(one for one in steps if one.claims or any(effect.kind == "supply" for effect in one.effects))
    return replace(log.before, claims=tuple(c for c in log.before.claims if c.id in own), steps=kept)


def _why(log: Log, decision: Decision) -> tuple[str, ...]:
    said = [_told(why.code, dict(why.params)) for event in decision.events for why in event.reasons]
    return ("not_taken", decision.waits_for, f"next {decision.next_step} {decision.next_at}", *said)


def _told(code: str, params: dict[str, object]) -> str:
    return f"{code} {params['rule']}" if "rule" in params else code


def draw_logs(seed: int, lives: int) -> Iterator[Log]:
    """The logs of some lives under one policy; half of the policies are lived without any law."""
    dice = Random(f"log-{seed}")
    text = _plain(draw_road(seed), dice)
    policy = read_policy(text)
    if not isinstance(policy, Policy):
        return
    law: Law = packaged_law() if dice.random() < 0.5 else NoLaw()
    for number in range(lives):
        plot = draw_plot(seed * 1_000 + number, policy, packaged_law())
        plot = _untold(plot)
        life = live(policy, law, plot)
        yield from _acts(seed * 1_000 + number, text, policy, life)


def _untold(plot: Plot) -> Plot:
    happenings = tuple(one for one in plot.happenings if one.what not in _UNTOLD)
    return replace(plot, happenings=happenings)


def _plain(road: Road, dice: Random) -> str:
    """The policy for one kind of service, without fees and further letters in its last steps: those have logs of their
    own."""
    tree = road.tree()
    tree["for"]["service"] = [dice.choice(tree["for"]["service"])]
    for step in tree["steps"].values():
        if _takes_away(step):
            step["do"] = [action for action in step["do"] if _kept(action)]
    return as_yaml(tree)


def _takes_away(step: Tree) -> bool:
    return any(name in action for action in step["do"] for name in (*_BY_PEOPLE, "supply"))


def _kept(action: Tree) -> bool:
    return any(name in action for name in (*_BY_PEOPLE, "supply")) or action.get("message") in (
        "disconnected", "service_limited",
    )  # fmt: skip


def _acts(seed: int, text: str, policy: Policy, life: Life) -> Iterator[Log]:
    """The acts of a life, each with its facts."""
    for facts, now, decision in life.turns:
        for taken in decision.steps:
            if taken.step == RESTORE or not _is_act(policy.step(taken.step)):
                continue
            number = decision.version + 1 + taken.event
            common = (seed, text, policy, taken.step, number, taken.claims, taken.pay_by_date, facts, now)
            if not any(getattr(action, "kind", "") == "supply" for action in policy.step(taken.step).do):
                yield Log(*common, facts, None, now, life.plot.letters_take)
                continue
            for one in life.released:
                effect = one.effect
                lowers = effect.draft.kind == "supply" and effect.draft.level is not Level.FULL
                if lowers and effect.step_number == number and one.leave.exit is Exit.SEND:
                    draft = effect.draft
                    due = Due(effect.facts.id, draft.kind, "", draft.part, number, draft.service_id, draft.level,
                              draft.generation)  # fmt: skip
                    if _is_whole(facts, one.facts):
                        yield Log(*common, one.facts, due, one.now, life.plot.letters_take)


def _is_act(step: Step) -> bool:
    return step.cuts or any(action.kind == "handover" for action in step.do)


def _is_whole(before: CaseFacts, after: CaseFacts) -> bool:
    """Whether nothing changed between the two moments that the stored log keeps of one of them only."""
    kept = {claim.id: (claim.disputed, claim.due_date) for claim in before.claims}
    return all(kept.get(claim.id, (claim.disputed, claim.due_date)) == (claim.disputed, claim.due_date)
               for claim in after.claims)  # fmt: skip
