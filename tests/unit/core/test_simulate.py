"""What-if: the sums add up, the same seed tells the same, and nothing unlawful happens to anybody in it."""

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from relight.core.decide import decide
from relight.core.decision import Decision, EffectDraft
from relight.core.facts import CaseFacts
from relight.core.law import Law
from relight.core.levels import Level
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_text, read_policy
from relight.core.rules.lawbook import packaged_law
from relight.core.simulate import charts, run
from relight.core.simulate.compare import Interval, differences, measures
from relight.core.simulate.customers import Kind, Model
from relight.core.simulate.customers_file import WrongCustomers, packaged_customers, read_model
from relight.core.simulate.history import back_test
from relight.core.simulate.life import Life
from relight.core.simulate.parts import parts, work
from relight.core.simulate.parts import run as run_parts
from relight.core.simulate.portfolio import Bill, Household, Spec, flag_names, households
from relight.core.simulate.totals import Totals

START = date(2027, 1, 4)
SPEC = Spec(accounts=90, start=START, days=150, seed=5)
IN_TIME, NEVER = Kind("in_time", 100), Kind("never", 100)
HOLDOUT = Kind("holdout", 100, pays_when_asked=(0,), pays_when_cut=100, within=(1, 1))


def compiled(name: str) -> Policy:
    found = read_policy(packaged_text(name))
    assert isinstance(found, Policy)
    return found


def told(spec: Spec = SPEC, name: str = "broadband-no", customers: str = "") -> Totals:
    policy, model = compiled(name), read_model(customers)
    people = households(spec, policy, model)
    return run.simulate(policy, packaged_law(), people, model, start=spec.start, days=spec.days, seed=spec.seed)


def one_household(kind: Kind, bills: int = 4, **more: object) -> Household:
    """A household with a bill of 500 a month."""
    made = [Bill(n, START + timedelta(days=30 * n), START + timedelta(days=30 * n + 14), 50000) for n in range(bills)]
    plain = Household(1, kind, "", frozenset({"sms", "email", "letter"}), (), tuple(made))
    return replace(plain, **more)


def live(household: Household, policy: Policy, days: int = 200) -> tuple[Totals, list[tuple[EffectDraft, datetime]]]:
    """The household's days, and all that left for it."""
    totals, left = Totals(), list[tuple[EffectDraft, datetime]]()
    story = run.Story(policy, packaged_law(), household, read_model(), START, days, 1, totals)
    heard = story.life.on_sent
    story.life.on_sent = lambda draft, now: (left.append((draft, now)), heard(draft, now))[1]
    story.tell()
    return totals, left


# -- the same seed


@pytest.mark.parametrize("size", [1, 7, 40, 500])
def test_however_many_parts_the_portfolio_has_the_sums_are_the_same(size: int) -> None:
    whole = told()

    added = Totals()
    for part in reversed(list(parts(packaged_text("broadband-no"), "", SPEC, size=size))):
        added.add(work(part))

    assert added == whole
    assert whole.accounts == SPEC.accounts


@pytest.fixture(params=[ThreadPoolExecutor, ProcessPoolExecutor])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    with request.param(max_workers=2) as found:
        yield found


def test_any_executor_comes_to_the_same_sums_and_tells_how_far_it_is(executor: Executor) -> None:
    seen: list[int] = []

    found = run_parts(executor, parts(packaged_text("broadband-no"), "", SPEC, size=20), seen.append)

    assert found == told()
    assert seen == [1, 2, 3, 4, 5]


def test_a_part_that_fails_ends_the_whole_run(executor: Executor) -> None:
    todo = [*parts("policy: none", "", SPEC, size=45)]

    with pytest.raises(ValueError, match="line 1"):
        run_parts(executor, todo)


def test_another_seed_makes_other_people() -> None:
    assert told() != told(replace(SPEC, seed=6))


def test_two_policies_meet_the_very_same_people() -> None:
    ours, theirs = compiled("broadband-no"), compiled("power-grid-no")
    alike = replace(theirs, services=ours.services, profiles=ours.profiles, steps=ours.steps[:2])

    first, second = (list(households(SPEC, policy, read_model())) for policy in (ours, alike))

    assert [(one.id, one.kind, one.reach, one.bills) for one in first] == [
        (one.id, one.kind, one.reach, one.bills) for one in second
    ]


def test_a_portfolio_can_be_made_from_any_number_on() -> None:
    policy, model = compiled("broadband-no"), read_model()

    everybody = list(households(SPEC, policy, model))

    assert everybody[30:] == list(households(SPEC, policy, model, 30))
    assert Counter(one.kind.name for one in everybody).most_common(1)[0][0] == "in_time"


# -- sums


@pytest.mark.parametrize("name", ["broadband-no", "broadband-dk", "power-grid-no", "water-nl", "power-gb"])
def test_what_was_billed_and_charged_is_paid_credited_or_still_owed(name: str) -> None:
    totals = told(name=name)

    assert totals.billed + totals.fees == totals.paid_sum + totals.credited + totals.owed_at_end
    assert totals.paid_sum == sum(totals.paid_by_day.values()) > 0
    assert totals.messages.total() == totals.templates.total() > 0
    assert set(totals.messages) <= {"sms", "email", "letter"}
    assert totals.cured_cases == sum(totals.days_to_cure.values()) <= totals.opened
    assert totals.restored <= totals.cuts + totals.limited


def test_what_it_cost_is_what_was_sent_and_done_at_the_models_prices() -> None:
    prices = read_model().cost

    totals = told(replace(SPEC, accounts=200))

    sent = sum(count * prices[channel] for channel, count in totals.messages.items())
    done = totals.cuts * prices["cut"] + totals.restored * prices["restore"] + totals.tasks * prices["task"]
    assert totals.cost == sent + done > 0


def test_who_disputes_rightly_is_credited_and_pays_the_rest() -> None:
    right = Kind("right", 100, disputes_when_asked=100, is_right=100, pays_when_asked=(0, 100), answered_within=(3, 3))

    totals, _ = live(one_household(right, bills=1), compiled("broadband-no"))

    assert (totals.disputes, totals.credited, totals.paid_sum, totals.owed_at_end) == (1, 25000, 25000, 0)


def test_percentiles_of_days_to_cure_are_days_that_were_seen() -> None:
    totals = Totals()
    for days in (1, 1, 2, 3, 50):
        totals.cured(days)

    assert (totals.cure_days(50), totals.cure_days(90), totals.cure_days(1)) == (2, 50, 1)
    assert Totals().cure_days(50) is None


# -- lives


def test_who_pays_in_time_hears_nothing_but_what_they_asked_for() -> None:
    totals, left = live(one_household(IN_TIME), compiled("broadband-no"))

    assert totals.opened == totals.cuts == totals.limited == totals.fees == 0
    assert totals.owed_at_end == 0
    assert {draft.template for draft, _ in left} <= {"payment_received"}


def test_who_never_pays_is_cut_once_and_stays_off() -> None:
    totals, left = live(one_household(replace(NEVER, pays_when_cut=0), bills=2), compiled("broadband-no"))

    assert (totals.opened, totals.cuts, totals.restored, totals.paid_sum) == (1, 1, 0, 0)
    assert totals.owed_at_end == 100000
    assert [draft.level for draft, _ in left if draft.kind == "supply"][-1] is Level.OFF


def test_who_pays_in_the_dark_is_back_at_the_moment_of_payment() -> None:
    totals, left = live(one_household(HOLDOUT, bills=1), compiled("broadband-no"))

    lowered = [now for draft, now in left if draft.kind == "supply" and draft.level is not Level.FULL]
    raised = [now for draft, now in left if draft.level is Level.FULL]
    assert len(lowered) == len(raised) == totals.restored == 1
    assert raised[0] - lowered[0] < timedelta(days=2)
    assert (totals.cured_cases, totals.owed_at_end) == (1, 0)


def test_the_payment_that_closes_a_case_has_its_receipt() -> None:
    prompt = Kind("prompt", 100, pays_when_asked=(100,), within=(1, 1))

    totals, left = live(one_household(prompt, bills=3), compiled("broadband-no"))

    assert (totals.opened, totals.owed_at_end) == (3, 0)
    assert [draft.template for draft, _ in left].count("payment_received") == 3


@pytest.mark.parametrize("name", ["broadband-no", "power-grid-no"])
def test_nobody_is_taken_anything_before_the_notices_whole_four_weeks(name: str) -> None:
    policy, model = compiled(name), read_model()
    taken = 0

    for household in households(replace(SPEC, accounts=120, days=200), policy, model):
        _, left = live(replace(household, kind=replace(HOLDOUT, pays_when_cut=0)), policy)
        noticed: list[datetime] = []
        for draft, now in left:
            if draft.template == "disconnect_notice":
                noticed.append(now)
            if draft.kind == "supply" and draft.level is not Level.FULL:
                assert noticed
                assert now - noticed[0] > timedelta(days=28), f"household {household.id}"
                taken += 1

    assert taken > 50


def test_nobody_whose_life_depends_on_it_is_cut() -> None:
    policy = compiled("power-grid-no")
    names = sorted({name for step in policy.steps for name in flag_names(step.when)})
    protected = tuple((name, "yes") for name in names)
    free = tuple((name, "no") for name in names)

    safe, _ = live(one_household(replace(NEVER, pays_when_cut=0), flags=protected), policy)
    cut, _ = live(one_household(replace(NEVER, pays_when_cut=0), flags=free), policy)

    assert (safe.cuts, safe.limited) == (0, 0)
    assert cut.cuts == 1


def test_a_cut_that_one_bill_does_not_justify_holds_up_no_notice_of_the_next_bill() -> None:
    policy = compiled("power-grid-no")  # asks for two unpaid bills
    free = tuple((name, "no") for step in policy.steps for name in flag_names(step.when))

    totals, left = live(one_household(replace(NEVER, pays_when_cut=0), flags=free), policy)

    before = [draft.template for draft, now in left[: [draft.level for draft, _ in left].index(Level.OFF)]]
    assert totals.reasons["condition.claims"] > 0
    assert before.count("friendly_reminder") >= 2
    assert before.count("disconnect_notice") >= 4, "each notice goes by e-mail and by letter"


def test_nothing_leaves_outside_the_hours_of_contact() -> None:
    policy = compiled("broadband-no")
    zone = run.partner_of(policy).zone
    window = policy.contact.window

    for household in households(SPEC, policy, read_model()):
        for draft, now in live(household, policy)[1]:
            if draft.kind == "message" and draft.template in ("friendly_reminder", "reminder", "disconnect_notice"):
                local = now.astimezone(zone)
                assert window.opens_minute <= local.hour * 60 + local.minute < window.closes_minute


def test_facts_that_are_kept_between_turns_are_those_that_would_be_made_anew() -> None:
    policy = compiled("broadband-no")
    compared = 0

    def compare(life: Life, now: datetime) -> None:
        nonlocal compared
        kept = life.facts(now)
        life.forget_kept()
        assert kept == life.facts(now)
        compared += 1

    for household in households(replace(SPEC, accounts=60), policy, read_model()):
        story = run.Story(policy, packaged_law(), household, read_model(), START, 150, 1, Totals())
        heard = story.life.on_decided
        story.life.on_decided = lambda d, now, story=story, heard=heard: (compare(story.life, now), heard(d, now))[1]
        story.tell()

    assert compared > 1000


@pytest.mark.parametrize("name", ["broadband-no", "power-grid-no", "power-gb"])
def test_whether_one_looks_every_week_or_only_when_something_can_change_all_comes_out_alike(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = told(name=name)
    monkeypatch.setattr("relight.core.simulate.life.wakes", lambda decision: decision.wakes_at)

    looked = told(name=name)

    assert looked.decisions > slept.decisions
    assert replace(looked, decisions=0) == replace(slept, decisions=0)


def test_a_decision_is_counted_when_it_was_made_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def count(policy: Policy, law: Law, facts: CaseFacts, now: datetime) -> Decision:
        nonlocal made
        made += 1
        return decide(policy, law, facts, now)

    monkeypatch.setattr("relight.core.simulate.life.decide", count)

    assert told().decisions == made > 1000


# -- the customers' file


def test_the_model_that_comes_with_relight_reads_as_written() -> None:
    model = read_model()

    assert sum(kind.share for kind in model.kinds) == 100
    assert model.cost["letter"] == 1600
    assert next(kind for kind in model.kinds if kind.name == "forgetful").pays_when_asked == (45, 60, 75)
    assert isinstance(model, Model)


@pytest.mark.parametrize(
    ("instead_of", "written", "line", "message", "remedy"),
    [
        ("share: 70", "share: 71", 5, "add up to 101, not to 100", "change one of them"),
        ("share: 70", "share: most", 6, "is not a share in hundredths", "a whole number from 0 to 100"),
        ("{share: 70}", "{}", 6, "'share' is missing", "a whole number from 0 to 100"),
        ("in_time:", "on_time:", 5, "there is no kind in_time", "its share may be 0"),
        ("within: [0, 3]", "within: [3, 0]", 7, "3 days is more than 0", "write the fewer days first"),
        ("within: [0, 3]", "within: 3", 7, "is not the least and the most days", "such as [0, 3]"),
        ("pay_days: [12, 15, 25]", "pay_days: [12, 32]", 8, "32 is more than 31", "a day from 1 to 31"),
        ("letter: 100", "fax: 3", 12, "unknown key 'fax'", "known here: sms, email, letter"),
        ("task_days: [0, 3]", "task_days: [0]", 13, "task_days", "such as [0, 3]"),
        ("sms: 0.40", "sms: 0.405", 15, "more than two decimals", "leave the further ones out"),
        ("sms: 0.40", "sms: dear", 15, "is not a cost", "an amount such as 0.40"),
        ("cost:", "price:", 15, "unknown key 'price'", ""),
        ("disputing:", "forgetful:", 9, "'forgetful' is written twice", "keep one of them"),
        ("kinds:", "kinds: [", 7, "not YAML", "look at indentation"),
    ],
)
def test_a_mistake_in_the_customers_file_is_told_with_its_line_and_remedy(
    instead_of: str, written: str, line: int, message: str, remedy: str
) -> None:
    text = packaged_customers()
    assert instead_of in text

    with pytest.raises(WrongCustomers) as refused:
        read_model(text.replace(instead_of, written, 1))

    sentence = next(one for one in str(refused.value).splitlines() if message in one)
    assert sentence.startswith(f"line {line}, ")
    assert remedy in sentence


# -- intervals


def paid(amount: int) -> Totals:
    return Totals(fees=amount)


def test_an_interval_is_students_at_95_percent() -> None:
    # Mean 20, standard deviation 10, three seeds: 20 ± 4.303 · 10 / √3 = 20 ± 24.84.
    assert measures([paid(10), paid(20), paid(30)])["fees"] == Interval(20, -5, 45)
    # Two seeds: 1500 ± 12.706 · 707.1 / √2 = 1500 ± 6353.
    assert measures([paid(1000), paid(2000)])["fees"] == Interval(1500, -4853, 7853)
    # Forty seeds of 0 and 100: beyond thirty degrees of freedom 50 ± 1.96 · 50.637 / √40 = 50 ± 15.69.
    assert measures([paid(100 * (n % 2)) for n in range(40)])["fees"] == Interval(50, 34, 66)
    assert measures([paid(7)])["fees"] == Interval(7, 7, 7)


def test_differences_are_taken_seed_by_seed_and_certain_only_where_zero_is_left_out() -> None:
    ours, theirs = [paid(110), paid(210), paid(311)], [paid(100), paid(200), paid(300)]

    certain = differences(ours, theirs)["fees"]
    none = differences(ours, ours)["fees"]

    assert certain.is_certain
    assert (certain.mean, certain.low, certain.high) == (10, 9, 12)
    assert not none.is_certain


# -- charts


@pytest.mark.parametrize("accounts", [1, 60])
def test_charts_are_pictures_with_a_title_and_their_figures_in_words(accounts: int) -> None:
    totals = told(replace(SPEC, accounts=accounts))
    curves = {'Kind & <"kinder">': [totals], "other": [totals]}

    for drawn in (charts.recovered(curves, "some accounts"), charts.sent(curves)):
        root = ET.fromstring(drawn)
        names = {str(child.get("id")): child.text or "" for child in root if child.get("id")}

        assert root.get("role") == "img"
        assert names[str(root.get("aria-labelledby"))]
        assert 'Kind & <"kinder">: ' in names[str(root.get("aria-describedby"))]
        assert "nan" not in drawn
    assert f"SMS {totals.messages['sms']}" in charts.sent(curves)


def test_a_portfolio_that_is_all_paid_before_its_due_date_can_be_drawn() -> None:
    early = Totals(billed=1000)
    early.paid(1100, -6)

    lines = [one for one in ET.fromstring(charts.recovered({"one": [early]}, "")).iter() if "polyline" in one.tag]

    assert {point.split(",")[1] for point in str(lines[0].get("points")).split()} == {"80.0"}


# -- back-test


def history(*bills: tuple[int, int | None]) -> tuple[Bill, ...]:
    """Bills of 500 that fell due on a day after the start, and were paid on one, or never."""
    return tuple(
        Bill(n, START + timedelta(days=due - 14), START + timedelta(days=due), 50000, paid_on(at))
        for n, (due, at) in enumerate(bills, 1)
    )


def paid_on(day: int | None) -> date | None:
    return None if day is None else START + timedelta(days=day)


def test_a_notice_to_somebody_who_pays_within_a_week_unasked_was_needless() -> None:
    prompt, slow, never = history((30, 28)), history((30, 36)), history((30, None), (60, None))

    found = back_test(compiled("broadband-no"), packaged_law(), [prompt, slow, never])

    assert found.late_bills == 3
    assert (found.totals.accounts, found.totals.claims, found.totals.billed) == (3, 4, 200000)
    assert found.totals.paid_sum == 100000
    assert found.needless == {"friendly_reminder": 1}
    assert found.asked["friendly_reminder"] > 1


def test_a_history_in_which_everybody_paid_in_time_asks_nobody() -> None:
    found = back_test(compiled("broadband-no"), packaged_law(), [history((30, 30), (60, 44))] * 3)

    assert (found.asked, found.needless, found.late_bills, found.totals.opened) == ({}, {}, 0, 0)


def test_no_history_at_all_is_no_fault() -> None:
    found = back_test(compiled("broadband-no"), packaged_law(), [])

    assert found.totals == Totals()
