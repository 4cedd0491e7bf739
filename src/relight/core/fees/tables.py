"""Fees of a step whose most is no rule but a table: a collector's fee, and the compensation that businesses owe.

Asked at run time, when the principal and the days are known: the step is refused when its fee is more than the table
gives, with what was charged before. What neither a table nor a rule is read to permit is refused as well.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from relight.core.actions import FeeAction
from relight.core.facts import CaseFacts, ClaimFacts
from relight.core.fees.answer import FeeAnswer, Why, nothing
from relight.core.fees.collector import DEMAND, collector_fee, compensation
from relight.core.fees.highest import ANY_OTHER, Asked, Debt, Letter
from relight.core.law import Answer, Reason, Ruling
from relight.core.policy import Policy, Step
from relight.core.rules.acts import FEE
from relight.core.rules.evidence import occurrences
from relight.core.rules.model import LawPack, MaxAmount, Rule

COLLECTOR, COMPENSATION = "collector", "compensation"
REMINDERS = frozenset({"reminder", "collection_warning"})
# What following up costs. Closing and opening a meter has a price of its own, which the grid's tariff sets.
_OF_FOLLOWING_UP = frozenset(
    {*REMINDERS, COLLECTOR, COMPENSATION, "payment_demand", "collection_cost", "handoff", "plan"}
)
_PERMITTING = frozenset({"block", "default"})


def by_table(step: Step, rules: Iterable[Rule]) -> tuple[FeeAction, ...]:
    """The step's fees that no rule about it gives an amount, or forbids: a table limits them, or nothing permits them.
    A rule from memory gives none."""
    if not step.burdens:
        return ()
    giving = [rule for rule in rules if isinstance(rule.demand, MaxAmount) and rule.enforce in _PERMITTING]
    ruled = {name for rule in giving for name in rule.targets}
    fees = (action for action in step.do if isinstance(action, FeeAction) and action.fee in _OF_FOLLOWING_UP)
    known = (*(fee for fee in fees if FEE + fee.fee not in ruled),)
    return known if ANY_OTHER not in ruled else tuple(fee for fee in known if fee.fee in (COLLECTOR, COMPENSATION))


def ask_tables(
    packs: Sequence[LawPack],
    policy: Policy,
    fees: Sequence[FeeAction],
    claims: tuple[ClaimFacts, ...],
    facts: CaseFacts,
    today: date,
) -> Iterator[Ruling]:
    """What the tables say against these fees for these claims: more than they give, all that was charged included."""
    for fee in fees:
        answers = [_most(pack, policy, fee.fee, claims, facts, today) for pack in packs]
        for answer in answers:
            charged = _charged(facts, claims, frozenset({fee.fee}))
            if charged + fee.amount_minor > answer.amount:
                most = max(0, answer.amount - charged)
                params = (("amount", fee.amount_minor), ("most", most))
                yield Ruling(Answer.DENY, Reason("law.max_amount", params, answer.why[0].law))


def _most(
    pack: LawPack, policy: Policy, fee: str, claims: tuple[ClaimFacts, ...], facts: CaseFacts, today: date
) -> FeeAnswer:
    if fee == COMPENSATION:
        reminders = _charged(facts, claims, REMINDERS)
        return compensation(pack, debtor=policy.debtor, today=today, fees=reminders)
    if fee != COLLECTOR:
        return nothing(Why("no_rule"))
    newest = max(claims, key=lambda claim: (claim.due_date, claim.id))
    demands = occurrences(policy, facts, newest.id, DEMAND)
    letters = {DEMAND: Letter(demands[-1].day)} if demands else {}
    debt = Debt(newest.number, sum(claim.principal for claim in claims), newest.due_date, policy.debtor)
    return collector_fee(pack, Asked(fee, debt, today, facts.partner.calendar, (), letters, facts.flags))


def _charged(facts: CaseFacts, claims: tuple[ClaimFacts, ...], names: frozenset[str]) -> int:
    """What these claims were charged of some fees, in whatever case."""
    numbers = {claim.number for claim in claims}
    return sum(one.amount for one in facts.charged if one.fee in names and one.claim in numbers)
