"""Pay links: short, without personal data, and not to be forged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.flow.payments.links import LENGTH, LinkKey, NotALink, make, read

KEY = LinkKey.of("the installation's secret")
partners = st.integers(1, 2**24 - 1)
links = st.integers(1, 2**40 - 1)
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@given(partners, links)
def test_a_token_names_its_link_in_22_letters_and_digits(partner: int, link: int) -> None:
    token = make(partner, link, KEY)

    assert len(token) == LENGTH == 22
    assert token.isascii()
    assert token.isalnum()
    assert read(token, KEY) == (partner, link)


@given(partners, links, st.integers(0, LENGTH - 1), st.sampled_from(_ALPHABET))
def test_a_token_with_one_character_changed_is_no_token(partner: int, link: int, place: int, other: str) -> None:
    token = make(partner, link, KEY)
    changed = token[:place] + other + token[place + 1 :]

    if changed == token:
        assert read(changed, KEY) == (partner, link)
    else:
        with pytest.raises(NotALink):
            read(changed, KEY)


@given(st.text(max_size=40))
def test_any_text_is_refused_without_a_crash(text: str) -> None:
    with pytest.raises(NotALink):
        read(text, KEY)


def test_another_installations_token_is_refused() -> None:
    with pytest.raises(NotALink):
        read(make(1, 1, LinkKey.of("another secret")), KEY)


def test_the_largest_number_of_22_digits_is_refused() -> None:
    with pytest.raises(NotALink, match="too large"):
        read("z" * LENGTH, KEY)


@pytest.mark.parametrize(("partner", "link"), [(2**24, 1), (1, 2**40), (-1, 1)])
def test_a_link_that_does_not_fit_is_not_made(partner: int, link: int) -> None:
    with pytest.raises(OverflowError):
        make(partner, link, KEY)


def test_there_is_no_key_without_a_secret() -> None:
    with pytest.raises(ValueError, match="RELIGHT_SECRET_KEY"):
        LinkKey.of("")
