"""The law at run time: the rules of a policy's packs, asked of one step of one case at one moment.

The same rule objects that proved the policy answer here: deny, defer to a date, or nothing against. What only a text, a
driver or a later act can keep is kept there (`docs/law.md`), not here.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from relight.core.actions import FeeAction
from relight.core.facts import CaseFacts, ClaimFacts
from relight.core.fees.tables import ask_tables, by_table
from relight.core.law import Ruling
from relight.core.policy import Policy, Step
from relight.core.rules.acts import ANY_FEE, FEE, names_of
from relight.core.rules.asked import ask, asked_now, may_say
from relight.core.rules.model import Applies, LawPack, MaxAmount, Rule
from relight.core.rules.reader import packaged_pack, packaged_packs

ANY_OTHER_FEE = "fee.any_other"
_ASKED_AT_RUN_TIME = frozenset({"block", "default"})


class LawBook:
    """All packs that policies may name. Keeps which rules are about which step; everything else is read anew."""

    def __init__(self, packs: Iterable[LawPack]):
        self._packs: Mapping[str, LawPack] = {pack.name: pack for pack in packs}
        self._about: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._at_run_time: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._tabled: dict[tuple[str, str], tuple[FeeAction, ...]] = {}
        self._hashes: dict[str, str] = {}
        self.hash = hashlib.sha256(" ".join(pack.hash for pack in self._packs.values()).encode()).hexdigest()

    def with_packs(self, packs: Iterable[LawPack]) -> "LawBook":
        """A book of these packs and some more."""
        return LawBook([*self._packs.values(), *packs])

    def pack(self, name: str) -> LawPack | None:
        """The pack of that name, if there is one."""
        return self._packs.get(name)

    @property
    def packs(self) -> tuple[LawPack, ...]:
        """All packs of the book."""
        return tuple(self._packs.values())

    def packs_of(self, policy: Policy) -> list[LawPack]:
        """The packs that guard a policy: those that it names and that are of its country."""
        named = [self._packs[name] for name in policy.laws if name in self._packs]
        return [pack for pack in named if pack.country == policy.country]

    def _guarding(self, policy: Policy) -> list[LawPack]:
        """As above; where it names none that binds it, its country's law in force. No policy switches guards off."""
        own = [pack for pack in self._packs.values() if pack.country == policy.country and not pack.pending]
        return self.packs_of(policy) or own

    def hash_for(self, policy: Policy) -> str:
        """The hash that a decision under this policy keeps: its packs' content."""
        found = self._hashes.get(policy.hash)
        if found is None:
            hashes = [pack.hash for pack in self._guarding(policy)]
            found = hashes[0] if len(hashes) == 1 else hashlib.sha256(" ".join(hashes).encode()).hexdigest()
            self._hashes[policy.hash] = found
        return found

    def rule(
        self, policy: Policy, step: Step, claims: tuple[ClaimFacts, ...], facts: CaseFacts, now: datetime
    ) -> tuple[Ruling, ...]:
        """What the packs say of taking `step` for `claims` now; empty when they say nothing against."""
        rules, fees = self._asked(policy, step), self._by_table(policy, step)
        if not rules and not fees:
            return ()
        asked = asked_now(policy, step, claims, facts, now)
        rulings: tuple[Ruling, ...] = ()
        if fees:
            rulings += tuple(ask_tables(self._guarding(policy), policy, fees, claims, facts, asked.today))
        for rule in rules:
            if rule.in_force(asked.today):
                rulings += ask(rule, asked)
        return rulings

    def _asked(self, policy: Policy, step: Step) -> tuple[Rule, ...]:
        """The rules about this step that a case is asked by, whatever the day."""
        key = (policy.hash, step.name)
        found = self._at_run_time.get(key)
        if found is None:
            rules = [rule for rule in self.about(policy, step) if rule.enforce in _ASKED_AT_RUN_TIME and may_say(rule)]
            found = self._at_run_time[key] = tuple(rules)
        return found

    def _by_table(self, policy: Policy, step: Step) -> tuple[FeeAction, ...]:
        """The fees of this step that a table limits, and no rule."""
        key = (policy.hash, step.name)
        found = self._tabled.get(key)
        if found is None:
            found = self._tabled[key] = by_table(step, self.about(policy, step))
        return found

    def about(self, policy: Policy, step: Step) -> tuple[Rule, ...]:
        """The rules of the policy's packs that are about this step, whatever the day."""
        key = (policy.hash, step.name)
        if key not in self._about:
            packs = self._guarding(policy)
            self._about[key] = tuple(rule for pack in packs for rule in rules_about(pack, policy, step))
        return self._about[key]


def rules_about(pack: LawPack, policy: Policy, step: Step) -> Iterable[Rule]:
    """The rules of one pack that hold for whom the policy is for, and are about one of the step's acts."""
    mine = [rule for rule in pack.rules if is_for(rule.applies, policy)]
    acts = names_of(step) | _fees_without_a_rule(mine, step)
    return (rule for rule in mine if rule.targets & acts)


def is_for(applies: Applies, policy: Policy) -> bool:
    """Whether a rule holds for whom the policy is for. A region or a kind of contract that we do not know holds too."""
    return (
        (not applies.debtor or policy.debtor in applies.debtor)
        and (not applies.service or bool(policy.services & applies.service))
        and (not applies.actor or policy.actor in applies.actor)
    )


def _fees_without_a_rule(rules: Iterable[Rule], step: Step) -> frozenset[str]:
    """`fee.any_other` when the step charges a fee that no amount is set for."""
    known = {name for rule in rules if isinstance(rule.demand, MaxAmount) for name in rule.targets}
    named = {name for rule in rules for name in rule.targets if name.startswith(FEE) and name != ANY_FEE}
    charged = {FEE + action.fee for action in step.do if isinstance(action, FeeAction)}
    return frozenset({ANY_OTHER_FEE}) if charged - known - named else frozenset()


@lru_cache(maxsize=1)
def packaged_law() -> LawBook:
    """The packs that come with Relight and are in force; pending ones are only for trying. One book a process."""
    packs = [packaged_pack(name) for name in packaged_packs()]
    return LawBook(pack for pack in packs if not pack.pending)
