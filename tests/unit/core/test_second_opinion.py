"""A log from another system against the law: lawful and unlawful on the boundary, and what the log cannot tell."""

from datetime import date, timedelta
from importlib import resources
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relight.core.calendars import calendar_for
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_text, read_policy
from relight.core.rules.acts import acts_of
from relight.core.rules.evidence import occurrences
from relight.core.rules.reader import packaged_pack, packaged_packs
from relight.core.second_opinion.check import CASE_ROWS_MAX, Opinion, TooManyRows, second_opinion
from relight.core.second_opinion.log import Entry, acts_in_law
from relight.core.second_opinion.words import fold, known_acts, packaged_words, plain
from relight.core.yaml_tree import read_tree
from tests.unit.core.history import History
from tests.unit.core.test_prove_property import _lives

SENT = date(2026, 3, 16)
CAPPED = 3750  # øre, the reminder fee in 2026


def row(line: int, acts: str, day: date, service: str = "broadband", **more: Any) -> Entry:
    """A row; `acts` are names with spaces between."""
    more.setdefault("owed", 120000)
    charged = more.get("fee") is not None
    return Entry(line, "17", acts, day, acts_in_law(acts.split(), charged=charged), service, **more)


def ask(*entries: Entry, law: str = "no", actor: str = "") -> Opinion:
    pack = packaged_pack(law)
    return second_opinion(entries, [pack], calendar_for(pack.country), actor=actor)


def rules(opinion: Opinion) -> list[str]:
    return [one.rule for one in opinion.violations]


def days(count: int) -> timedelta:
    return timedelta(days=count)


# -- Norway


@pytest.mark.parametrize(("after", "lawful"), [(30, False), (31, False), (32, True)])
def test_broadband_is_cut_a_month_after_the_notice_and_thirty_days_are_no_month(after: int, lawful: bool) -> None:
    found = ask(row(2, "reminder disconnect_notice", SENT), row(3, "disconnect", SENT + days(after)))

    assert rules(found) == ([] if lawful else ["no.ekom.block.one_month"])
    assert [one.lawful_from for one in found.violations] == ([] if lawful else [date(2026, 4, 17)])


def test_slowing_broadband_down_needs_the_same_month() -> None:
    found = ask(row(2, "reminder disconnect_notice", SENT), row(3, "throttle", SENT + days(30)))

    assert rules(found) == ["no.ekom.block.one_month"]


@pytest.mark.parametrize(("after", "lawful"), [(28, False), (29, True), (35, True)])
def test_the_grid_is_closed_from_day_29_after_the_notice(after: int, lawful: bool) -> None:
    found = ask(
        row(2, "reminder disconnect_notice", SENT, "electricity_grid"),
        row(3, "contact_attempt", SENT + days(20), "electricity_grid"),
        row(4, "disconnect", SENT + days(after), "electricity_grid"),
    )

    assert rules(found) == ([] if lawful else ["no.el.disconnect.notice_4w"])


def test_a_sentence_names_the_days_and_the_first_lawful_one() -> None:
    found = ask(row(2, "reminder disconnect_notice", SENT), row(3, "disconnect", SENT + days(30)))

    assert found.violations[0].why == (
        "The disconnection of 15 April 2026 came too early. The reminder was sent on 16 March 2026, and 1 month must "
        "pass after it. It would have been lawful from 17 April 2026."
    )


@pytest.mark.parametrize(("after_due", "lawful"), [(13, False), (14, True)])
def test_a_reminder_fee_comes_on_the_fourteenth_day_after_the_due_date(after_due: int, lawful: bool) -> None:
    found = ask(row(2, "reminder", SENT + days(after_due), due=SENT, fee=CAPPED))

    assert rules(found) == ([] if lawful else ["no.fee.reminder.earliest"])


@pytest.mark.parametrize(("fee", "lawful"), [(CAPPED, True), (CAPPED + 1, False)])
def test_a_reminder_fee_is_at_most_the_cap_of_its_day(fee: int, lawful: bool) -> None:
    found = ask(row(2, "fee.reminder", SENT + days(14), due=SENT, fee=fee))

    assert rules(found) == ([] if lawful else ["no.fee.reminder.amount"])


def test_a_third_reminder_fee_for_a_bill_is_one_too_many_and_for_another_bill_it_is_the_first() -> None:
    due = SENT - days(60)
    fees = [row(2 + at, "reminder", SENT + days(20 * at), due=due, fee=CAPPED, what="F1") for at in range(3)]
    other = row(9, "reminder", SENT + days(60), due=due, fee=CAPPED, what="F2")

    found = ask(*fees, other)

    assert [(one.rule, one.line) for one in found.violations] == [("no.fee.reminder.count", 4)]


def test_what_was_sent_before_the_bills_were_paid_does_not_carry_the_next_cut() -> None:
    found = ask(
        row(2, "reminder disconnect_notice", SENT),
        row(3, "settled", SENT + days(10)),
        row(4, "disconnect", SENT + days(90)),
    )

    assert rules(found) == ["no.ekom.block.reminder", "no.ekom.block.notice"]


def test_a_supplier_may_not_close_the_grid_and_a_grid_company_may() -> None:
    entries = (
        row(2, "reminder disconnect_notice", SENT, "electricity"),
        row(3, "contact_attempt", SENT, "electricity"),
        row(4, "disconnect", SENT + days(35), "electricity"),
    )

    assert rules(ask(*entries)) == ["no.el.disconnect.supplier"]
    assert rules(ask(*entries, actor="grid_company")) == []


def test_our_own_default_is_advice_and_no_violation() -> None:
    friday = date(2026, 5, 8)
    found = ask(
        row(2, "reminder disconnect_notice", SENT, "electricity_grid"),
        row(3, "contact_attempt", SENT, "electricity_grid"),
        row(4, "disconnect", friday, "electricity_grid"),
    )

    assert rules(found) == []
    assert [one.rule for one in found.advice] == ["no.el.disconnect.workday_window"]


def test_health_and_objections_cannot_be_told_and_are_listed_once_a_rule() -> None:
    entries = [row(2, "reminder disconnect_notice contact_attempt", SENT, "electricity_grid")]
    entries += [row(3 + at, "disconnect", SENT + days(35 + at), "electricity_grid") for at in range(3)]

    found = ask(*entries)

    danger = [one for one in found.remains if one.rule == "no.el.disconnect.danger"]
    assert [(one.times, one.law) for one in danger] == [(3, "forbrukerkjøpsloven § 48 a first paragraph a")]
    assert "danger life" in danger[0].what


# -- other countries


@pytest.mark.parametrize(("cut", "lawful"), [(date(2026, 4, 8), False), (date(2026, 4, 9), True)])
def test_danish_hverdage_stand_still_at_easter(cut: date, lawful: bool) -> None:
    begun = date(2026, 1, 5)
    found = ask(
        row(2, "reminder", begun, "electricity", pay_by=begun + days(10)),
        row(3, "reminder", begun + days(12), "electricity", pay_by=begun + days(22)),
        row(4, "security_demand", date(2026, 2, 2), "electricity", received=date(2026, 2, 3)),
        row(5, "termination_notice", date(2026, 3, 31), "electricity", received=date(2026, 3, 31)),
        row(6, "contract_terminate", cut, "electricity"),
        law="dk",
    )  # Wednesday, then Maundy Thursday to Easter Monday, Tuesday, Wednesday

    assert rules(found) == ([] if lawful else ["dk.el.termination_notice"])
    assert [one.lawful_from for one in found.violations] == ([] if lawful else [date(2026, 4, 9)])


def _dutch(reminders: int) -> list[Entry]:
    begun, service = date(2026, 1, 5), "electricity"
    due = begun - days(40)
    sent = [begun + days(15 * at) for at in range(reminders)]
    return [
        *(row(2 + at, "reminder", day, service, due=due, pay_by=day + days(14)) for at, day in enumerate(sent)),
        row(10, "contact_attempt", date(2026, 2, 20), service, channels=frozenset({"phone"})),
        row(11, "contact_attempt", date(2026, 2, 21), service, channels=frozenset({"visit"})),
        row(12, "plan_offer", date(2026, 2, 22), service),
        row(13, "early_signal", date(2026, 2, 23), service),
        row(14, "end_supply_signal", date(2026, 3, 23), service),
        row(15, "contract_terminate", date(2026, 5, 4), service),
    ]


def test_a_dutch_supplier_ends_a_contract_after_three_reminders_contact_plan_and_signals() -> None:
    assert rules(ask(*_dutch(3), law="nl")) == []


def test_two_dutch_reminders_are_one_too_few() -> None:
    found = ask(*_dutch(2), law="nl")

    assert rules(found) == ["nl.energy.reminders_3"]
    assert "after 2 reminders that count; 3 must come first" in found.violations[0].why


def test_a_dutch_end_without_contact_plan_or_signal_names_each() -> None:
    kept = [one for one in _dutch(3) if "reminder" in one.acts or "contract_terminate" in one.acts]

    found = rules(ask(*kept, law="nl"))

    assert {"nl.energy.personal_contact", "nl.energy.plan_offer", "nl.energy.signal_before_end"} <= set(found)


def test_a_dutch_reminder_whose_term_is_not_in_the_log_is_no_violation_but_cannot_be_told() -> None:
    entries = [
        row(one.line, "reminder", one.day, "electricity") if one.step == "reminder" else one for one in _dutch(3)
    ]

    found = ask(*entries, law="nl")

    assert "nl.energy.reminders_3" not in rules(found)
    assert "nl.energy.reminders_3" in [one.rule for one in found.remains]


# -- the whole log


def test_the_order_of_rows_in_the_file_says_nothing() -> None:
    rows_ = [row(4, "reminder disconnect_notice", SENT), row(2, "disconnect", SENT + days(32))]

    assert rules(ask(*rows_)) == []


def test_a_column_that_is_not_the_case_is_refused() -> None:
    rows_ = [row(at, "reminder", SENT) for at in range(CASE_ROWS_MAX + 1)]

    with pytest.raises(TooManyRows, match="Is `case` the right column"):
        ask(*rows_)


def test_no_word_stands_for_two_acts() -> None:
    text = resources.files("relight.core.second_opinion").joinpath("words.yaml").read_text("utf-8")
    tree: Any = read_tree(text).tree
    owners: dict[str, set[str]] = {}
    for act, words in tree["acts"].items():
        for word in (act, *words):
            owners.setdefault(fold(word), set()).add(act)

    assert {word: acts for word, acts in owners.items() if len(acts) > 1} == {}
    assert not set(owners) & {fold(word) for word in tree["nothing"]}


def test_no_header_stands_for_two_columns() -> None:
    text = resources.files("relight.core.second_opinion").joinpath("words.yaml").read_text("utf-8")
    tree: Any = read_tree(text).tree
    headers = [plain(word) for column, words in tree["columns"].items() for word in (column, *words)]

    assert sorted(headers) == sorted(set(headers))


def test_every_act_that_a_law_speaks_of_can_be_named_or_comes_with_one_that_can() -> None:
    packs = [packaged_pack(name) for name in packaged_packs()]
    spoken_of = {act for pack in packs for rule in pack.rules for act in rule.targets}
    brought = acts_in_law({"contact_attempt", "reminder"}, charged=True)
    others = {"fee.any_other", "interest", "municipality_first_talk"}  # no step of a utility, or only asked for flags

    assert spoken_of - known_acts() - brought == others


@pytest.mark.parametrize(
    ("word", "act"),
    [
        ("2. purring", "reminder"), ("PURRING 2", "reminder"), ("inkassovarsel", "collection_warning"),
        ("Stengevarsel", "disconnect_notice"), ("stengt", "disconnect"), ("Rykker 3", "reminder"),
        ("2e aanmaning", "reminder"), ("Mahnung", "reminder"), ("Sperrandrohung", "disconnect_notice"),
        ("14-dagenbrief", "fourteen_day_letter"), ("disconnect", "disconnect"), ("avstängd", "disconnect"),
    ],
)  # fmt: skip
def test_common_words_are_recognised(word: str, act: str) -> None:
    assert packaged_words().acts_of(word) == (act,)


def test_a_word_that_nobody_knows_stays_unknown() -> None:
    assert packaged_words().acts_of("Brev 7") is None


# -- what Relight did itself


def _log_of(policy: Policy, history: History) -> list[Entry]:
    """A case's history as another system would export it: a row for each act."""
    (service,) = policy.services
    (due,) = {claim.due_date for claim in history.claims.values()}
    facts = history.facts()
    acts = {(step.name, act.name) for step in policy.steps for act in acts_of(step)}
    found: list[Entry] = []
    for step, act in sorted(acts):
        for one in occurrences(policy, facts, None, act):
            if one.taken.step == step:
                line = len(found) + 2
                found.append(row(line, act, one.day, service, due=due, pay_by=one.taken.pay_by_date,
                                 channels=one.ways, owed=240000))  # fmt: skip
    return found


@pytest.mark.parametrize("name", ["broadband-no", "power-grid-no"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_what_a_packaged_policy_did_is_lawful_and_a_cut_planted_too_early_is_found(name: str, seed: int) -> None:
    policy = read_policy(packaged_text(name))
    assert isinstance(policy, Policy)
    history = _lives(policy, "", seed)
    entries = _log_of(policy, history)
    notices = [one.day for one in entries if "disconnect_notice" in one.acts]
    assert notices

    lawful = ask(*entries)
    early = min(notices) + days(Random(seed).randrange(1, 28))
    planted = ask(*entries, row(999, "disconnect", early, entries[0].service))

    assert lawful.violations == []
    assert 999 in [one.line for one in planted.violations]
