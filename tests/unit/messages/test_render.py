"""The words a customer gets: every template, language and channel."""

import re
from dataclasses import replace
from datetime import date

import pytest

from relight.flow.messages import gsm7, render
from relight.flow.messages.catalog import ASKING, TEMPLATES, help_contacts, service_words
from relight.flow.messages.context import LANGUAGES, Brand, ClaimItem, HelpContact, Tone, WrongContext
from relight.flow.messages.lint import lint, sample
from relight.flow.messages.port import Channel

ALL = [(template, language) for template in TEMPLATES for language in LANGUAGES]
plain = str.maketrans({"\xa0": " "})


def test_every_template_in_every_language_on_every_channel_is_fit_to_send() -> None:
    assert lint() == []


@pytest.mark.parametrize(("template", "language"), ALL)
def test_a_text_message_costs_two_parts_at_most_and_tells_neither_name_nor_address(
    template: str, language: str
) -> None:
    text = render.render(template, Channel.SMS, sample(language, template)).text

    assert gsm7.outside(text) == ""
    assert gsm7.parts(text) <= 2
    assert "Kari" not in text
    assert "Storgata" not in text
    assert "104412" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["friendly_reminder", "payment_received", "restored"])
@pytest.mark.parametrize("tone", Tone)
def test_the_most_common_text_messages_cost_one_part(language: str, template: str, tone: Tone) -> None:
    text = render.render(template, Channel.SMS, replace(sample(language, template), tone=tone)).text

    assert gsm7.parts(text) == 1


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize(("template", "language"), [pair for pair in ALL if pair[0] in ASKING])
def test_who_is_asked_to_pay_sees_the_sum_the_link_and_how_to_pay_without_it(
    template: str, language: str, channel: Channel
) -> None:
    context = sample(language, template)

    text = render.render(template, channel, context).text.translate(plain)

    assert "234,50" in text or "234.50" in text
    for needed in (context.pay_url, context.reference, context.account, context.brand.site):
        assert needed in text


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.LETTER])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plan_of_one_length_is_not_told_as_a_span(language: str, channel: Channel) -> None:
    a_year = replace(sample(language, "plan_offer"), plan_months=(12, 12))
    a_span = replace(a_year, plan_months=(12, 18))

    one, more = (" ".join(render.render("plan_offer", channel, told).text.split()) for told in (a_year, a_span))

    assert re.search(r"\b12 [mM]", one)
    assert re.search(r"\b12 \w+ 18 [mM]", more)


def test_a_norwegian_closing_notice_holds_all_that_section_48_a_asks_for() -> None:
    context = sample("nb", "disconnect_notice")

    text = render.render("disconnect_notice", Channel.LETTER, context).text.translate(plain)

    assert "varsel om at vi kan stenge strømmen" in text
    assert "innen 4 uker fra datoen på dette varselet, altså senest 3. desember 2026" in text
    assert "farlig for liv eller helse, eller kan skade noe av stor verdi" in text
    assert "mener at kravet ikke er riktig" in text
    assert "det stenging og gjenåpning koster" in text
    assert "Sosialtjenesten i kommunen kan hjelpe deg" in text
    assert "NAV i kommunen din (55 55 33 33, nav.no)" in text


def test_a_closing_notice_without_its_term_is_not_sent() -> None:
    context = replace(sample("nb", "disconnect_notice"), term=None)

    with pytest.raises(WrongContext, match="needs pay_by and term"):
        render.render("disconnect_notice", Channel.LETTER, context)


def test_a_message_that_lost_its_link_in_translation_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    words = render.words_of("nb")
    broken = {**words, "sms_pay": "på {{ site }}, {{ reference }}, {{ account }}"}
    monkeypatch.setattr(render, "words_of", lambda language: broken)

    with pytest.raises(render.UnfitMessage, match="the pay link"):
        render.render("reminder", Channel.SMS, sample("nb", "reminder"))


def test_claims_that_do_not_add_up_to_the_sum_owed_are_refused() -> None:
    context = sample("nb", "reminder")

    with pytest.raises(WrongContext, match="add up to"):
        replace(context, claims=(ClaimItem("1", date(2026, 9, 1), 1),))


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://x.no/ a", 'https://x.no/"onclick=', ""])
def test_a_pay_link_that_is_not_a_web_address_is_refused(address: str) -> None:
    with pytest.raises(WrongContext, match="pay_url"):
        replace(sample("nb", "reminder"), pay_url=address)


def test_what_a_customer_is_called_cannot_become_markup_in_an_email() -> None:
    context = replace(sample("nb", "reminder"), first_name="<img src=x>", creditor="A & B <script>")

    html = render.render("reminder", Channel.EMAIL, context).html

    assert "&lt;img src=x&gt;" in html
    assert "A &amp; B &lt;script&gt;" in html
    assert "<script" not in html


def test_a_name_is_never_read_as_a_template() -> None:
    context = replace(sample("nb", "reminder"), first_name="{{ 7 * 7 }}")

    assert "Hei, {{ 7 * 7 }}!" in render.render("reminder", Channel.EMAIL, context).text


def test_a_half_payment_is_thanked_for_and_the_rest_can_be_paid() -> None:
    context = replace(sample("nb", "payment_received"), amount_due=23_450, amount_paid=100_000)

    text = render.render("payment_received", Channel.SMS, context).text

    assert "Takk! Fjordnett har mottatt 1 000,00 kr. Det gjenstår 234,50 kr" in text
    assert context.pay_url in text


def test_a_settled_customer_is_not_asked_again() -> None:
    made = render.render("payment_received", Channel.EMAIL, sample("nb", "payment_received"))

    assert "Alt er betalt" in made.text
    assert "https://betal" not in made.text + made.html


def test_a_municipality_of_its_own_replaces_the_country_s_help() -> None:
    own = HelpContact("NAV Bergen", phone="55 55 33 33", site="nav.no/bergen", social_service=True)
    context = replace(sample("nb", "disconnect_notice"), help=(own,))

    text = render.render("disconnect_notice", Channel.EMAIL, context).text.translate(plain)

    assert "Ta kontakt med NAV Bergen (55 55 33 33, nav.no/bergen)" in text


def test_two_brands_share_one_message() -> None:
    brand = Brand("Fjordnett", "fjordnett.no", "55 00 00 00", co_brand="Kraftlaget")

    assert (
        "Fjordnett / Kraftlaget"
        in render.render("restored", Channel.SMS, replace(sample("nb", "restored"), brand=brand)).text
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_service_and_an_unknown_country_still_have_words(language: str) -> None:
    assert service_words(language, "hovercraft")["the"] == service_words(language, "other")["the"]
    assert help_contacts("XX", language)[0].social_service


@pytest.mark.parametrize(
    ("colour", "logo"), [("red;}", ""), ("#12345", ""), ("#0b4f6c", "javascript:x"), ("#0b4f6c", "data:text/html,x")]
)
def test_a_brand_cannot_smuggle_anything_into_a_page(colour: str, logo: str) -> None:
    with pytest.raises(WrongContext, match="brand"):
        Brand("X", "x.no", "1", colour=colour, logo_url=logo)


# Words that accuse, threaten or shame. They have no place in any tone.
_UNKIND = (
    *("skyldner", "misligh", "svindel", "umiddelbart", "siste advarsel", "rettslig", "skam"),
    *("wanbetal", "sofort zahlen", "schuldner ", "schande"),
    *("debtor", "defaulter", "immediately", "final warning", "neglect"),
)


@pytest.mark.parametrize(("template", "language"), ALL)
@pytest.mark.parametrize("tone", Tone)
def test_no_message_accuses_or_shames(template: str, language: str, tone: Tone) -> None:
    context = replace(sample(language, template), tone=tone)

    said = " ".join(render.render(template, channel, context).text for channel in Channel).lower()

    assert [word for word in _UNKIND if word in said] == []
    assert "!!" not in said
