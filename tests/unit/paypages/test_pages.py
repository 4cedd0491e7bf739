"""The customer's pages as HTML: what they tell, what they keep to themselves, and that nothing gets in."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from relight.flow.messages.context import LANGUAGES, WrongContext
from relight.web.paypages.contexts import Hitch, Stage
from relight.web.paypages.render import PAGES, content_security_policy, render_page, status_json
from relight.web.paypages.words import Words, words_of

sys.path.insert(0, str(Path(__file__).parents[2] / "browser"))
import samples

ALL = [pytest.param(sample, id=f"{sample.name}-{language}") for language, sample in samples.gallery()]
BYTES_MAX = 25_000


class Elements(HTMLParser):
    """Every start tag with its attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, Mapping[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[Mapping[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.mark.parametrize("sample", ALL)
def test_a_page_runs_nothing_but_its_own_script_and_style(sample: samples.Sample) -> None:
    elements = Elements(sample.html)

    for tag, attributes in elements.found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
    for attributes in elements.named("script") + elements.named("style"):
        assert attributes == {"nonce": samples.NONCE}


@pytest.mark.parametrize("sample", ALL)
def test_a_page_is_small_and_whole(sample: samples.Sample) -> None:
    html = sample.html

    assert len(html.encode()) <= BYTES_MAX
    assert "{{" not in html
    assert "{%" not in html
    assert html.count("<h1") == 1
    assert html.rstrip().endswith("</html>")


@pytest.mark.parametrize("sample", ALL)
def test_every_form_posts_with_its_token(sample: samples.Sample) -> None:
    elements = Elements(sample.html)
    forms = elements.named("form")
    looking = [form for form in forms if form["method"] == "get"]  # shows other months, and changes nothing
    tokens = [field for field in elements.named("input") if field.get("name") == "csrfmiddlewaretoken"]

    assert len(looking) == (sample.name == "easier-choice")
    assert [form["method"] for form in forms if form not in looking] == ["post"] * len(tokens)
    assert [token["value"] for token in tokens] == ["token"] * len(tokens)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_say_the_same_things(language: str) -> None:
    def keys(words: object, path: str = "") -> set[str]:
        if isinstance(words, dict):
            return {deeper for key, value in words.items() for deeper in keys(value, f"{path}.{key}")}
        return {f"{path}[{len(words)}]" if isinstance(words, list) else path}

    assert keys(words_of(language)) == keys(words_of("nb"))


def test_a_stranger_with_the_link_sees_the_sum_and_not_the_customer() -> None:
    html = render_page("pay", samples.pay())

    assert "1\xa0234,50\xa0kr" in html
    assert "12345678903" in html
    for secret in ("Kari", "Storgata", "104412", "118841"):
        assert secret not in html


def test_what_others_wrote_is_text_and_never_markup() -> None:
    hostile = "<script>alert(1)</script>\" onload='x"
    pay = render_page("pay", samples.pay(creditor=hostile, reference=hostile, account=hostile))
    details = render_page("details", replace(samples.details(), name=hostile, service_address=hostile))

    for html in (pay, details):
        assert "<script>alert" not in html
        assert not [name for _, attributes in Elements(html).found for name in attributes if name.startswith("on")]


def test_a_sentence_is_never_made_from_what_others_wrote() -> None:
    html = render_page("pay", samples.pay(creditor="{{ 7 * 7 }}"))

    assert "{{ 7 * 7 }}" in html


def test_when_no_provider_answers_the_bank_details_remain() -> None:
    html = render_page("pay", samples.pay(ways=()))

    assert "Betaling på nett virker ikke akkurat nå" in html
    assert "1503.22.33445" in html


@pytest.mark.parametrize("service", ["electricity_grid", "broadband"])
def test_only_power_ends_at_the_meter_s_button(service: str) -> None:
    html = render_page("status", samples.status("nb", Stage.RESTORING, service=service))

    assert ("Du trykker på måleren" in html) == (service == "electricity_grid")


def test_a_finished_page_stops_asking() -> None:
    waiting, done = (samples.status("nb", stage) for stage in (Stage.PAID, Stage.ONLINE))

    assert 'http-equiv="refresh"' in render_page("status", waiting)
    assert 'http-equiv="refresh"' not in render_page("status", done)
    assert "<script" not in render_page("status", done)
    assert status_json(waiting) == {"stage": "paid", "seconds": None, "final": False}
    assert status_json(done) == {"stage": "online", "seconds": 8, "final": True}


@pytest.mark.parametrize(("seconds", "said"), [(1, "Det tok ett sekund."), (8, "Det tok 8 sekunder.")])
def test_who_is_back_is_told_how_long_it_took(seconds: int, said: str) -> None:
    context = replace(samples.status("nb", Stage.ONLINE), seconds=seconds)

    assert said in render_page("status", context)


def test_the_test_provider_s_page_cannot_be_mistaken_and_takes_no_card_number() -> None:
    html = render_page("testpay", samples.card_trial())

    assert "Dette er en prøve. Ingen penger flyttes." in html
    assert [field["type"] for field in Elements(html).named("input")] == ["hidden"]
    assert [button["value"] for button in Elements(html).named("button")] == ["paid", "failed", "cancelled"]


@pytest.mark.parametrize("why", [why for why in Hitch if why is not Hitch.ON_ITS_WAY])
def test_who_could_not_pay_is_told_that_nothing_was_taken(why: Hitch) -> None:
    context = samples.page.TryAgainPage(shell=samples.shell(), why=why, pay_page_url="/p/x")

    assert "trukket fra kontoen din" in render_page("try_again", context)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_paying_already_is_led_back_to_where_they_pay(language: str) -> None:
    shell = replace(samples.shell(), language=language)
    context = samples.page.TryAgainPage(
        shell=shell, why=Hitch.ON_ITS_WAY, pay_page_url="/p/x", go_on_url="https://pay.example/1"
    )

    links = [link.get("href") for link in Elements(render_page("try_again", context)).named("a")]

    assert "https://pay.example/1" in links
    assert links.index("https://pay.example/1") < links.index("/p/x")


def test_a_wrong_answer_is_announced_and_tied_to_its_field() -> None:
    html = render_page("verify", samples.verify(wrong=True))
    (field,) = [field for field in Elements(html).named("input") if field.get("name") == "answer"]

    assert field["aria-describedby"] == "hint wrong"
    assert 'id="wrong" role="alert"' in html


def test_after_too_many_wrong_answers_there_is_no_field_but_a_telephone() -> None:
    html = render_page("verify", samples.verify(locked=True))

    assert 'name="answer"' not in html
    assert 'href="tel:55000000"' in html


def test_a_receipt_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        render_page("receipt", samples.receipt(paid_at=datetime(2026, 12, 6, 3, 12)))  # noqa: DTZ001 - the point


def test_a_page_with_another_page_s_facts_is_refused() -> None:
    with pytest.raises(TypeError, match="needs a PayPage, got VerifyPage"):
        render_page("pay", samples.verify())


def test_the_gallery_leaves_no_page_out() -> None:
    assert {sample.page for sample in samples.in_language("nb")} == set(PAGES)


def test_a_provider_is_a_place_that_forms_may_lead_to() -> None:
    policy = content_security_policy("abc", ("https://checkout.stripe.com",))

    assert "form-action 'self' https://checkout.stripe.com" in policy
    assert "script-src 'nonce-abc'" in policy
    assert "unsafe" not in policy


def test_a_language_that_we_lack_is_refused() -> None:
    with pytest.raises(WrongContext, match="language 'xx'"):
        Words("xx", "NO", "gas")
