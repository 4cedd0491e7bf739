"""No check without a planted violation: for each of the nine invariants, what it looks for has been shown to be found.

The codes are read from the audit itself, so that a new check without a test that plants it fails here.
"""

import re
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from relight.audit import books, collections, effects, feeds, interest, ledger, payments, refunds, restores
from relight.audit.cuts import Bench
from relight.audit.history import Basis, Cut
from relight.audit.law import KINDS, judge
from relight.audit.messages import ENDED
from relight.audit.policies import read
from relight.audit.report import INVARIANTS
from relight.audit.rules import TAKING_AWAY, Rule, days_of, rules_of

COUNTRIES = ("NO", "DK", "NL", "SE", "DE", "GB")
FRIDAY_IN_WINTER = datetime(2027, 1, 15, 12, tzinfo=UTC)
POLICY = """
policy: any
for: {country: NO, service: [broadband], debtor: consumer, actor: network}
opens: {overdue: 1 day}
steps:
  cut: {after: 1 day, do: [{supply: "off"}]}
"""


def _coded(module: str, pattern: str) -> frozenset[str]:
    """The codes that a module of the audit writes into what it finds."""
    return frozenset(re.findall(pattern, files("relight.audit").joinpath(module).read_text("utf-8")))


CHECKS: dict[str, frozenset[str]] = {
    "I1": frozenset(one.name for one in (*payments.QUESTIONS, *collections.MONEY)),
    "I2": frozenset(one.name for one in (*ledger.QUESTIONS, *books.QUESTIONS, *refunds.QUESTIONS)),
    "I3": _coded("cuts.py", r'Wrong\(\s*"(\w+)"') | {one.name for one in collections.HELD},
    "I4": frozenset(one.name for one in restores.QUESTIONS),
    "I5": frozenset(one.name for one in effects.QUESTIONS),
    "I6": frozenset(one.name for one in feeds.QUESTIONS),
    "I7": _coded("walls.py", r'_violation\(\s*"(\w+)"') | _coded("walls.py", r'why, "(\w+)", _INSPECT'),
    "I8": frozenset(one.name for one in (ENDED, *collections.SILENT)) | _coded("messages.py", r'row, "(\w+)", why'),
    "I9": frozenset(rule.id for country in COUNTRIES for rule in rules_of(country)) | {interest.CODE},
}
_PLANTED = "\n".join(file.read_text("utf-8") for file in sorted(Path(__file__).parent.glob("test_*.py")))


def test_there_is_something_to_look_for_in_each_invariant() -> None:
    assert set(CHECKS) == set(INVARIANTS)
    assert {invariant for invariant, codes in CHECKS.items() if not codes} == set()


@pytest.mark.parametrize(
    ("invariant", "code"),
    [
        *((one, code) for one, codes in CHECKS.items() if one != "I9" for code in sorted(codes)),
        *(("I9", rule.id) for country in COUNTRIES for rule in rules_of(country) if rule.kind == "fee"),
        ("I9", interest.CODE),
    ],
)
def test_every_check_has_a_violation_that_is_planted_and_found(invariant: str, code: str) -> None:
    assert re.search(rf'"{code}"', _PLANTED), f"nobody plants {code} of {invariant}"


RULES = [(country, rule) for country in COUNTRIES for rule in rules_of(country) if rule.kind in KINDS]


@pytest.mark.parametrize(("country", "rule"), RULES, ids=[f"{country} {rule.id}" for country, rule in RULES])
def test_every_rule_objects_to_a_cut_out_of_the_blue(country: str, rule: Rule) -> None:
    """On a Friday in winter, of a bill for something else, nothing before it, everything yes that protects, and nothing
    yes that is demanded."""
    bench, cut = _bench(country), _out_of_the_blue(rule)

    asked, broken = judge(bench, cut, (rule,))

    assert asked == 1
    assert [one.code for one in broken] == [rule.id]


@pytest.mark.parametrize(("country", "rule"), RULES, ids=[f"{country} {rule.id}" for country, rule in RULES])
def test_no_rule_binds_before_it_is_in_force(country: str, rule: Rule) -> None:
    early = datetime(1, 1, 2, 12, tzinfo=UTC) if rule.since > date(1, 1, 2) else None
    if early is None:
        assert rule.since == date.min
        return

    asked, _ = judge(_bench(country), _out_of_the_blue(rule, early), (rule,))

    assert asked == 0


def _bench(country: str) -> Bench:
    reading: Any = SimpleNamespace(partner=SimpleNamespace(zone=ZoneInfo("UTC"), currency="EUR"))
    return Bench(reading, days_of(country), ())


def _out_of_the_blue(rule: Rule, moment: datetime = FRIDAY_IN_WINTER) -> Cut:
    acts = sorted(rule.acts or TAKING_AWAY)
    text = POLICY.replace("actor: network", f"actor: {min(rule.actors, default='network')}")
    if acts[0] not in ("disconnect", "throttle"):
        action = {"agency_handoff": "{handover: a}", "contract_terminate": "{contract_terminate: service}"}[acts[0]]
        text = text.replace('{supply: "off"}', action)
    policy = read(1, text)
    level = {"disconnect": "off", "throttle": "limited"}.get(acts[0])
    claim = Basis(
        claim_id=1, number="F1", due_date=moment.date(), principal=1, costs=0, held=0, disputed=0, believed=1,
        costs_then=0, held_then=0, owed_then=(1, 1), is_for_service=False, earlier=(),
    )  # fmt: skip
    row = {"level": level, "service_kind": min(rule.services, default="water"),
           "debtor": min(rule.debtors, default="consumer")}  # fmt: skip
    flags = dict.fromkeys([*rule.params.get("flags", ()), *rule.params.get("if_flags", ())], "yes")
    return Cut(row, moment, policy, policy.steps["cut"], {}, (claim,), flags)
