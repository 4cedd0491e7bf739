"""The sentences: sums, days, spans and plurals as each language writes them, and nothing internal for a customer."""

from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from relight.core.explain import acts, agent, customer, rules
from relight.core.explain.entries import Entry, Why, why_text
from relight.core.explain.speech import Speech
from relight.core.explain.tell import told_entry
from relight.core.explain.words import LANGUAGES, READERS, Reader, fill, language_for, texts
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_text, read_policy
from relight.core.rules.reader import packaged_pack, packaged_packs
from tests.unit.core.test_explain_words import POLICIES, flags
from tests.web import console_codes

NET, GRID = 1, 2
SPACE = "\u00a0"


@cache
def packaged(name: str = "broadband-no") -> Policy:
    read = read_policy(packaged_text(name))
    assert isinstance(read, Policy)
    return read


def speech(language: str, reader: Reader = "agent", **changed: Any) -> Speech:
    made: dict[str, Any] = {
        "language": language, "reader": reader, "zone": ZoneInfo("Europe/Oslo"), "currency": "NOK",
        "today": date(2026, 3, 2), "services": {NET: "broadband", GRID: "electricity_grid"}, "policy": packaged(),
    }  # fmt: skip
    return Speech(**{**made, **changed})


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("nb", f"Vi så at 1{SPACE}234,50{SPACE}kr ikke var betalt til forfall."),
        ("da", f"Vi så, at 1.234,50{SPACE}NOK ikke var betalt til forfald."),
        ("nl", f"We zagen dat NOK{SPACE}1.234,50 op de vervaldatum niet was betaald."),
        ("en", f"We saw that NOK{SPACE}1,234.50 had not been paid when it was due."),
    ],
)
def test_sums_are_written_as_the_language_writes_them(language: str, told: str) -> None:
    assert customer.event(speech(language, "customer"), "opened", {"arrears": 123450}) == told


def test_the_sums_are_in_the_accounts_own_currency() -> None:
    assert "1.234,50 kr." in customer.event(
        speech("da", "customer", currency="DKK"), "opened", {"arrears": 123450}
    ).replace(SPACE, " ")
    assert "€ 1.234,50" in customer.event(
        speech("nl", "customer", currency="EUR"), "opened", {"arrears": 123450}
    ).replace(SPACE, " ")


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("nb", "Vi venter til 3. april 2026 kl. 09.30 med å stenge bredbåndet og strømmen."),
        ("da", "Vi venter til 3. april 2026 kl. 09.30 med at afbryde bredbåndet og strømmen."),
        ("nl", "We wachten er tot 3 april 2026 om 09.30 uur mee om het internet en de stroom af te sluiten."),
        ("en", "We are waiting until 3 April 2026, 09:30 before we cut off your broadband and your electricity."),
    ],
)
def test_moments_are_the_partners_clock_as_the_language_writes_it(language: str, told: str) -> None:
    rules_of_both = speech(language, "customer", policy=both_services())

    found = customer.event(rules_of_both, "deferred", {"step": "cut", "until": "2026-04-03T07:30:00+00:00"})

    assert found.replace(SPACE, " ") == told


def both_services() -> Policy:
    text = packaged_text("broadband-no").replace("service: [broadband]", "service: [broadband, electricity_grid]")
    read = read_policy(text)
    assert isinstance(read, Policy)
    return read


def test_a_midnight_is_told_as_its_day() -> None:
    midnight = datetime(2026, 4, 2, 22, 0, tzinfo=UTC)

    assert speech("nb", "customer").moment(midnight) == "3. april 2026"


def test_an_agent_reads_no_year_that_is_this_one() -> None:
    assert speech("en").day(date(2026, 4, 3)) == "3 April"
    assert speech("en").day(date(2027, 4, 3)) == "3 April 2027"
    assert speech("en", "customer").day(date(2026, 4, 3)) == "3 April 2026"


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [
        ("nb", "1 virkedag", "3 virkedager"),
        ("da", "1 hverdag", "3 hverdage"),
        ("nl", "1 werkdag", "3 werkdagen"),
        ("en", "1 working day", "3 working days"),
    ],
)
def test_spans_have_their_plurals(language: str, one: str, many: str) -> None:
    assert speech(language).span("1 working day") == one
    assert speech(language).span("3 working days") == many


@pytest.mark.parametrize(
    ("language", "one", "two"),
    [("nb", "1 regning", "2 regninger"), ("da", "1 regning", "2 regninger"), ("nl", "1 rekening", "2 rekeningen"),
     ("en", "1 bill", "2 bills")],
)  # fmt: skip
def test_bills_are_counted_in_the_singular_and_the_plural(language: str, one: str, two: str) -> None:
    def told(claims: int) -> str:
        found = {"code": "law.requires_state", "params": {"arrears": 10000, "claims": claims}}
        return agent.reason(speech(language), found).text

    assert one in told(1)
    assert one not in told(2)
    assert two in told(2)


def test_an_agent_reads_the_act_the_section_and_the_rule() -> None:
    found = {
        "code": "law.min_elapsed",
        "params": {"rule": "no.ekom.block.one_month", "since": "2026-03-23", "span": "1 month",
                   "until": "2026-04-23T22:00:00+00:00"},
        "law": "ekomloven § 4-11 second paragraph",
    }  # fmt: skip

    assert why_text(agent.reason(speech("nb"), found)) == (
        "Loven krever at det går lengre tid: 1 måned etter 23. mars, tidligst 24. april"
        " (ekomloven § 4-11 andre ledd, no.ekom.block.one_month)"
    )
    assert why_text(customer.reason(speech("nl", "customer"), found)) == (
        "De wet geeft u meer tijd, tot 24 april 2026 (ekomloven § 4-11 tweede lid)."
    )


def test_a_choice_of_our_own_is_not_passed_off_as_law() -> None:
    own = "no rule found; our own default, so that help is there when it goes dark"

    assert speech("nb").section(own) == "eget valg, ingen lov"
    assert speech("en").section(own) == "our own choice, no law"


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"missing": "reminder", "have": 2, "need": 3, "claim": "F-1"},
         "The law demands something else first: reminder (2 of 3), invoice F-1"),
        ({"missing": "term"}, "The law demands something else first: a time to pay"),
    ],
)  # fmt: skip
def test_what_the_law_wants_first_is_counted(params: dict[str, Any], told: str) -> None:
    assert agent.reason(speech("en"), {"code": "law.requires_before", "params": params}).text == told


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", ["guard.protected", "law.forbidden_if", "condition.flags"])
def test_a_customer_is_never_told_which_flag_it_is(language: str, code: str) -> None:
    names = texts(language, "names")
    for flag in sorted(flags()):
        for key in ("flags", "yes", "unknown", "all", "none"):
            found = {"code": code, "params": {key: [flag], "rule": f"no.{flag}"}, "law": "§ 1"}

            told = why_text(customer.reason(speech(language, "customer"), found))

            assert names[f"flag.{flag}"].lower() not in told.lower()
            assert flag not in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_customer_is_told_nothing_internal_of_any_event(language: str) -> None:
    secret = {
        "note": "HEMMELIG", "text": "HEMMELIG", "actor": "ingrid", "code": "hold_review", "task": 99, "hold": 98,
        "payment": 97, "link": 96, "step": "cut", "arrears": 10000, "amount": 5000, "claims": ["F-1"],
        "services": [NET], "service": NET, "level": "full", "blocks": ["fraud"], "reason": "medical", "number": 95,
        "tried": ["sms"], "next": ["email"], "needs": 2, "policy": "broadband-no", "from": 1, "to": 2,
    }  # fmt: skip

    for code in sorted(console_codes.events()):
        told = customer.event(speech(language, "customer"), code, secret)
        assert not any(word in told for word in ("HEMMELIG", "ingrid", "9", "_", "{", "–", "broadband-no")), (
            code,
            told,
        )
        assert told[0].isupper() or not told[0].isalpha(), told
        assert told[-1] in ".!", told


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reader", READERS)
def test_an_event_of_an_older_release_still_has_a_sentence(language: str, reader: Reader) -> None:
    odd = [{"code": "guard.forgotten", "params": {"x": 1}}, {"code": "condition.arrears", "params": {"is": None}}, {}]
    entries = [
        Entry(1, datetime(2020, 1, 1, tzinfo=UTC), "something_old", {"a": {"b": [1, None]}}, tuple(odd)),
        Entry(2, datetime(2020, 1, 1, tzinfo=UTC), "step_taken", {}),
        Entry(3, datetime(2020, 1, 1, tzinfo=UTC), "deferred", {"step": "gone_since", "until": "soon"}),
    ]

    told = [told_entry(speech(language, reader), entry) for entry in entries]

    assert all(one.text for one in told)


def test_a_notice_and_a_cut_of_one_step_are_told_together() -> None:
    english = speech("en", "customer", services={NET: "broadband"})

    assert acts.to_customer(english, "reminder", "done") == (
        "sent you a reminder and let you know that your broadband may be cut off"
    )
    assert acts.to_customer(english, "cut") == "cut off your broadband"
    assert acts.to_customer(english, "no_longer_there") == "go on with the case"


def test_a_fee_is_told_with_its_sum() -> None:
    danish = speech("da", "customer", currency="DKK", policy=packaged("broadband-dk"), services={NET: "broadband"})

    told = acts.to_customer(danish, "reminder")

    assert told.replace(SPACE, " ") == "sende dig en rykker og lægge et gebyr på 100,00 kr. til"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", POLICIES)
def test_every_step_of_every_packaged_policy_can_be_said(name: str, language: str) -> None:
    policy = packaged(name)
    for reader in READERS:
        spoken = speech(language, reader, policy=policy)
        for step in policy.steps:
            told = [
                acts.to_agent(spoken, step),
                *(acts.to_customer(spoken, step.name, form) for form in ("act", "done")),
            ]
            assert all(one and not set("{}_") & set(one) for one in told), told


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_that_a_step_is_asked_is_told_in_words(language: str) -> None:
    silent = {"required_content", "obligation_after", "data_scope", "forbidden_step"}
    told = 0
    for name in packaged_packs():
        for rule in packaged_pack(name).rules:
            found = rules.tell(speech(language), rule, date(2026, 3, 2), principal=100000)
            if found is None:
                assert rule.kind in silent or rule.kind == "max_amount", rule.id
                continue
            told += 1
            assert not set("{}_") & set(found.text), found
            assert "None" not in found.text
            assert found.rule == rule.id
    assert told > 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rule_about_people_is_told_to_agents_only(language: str) -> None:
    for name in packaged_packs():
        for rule in packaged_pack(name).rules:
            found = rules.tell(speech(language, "customer"), rule, date(2026, 3, 2), principal=100000)
            if found is not None:
                assert found.rule == ""
                assert not any(texts(language, "names")[f"flag.{flag}"] in found.text for flag in flags())


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("withdrawn.guard.payment_in_transit", "We held back what was to go out. A payment is on its way."),
        ("withdrawn.guard.hold", "We held back what was to go out."),
        ("withdrawn.undeliverable", "Our letter or message did not reach you."),
    ],
)
def test_a_cut_that_was_withheld_says_why_as_far_as_it_is_known(code: str, told: str) -> None:
    assert customer.reason(speech("en", "customer"), {"code": code, "params": {}}).text == told


def test_a_payment_that_settles_everything_says_not_that_nothing_remains() -> None:
    whole, part = {"amount": 5000, "arrears": 0}, {"amount": 5000, "arrears": 100}

    assert (
        customer.event(speech("en", "customer"), "payment_seen", whole)
        == f"We have received NOK{SPACE}50.00. Thank you!"
    )
    assert "remains" in customer.event(speech("en", "customer"), "payment_seen", part)
    assert agent.event(speech("en"), "payment_seen", whole) == f"NOK{SPACE}50.00 was paid"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(("nl",), "nl"), (("", "da"), "da"), (("sv", ""), "en"), (("NB-no",), "nb"), ((), "en"), (("de", "nl"), "nl")],
)
def test_the_language_is_the_first_wanted_that_we_have(wanted: tuple[str, ...], found: str) -> None:
    assert language_for(*wanted) == found


def test_a_crown_with_its_point_ends_a_sentence_once() -> None:
    danish = speech("da", "customer", currency="DKK")

    told = customer.event(danish, "payment_seen", {"amount": 5000, "arrears": 100})
    why = agent.reason(
        speech("da", currency="DKK"), {"code": "law.max_amount", "params": {"amount": 5000, "most": 100}}
    )

    assert told.replace(SPACE, " ") == "Vi har fået 50,00 kr. Tak! Så mangler der 1,00 kr."
    assert why_text(Why(why.text, "§ 9 b")).replace(SPACE, " ").endswith("højst 1,00 kr. (§ 9 b)")


@pytest.mark.parametrize(
    ("law", "told"),
    [
        ("forbrukerkjøpsloven § 48 a second paragraph a to d", "forbrukerkjøpsloven § 48 a andre ledd a til d"),
        ("SLC 27.6 and 27.8", "SLC 27.6 og 27.8"),
        ("the covenant speaks of 30 to 100 days", "the covenant speaks of 30 to 100 days"),
        ("lag (1981:739) and förordning (1981:1057)", "lag (1981:739) and förordning (1981:1057)"),
    ],
)
def test_a_section_is_said_in_the_readers_language_and_the_acts_name_stays(law: str, told: str) -> None:
    assert speech("nb").section(law) == told


def test_a_bracket_is_left_out_when_its_name_is_missing_or_empty() -> None:
    text = "a[ and {b}][, {c} {c|one|many}]"

    assert fill(text, {}) == "a"
    assert fill(text, {"b": "", "c": "1"}) == "a, 1 one"
    assert fill(text, {"b": "x", "c": 2}) == "a and x, 2 many"
    assert why_text(Why("So.", "§ 1")) == "So (§ 1)."
