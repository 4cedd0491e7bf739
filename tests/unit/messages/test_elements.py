"""What a law asks a text to hold is in it, in every language that we write, for the customers whom the law protects."""

from dataclasses import replace

import pytest

from relight.core.prove.content import LANGUAGES as READ
from relight.core.prove.content import Contents
from relight.core.rules.model import RequiredContent, Rule
from relight.core.rules.reader import packaged_pack, packaged_packs
from relight.flow.messages import elements as module
from relight.flow.messages.catalog import NAMED, TEMPLATES, read_words
from relight.flow.messages.context import LANGUAGES, WrongContext
from relight.flow.messages.elements import SERVICES, Texts, elements
from relight.flow.messages.lint import lint
from relight.flow.messages.port import Channel
from relight.flow.messages.render import render
from relight.flow.messages.samples import COMPANIES, sample

ASKED: list[tuple[str, Rule]] = [
    (pack.country, rule)
    for pack in map(packaged_pack, packaged_packs())
    for rule in pack.rules
    if isinstance(rule.demand, RequiredContent)
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("country", "rule"), ASKED, ids=[rule.id for _, rule in ASKED])
def test_every_text_that_a_law_speaks_of_holds_what_it_asks_for(country: str, rule: Rule, language: str) -> None:
    assert isinstance(rule.demand, RequiredContent)

    for template in rule.targets:
        for service in rule.applies.service or SERVICES:
            held = elements(template, language, country, service)
            assert held is not None
            assert rule.demand.elements - held == set()


def test_every_country_has_a_law_that_speaks_of_a_text() -> None:
    assert {country for country, _ in ASKED} == {"NO", "DK", "NL", "SE", "DE", "GB"}


def test_the_proof_of_a_policy_can_ask_for_every_text_that_its_country_reads() -> None:
    texts: Contents = Texts()

    for country, languages in READ.items():
        for language in languages:
            for template in TEMPLATES:
                assert texts.elements(template, language, country) is not None
    assert texts.elements("reminder", "nb", "BE") is None
    assert texts.elements("love_letter", "nb", "NO") is None
    assert texts.elements("reminder", "fr", "NO") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_dutch_household_is_told_of_help_and_a_norwegian_one_is_not_told_of_dutch_law(language: str) -> None:
    dutch = {"debt_help_options", "plan_possible", "data_offer", "no_cutoff_if_medical_or_debt_help"}

    assert dutch <= (elements("reminder", language, "NL", "electricity") or set())
    assert not dutch & (elements("reminder", language, "NO", "electricity") or set())
    assert not dutch & (elements("reminder", language, "NL", "broadband") or set())


def test_a_dutch_company_s_data_is_not_offered_to_the_municipality() -> None:
    company = replace(sample("nl", "reminder", "NL", "gas"), consumer=False)

    text = render("reminder", Channel.LETTER, company).text

    assert "klantnummer" not in text
    assert "klantnummer" in render("reminder", Channel.LETTER, replace(company, consumer=True)).text


def test_water_in_containers_is_offered_where_water_is_owed() -> None:
    assert "water_containers" in (elements("disconnect_notice", "nl", "NL", "water") or set())
    assert "water_containers" not in (elements("disconnect_notice", "nl", "NL", "electricity") or set())
    assert "water_containers" not in (elements("disconnect_notice", "nb", "NO", "water") or set())


def test_a_german_telephone_customer_hears_of_the_court() -> None:
    assert "court" in (elements("disconnect_notice", "de", "DE", "telephony") or set())
    assert "court" not in (elements("disconnect_notice", "de", "DE", "electricity") or set())


def test_without_a_country_only_what_every_country_s_customers_read_is_held() -> None:
    everywhere = elements("reminder", "nl") or set()

    assert "creditor_name" in everywhere
    assert "data_offer" not in everywhere


def test_an_element_that_a_translation_lost_is_no_longer_held(monkeypatch: pytest.MonkeyPatch) -> None:
    words = read_words("nl")
    letter = words["templates"]["fourteen_day_letter"]
    lost = {**letter, "body": {**letter["body"], "consequence": "{% if false %}niets{% endif %}"}}
    broken = {**words, "templates": {**words["templates"], "fourteen_day_letter": lost}}
    monkeypatch.setattr(module, "words_of", lambda language: broken)

    held = module.elements.__wrapped__("fourteen_day_letter", "nl", "NL", "water")

    assert held is not None
    assert "consequence" not in held
    assert "collection_cost" in held


def test_lint_says_which_law_misses_which_paragraph(monkeypatch: pytest.MonkeyPatch) -> None:
    real = elements("plan_offer", "de", "DE", "gas")
    assert real is not None
    monkeypatch.setattr("relight.flow.messages.lint.elements", lambda *names: real - {"no_interest"})

    found = [finding for finding in lint(("de",)) if "'no_interest'" in finding.message]

    assert found
    assert {finding.template for finding in found} == {"plan_offer"}
    assert "§ 41g" in found[0].message


def test_lint_misses_a_paragraph_that_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    words = read_words("nb")
    demand = words["templates"]["payment_demand"]
    body = {name: said for name, said in demand["body"].items() if name != "interest"} | {"extra": "Hei"}
    broken = {**words, "templates": {**words["templates"], "payment_demand": {**demand, "body": body}}}
    monkeypatch.setattr("relight.flow.messages.lint.words_of", lambda language: broken)

    messages = [finding.message for finding in lint(("nb",)) if finding.template == "payment_demand"]

    assert any("lacks the paragraph 'interest'" in message for message in messages)
    assert any("has a paragraph 'extra' that nobody reads" in message for message in messages)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", NAMED)
def test_named_paragraphs_are_written_in_every_language(template: str, language: str) -> None:
    body = read_words(language)["templates"][template]["body"]

    assert set(body) == set(NAMED[template])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_fourteen_day_letter_names_the_cost_and_what_it_would_be_in_all(language: str) -> None:
    context = replace(sample(language, "fourteen_day_letter", "NL", "water"), collection_cost=18_518)

    for channel in Channel:
        text = render("fourteen_day_letter", channel, context).text
        assert "185,18" in text or "185.18" in text
    written = render("fourteen_day_letter", Channel.LETTER, context).text
    assert "1.419,68" in written or "1,419.68" in written or "1\xa0419,68" in written


def test_a_fourteen_day_letter_without_its_cost_is_not_sent() -> None:
    context = replace(sample("nl", "fourteen_day_letter"), collection_cost=None)

    with pytest.raises(WrongContext, match="needs collection_cost"):
        render("fourteen_day_letter", Channel.LETTER, context)


@pytest.mark.parametrize("template", ["collection_warning", "payment_demand", "termination_notice", "security_demand"])
def test_a_letter_that_gives_time_says_until_when_or_is_not_sent(template: str) -> None:
    context = sample("nb", template)

    assert "3. desember" in render(template, Channel.SMS, context).text
    with pytest.raises(WrongContext, match="needs pay_by and term"):
        render(template, Channel.EMAIL, replace(context, pay_by=None))


def test_a_cut_that_is_announced_without_a_day_of_its_own_comes_after_the_last_day_to_pay() -> None:
    context = replace(sample("de", "disconnect_announcement"), cut_date=None)

    text = render("disconnect_announcement", Channel.LETTER, context).text

    assert "nicht vor dem 4. Dezember 2026" in text


def test_a_demand_without_interest_says_so() -> None:
    context = sample("nb", "payment_demand")

    assert "12,5 prosent i året fra 21. september 2026" in render("payment_demand", Channel.LETTER, context).text
    without = render("payment_demand", Channel.LETTER, replace(context, interest=None)).text
    assert "Det er ikke lagt til forsinkelsesrente" in without


@pytest.mark.parametrize("country", COMPANIES)
def test_every_country_has_a_board_to_complain_to(country: str) -> None:
    text = render("payment_demand", Channel.LETTER, sample("en", "payment_demand", country)).text

    board = read_words("boards")[country]
    assert any(one["name"] in text for one in (board["board"], *board.get("by_service", {}).values()))
