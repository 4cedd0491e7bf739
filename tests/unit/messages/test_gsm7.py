"""Text messages stay in the alphabet they are paid by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.flow.messages import gsm7


def test_nordic_dutch_and_german_letters_cost_one_septet_each() -> None:
    assert gsm7.outside("æøåÆØÅ äöüßÄÖÜ é è à") == ""
    assert gsm7.parts("å" * 160) == 1
    assert gsm7.parts("å" * 161) == 2


def test_a_euro_sign_costs_two() -> None:
    assert gsm7.parts("€" + "a" * 158) == 1
    assert gsm7.parts("€" + "a" * 159) == 2


def test_a_euro_sign_does_not_straddle_two_parts() -> None:
    # 152 letters leave one septet of a 153-septet part: the sign needs two and moves to the next.
    filled = "a" * 152 + "€" + "a" * 151

    assert gsm7.parts(filled) == 2
    assert gsm7.parts(filled + "a") == 3


def test_counting_parts_of_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(ValueError, match="✓"):
        gsm7.parts("✓")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("1\xa0234,50\xa0kr", "1 234,50 kr"),
        ("Saïd Łukasz Şebnem", "Said Lukasz Sebnem"),
        ("“ja” – nei…", '"ja" - nei...'),
        ("Blåbærgrøt på Tøyen", "Blåbærgrøt på Tøyen"),
        ("日本", "??"),
    ],
)
def test_what_has_a_likeness_is_folded(written: str, sent: str) -> None:
    assert gsm7.fold(written) == sent


@given(st.text())
def test_folded_text_can_always_be_sent(text: str) -> None:
    assert gsm7.outside(gsm7.fold(text)) == ""
