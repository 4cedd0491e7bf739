"""A policy's picture: steps on a line of days, the law's time beside the chosen one; and the same as text."""

from xml.etree import ElementTree

import pytest

from relight.core.policy import Policy
from relight.core.policy_reader import packaged_names, packaged_text, read_policy
from relight.core.rules.lawbook import packaged_law
from relight.core.show.rows import Picture, picture
from relight.core.show.svg import as_svg
from relight.core.show.text import as_text
from relight.core.show.words import LANGUAGES, Words, _texts


def drawn(name: str, language: str = "en") -> Picture:
    read = read_policy(packaged_text(name))
    assert isinstance(read, Policy)
    return picture(read, packaged_law(), Words(language))


def words_in(svg: str) -> str:
    return " ".join("".join(element.itertext()) for element in ElementTree.fromstring(svg).iter())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", packaged_names())
def test_every_policy_that_comes_with_relight_can_be_drawn_and_read_out(name: str, language: str) -> None:
    shown = drawn(name, language)

    text, svg = as_text(shown, Words(language)), as_svg(shown, Words(language))

    for row in shown.rows:
        assert row.name in text
        assert row.name.replace("_", " ") in words_in(svg)
    assert text.startswith(name)


def test_the_laws_four_weeks_stand_beside_the_time_that_was_chosen() -> None:
    shown = drawn("power-grid-no")

    (least,) = shown.rows[-1].least

    assert least.lawful == (29, 29)
    assert least.chosen[0] > 29
    assert "law: 4 weeks after disconnect notice: 29 days; chosen: " in as_text(shown, Words("en"))


def test_the_worst_of_several_ways_is_what_is_shown() -> None:
    text = (
        "policy: two-ways\nfor: {country: NO, service: [broadband], debtor: consumer, actor: network}\n"
        "opens: {overdue: 1 day}\nsteps:\n"
        "  notice: {after: 1 day, do: [{message: reminder}, {message: disconnect_notice}],"
        " next: [{when: {claims: {min: 2}}, step: wait}, {step: cut}]}\n"
        "  wait: {after: 2 months, do: [{contact_attempt: phone}]}\n"
        "  cut: {after: 1 month, do: [{supply: off}]}\n"
    )
    read = read_policy(text)
    assert isinstance(read, Policy)

    shown = picture(read, packaged_law(), Words("en"))

    assert {least.chosen[0] < 75 for least in shown.rows[-1].least} == {True}
    assert {least.chosen[1] > 90 for least in shown.rows[-1].least} == {True}
    assert shown.rows[0].onwards == (("a number of unpaid bills of at least 2", "wait"), ("otherwise", "cut"))


def test_a_step_that_takes_something_away_is_marked() -> None:
    svg = as_svg(drawn("broadband-no"), Words("en"))

    assert svg.count('<g class="cut">') == 2


def test_what_a_policy_says_cannot_break_the_picture() -> None:
    shown = drawn("broadband-no")
    risky = Picture("<script>&", shown.whom, shown.rows, ("a < b & c",), shown.holds, shown.ends)

    svg = as_svg(risky, Words("en"))

    assert "<script>&" in words_in(svg)


def test_both_languages_have_the_same_texts() -> None:
    def keys(tree: object, path: str = "") -> set[str]:
        if not isinstance(tree, dict):
            return {path}
        return {key for name, value in tree.items() for key in keys(value, f"{path}.{name}")}

    english, norwegian = (
        {key for key in keys(_texts()[language]) if not key.startswith(".names")} for language in LANGUAGES
    )

    assert english == norwegian


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(KeyError, match="no pictures in 'fi'"):
        Words("fi")
