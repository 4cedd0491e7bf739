"""Every row of a log against every rule that is about it: what was unlawful, what was unwise, what cannot be told."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from relight.core.calendars import Calendar
from relight.core.rules.acts import ANY_FEE, FEE
from relight.core.rules.lawbook import ANY_OTHER_FEE
from relight.core.rules.model import Applies, LawPack, MaxAmount, Rule
from relight.core.second_opinion import limits, order
from relight.core.second_opinion.case import Held
from relight.core.second_opinion.log import Entry
from relight.core.second_opinion.verdicts import Unlawful, Verdict

CASE_ROWS_MAX = 2_000  # more is a column that is not the case
# Who does what to a service where nobody says otherwise.
_ACTORS = {"electricity_grid": "grid_company", "electricity": "supplier", "gas": "supplier", "heat": "supplier",
           "water": "supplier", "broadband": "network", "telephony": "network"}  # fmt: skip
_CHECKS: dict[str, Callable[[Rule, Held], Iterator[Verdict]]] = {
    "requires_before": order.requires_before,
    "min_elapsed": order.min_elapsed,
    "min_deadline": order.min_deadline,
    "required_content": limits.elsewhere,
    "requires_state": limits.requires_state,
    "forbidden_if": limits.forbidden_if,
    "forbidden_window": limits.forbidden_window,
    "forbidden_step": limits.forbidden_step,
    "max_amount": limits.max_amount,
    "max_count": limits.max_count,
    "obligation_after": limits.elsewhere,
    "data_scope": limits.elsewhere,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A row that was unlawful: under which rule, why, and from which day on it would have been lawful (or None)."""

    rule: str
    law: str
    case: str
    line: int
    step: str
    day: date
    why: str
    lawful_from: date | None


@dataclass(frozen=True, slots=True)
class Remaining:
    """What the log cannot tell, once for a rule: `times` rows could not be judged under it."""

    rule: str
    law: str
    what: str
    times: int


@dataclass(slots=True)
class Opinion:
    """All that was found. `checked`: how often each rule was asked; `advice`: against our own defaults and rules from
    memory, which nobody may call unlawful."""

    checked: Counter[str] = field(default_factory=Counter[str])
    violations: list[Violation] = field(default_factory=list[Violation])
    advice: list[Violation] = field(default_factory=list[Violation])
    untold: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    cases: int = 0

    @property
    def remains(self) -> list[Remaining]:
        """What the log cannot tell, by rule."""
        return [Remaining(*key, count) for key, count in sorted(self.untold.items())]


class TooManyRows(ValueError):
    """A case has more rows than a case can have; the text says what to look at."""


def second_opinion(
    entries: Iterable[Entry],
    packs: Sequence[LawPack],
    calendar: Calendar,
    *,
    actor: str = "",
    doubtful: Mapping[str, Sequence[int]] | None = None,
) -> Opinion:
    """Hold a log against law packs of one country.

    `actor`: who the utility is (grid_company, supplier, network); by the service where left out. `doubtful`: lines of a
    case that could not be understood, which may be just what is missing. Raises `TooManyRows`.
    """
    cases: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        cases[entry.case].append(entry)
    opinion = Opinion(cases=len(cases))
    rules = _Rules(packs, actor)
    for case, rows in cases.items():
        if len(rows) > CASE_ROWS_MAX:
            raise TooManyRows(f"Case {case!r} has {len(rows)} rows. Is `case` the right column?")
        rows.sort(key=lambda one: (one.day, one.line))
        for entry in rows:
            held = Held(entry, rows, calendar, packs[0].currency, tuple((doubtful or {}).get(case, ())))
            for rule in rules.about(entry):
                _hold(rule, held, opinion)
    opinion.violations.sort(key=lambda one: one.line)
    opinion.advice.sort(key=lambda one: one.line)
    return opinion


def _hold(rule: Rule, held: Held, opinion: Opinion) -> None:
    opinion.checked[rule.id] += 1
    found = opinion.violations if rule.enforce == "block" else opinion.advice
    for verdict in _CHECKS[rule.kind](rule, held):
        if isinstance(verdict, Unlawful):
            violation = _violation(rule, held, verdict)
            if not any(one.line == violation.line and one.why == violation.why for one in found[-20:]):
                found.append(violation)
        else:
            opinion.untold[(rule.id, rule.law, verdict.what)] += 1


def _violation(rule: Rule, held: Held, verdict: Unlawful) -> Violation:
    entry, why = held.entry, verdict.why
    if rule.applies.contract or rule.applies.region:
        only = [rule.applies.contract.replace("_", " ")] if rule.applies.contract else []
        why += f" (Holds for {' and '.join([*only, *sorted(rule.applies.region)])}.)"
    if verdict.missing and held.doubtful:
        lines = ", ".join(map(str, held.doubtful[:3]))
        why += f" (Unless it is in a line of the case that was not understood: {lines}.)"
    return Violation(rule.id, rule.law, entry.case, entry.line, entry.step, entry.day, why, verdict.lawful_from)


class _Rules:
    """The rules of some packs, by what they are about and for whom."""

    def __init__(self, packs: Sequence[LawPack], actor: str):
        self._all = [rule for pack in packs for rule in pack.rules if rule.enforce != "off"]
        self._actor = actor
        self._for: dict[tuple[str, str], list[Rule]] = {}

    def about(self, entry: Entry) -> list[Rule]:
        """The rules that are about what a row did, for whom it did it, in force on its day."""
        key = (entry.debtor, entry.service)
        if key not in self._for:
            self._for[key] = [rule for rule in self._all if self._is_for(rule.applies, *key)]
        mine = self._for[key]
        acts = entry.acts | _fees_without_a_rule(mine, entry.acts)
        return [rule for rule in mine if rule.targets & acts and rule.in_force(entry.day)]

    def _is_for(self, applies: Applies, debtor: str, service: str) -> bool:
        if service == "electricity" and self._actor == "grid_company":
            service = "electricity_grid"
        actor = self._actor or _ACTORS.get(service, "")
        return (
            (not applies.debtor or debtor in applies.debtor)
            and (not applies.service or service in applies.service)
            and (not applies.actor or actor in applies.actor)
        )


def _fees_without_a_rule(rules: Iterable[Rule], acts: frozenset[str]) -> frozenset[str]:
    """`fee.any_other` where the row charges a fee that no rule names."""
    charged = {act for act in acts if act.startswith(FEE) and act != ANY_FEE}
    named = {name for rule in rules for name in rule.targets if isinstance(rule.demand, MaxAmount) or name != ANY_FEE}
    return frozenset({ANY_OTHER_FEE}) if charged - named else frozenset()
