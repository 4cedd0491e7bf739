"""Every slip that a scheme promises to find is found, and what is made is always right."""

import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.core.references.betalingskenmerk import check_betalingskenmerk, make_betalingskenmerk
from relight.core.references.errors import WrongReference
from relight.core.references.fik import FikCard, check_fik, make_fik
from relight.core.references.kid import KidCheck, check_kid, make_kid
from relight.core.references.rf import check_rf, make_rf
from relight.core.references.schemes import SCHEMES, scheme_of
from tests.unit.core.references.slips import neighbours_exchanged, one_wrong

DIGITS = "0123456789"
CAPITALS = string.ascii_uppercase
payloads = st.text(DIGITS, min_size=1, max_size=24)
LOOKS_ALIKE = {"1B", "2M", "3X", "B1", "M2", "X3"}  # eleven times the digit is the letter's value


def is_right(checked: Callable[..., str], text: str, **how: str) -> bool:
    try:
        checked(text, **how)
    except WrongReference:
        return False
    return True


@given(st.sampled_from(sorted(SCHEMES)), st.data())
def test_what_is_made_is_right_and_gives_back_what_it_was_made_of(name: str, data: st.DataObject) -> None:
    scheme = scheme_of(name)
    signs = DIGITS + (CAPITALS if scheme.letters else "")
    payload = data.draw(st.text(signs, min_size=1, max_size=scheme.room))

    reference = scheme.make(payload)

    assert scheme.check(reference) == reference
    assert scheme.payload(reference) == (payload.zfill(scheme.room) if scheme.padded else payload)
    assert scheme.check(" ".join(reference)) == reference


@given(payloads, st.sampled_from(["mod10", "mod11"]))
def test_a_kid_with_one_digit_wrong_is_never_taken(payload: str, check: KidCheck) -> None:
    kid = make_kid(payload, check=check)

    taken = [slip for slip in one_wrong(kid) if is_right(check_kid, slip, check=check)]

    assert taken == []


@given(payloads)
def test_a_kid_of_modulus_11_with_two_neighbours_exchanged_is_never_taken(payload: str) -> None:
    kid = make_kid(payload, check="mod11")

    taken = [slip for slip, _ in neighbours_exchanged(kid) if is_right(check_kid, slip, check="mod11")]

    assert taken == []


@given(payloads)
def test_a_kid_of_modulus_10_takes_no_exchange_but_09_for_90(payload: str) -> None:
    kid = make_kid(payload)

    taken = {pair for slip, pair in neighbours_exchanged(kid) if is_right(check_kid, slip)}

    assert taken <= {"09", "90"}


@given(st.text(DIGITS, min_size=1, max_size=14), st.sampled_from(["71", "75"]))
def test_the_number_of_a_slip_finds_what_modulus_10_finds(payload: str, card: FikCard) -> None:
    number = make_fik(payload, card=card)

    wrong = [slip for slip in one_wrong(number) if is_right(check_fik, slip, card=card)]
    exchanged = {pair for slip, pair in neighbours_exchanged(number) if is_right(check_fik, slip, card=card)}

    assert wrong == []
    assert exchanged <= {"09", "90"}


def remainder(counted: str) -> int:
    """The sum of the specification, counted out once more: weights from the right, remainder of eleven."""
    weights = [2, 4, 8, 5, 10, 9, 7, 3, 6, 1] * 2
    return sum(int(digit) * weight for digit, weight in zip(counted[::-1], weights, strict=False)) % 11


@given(st.text(DIGITS, min_size=1, max_size=15))
def test_a_betalingskenmerk_misses_only_what_its_doubled_digit_hides(payload: str) -> None:
    number = make_betalingskenmerk(payload)

    slips = [*one_wrong(number), *(slip for slip, _ in neighbours_exchanged(number))]
    missed = [slip for slip in slips if is_right(check_betalingskenmerk, slip)]

    # A remainder of 1 asks for a ten, which is written as 1: there, and only there, slips hide.
    assert all(1 in (remainder(number[1:]), remainder(slip[1:])) for slip in missed)


@given(st.text(DIGITS, min_size=1, max_size=21))
def test_an_rf_reference_of_digits_finds_every_slip(payload: str) -> None:
    reference = make_rf(payload)

    slips = [*one_wrong(reference), *(slip for slip, _ in neighbours_exchanged(reference))]

    assert [slip for slip in slips if is_right(check_rf, slip)] == []


@given(st.text(DIGITS + CAPITALS, min_size=1, max_size=21))
def test_an_rf_reference_with_letters_finds_a_wrong_letter_and_every_exchange_but_three(payload: str) -> None:
    reference = make_rf(payload)

    body = reference[4:]
    wrong = [reference[:4] + slip for slip in one_wrong(body, among=CAPITALS) if slip.isalpha() == body.isalpha()]
    same_kind = [slip for slip in wrong if kinds(slip) == kinds(reference)]
    exchanged = {pair for slip, pair in neighbours_exchanged(body) if is_right(check_rf, reference[:4] + slip)}

    assert [slip for slip in same_kind if is_right(check_rf, slip)] == []
    assert exchanged <= LOOKS_ALIKE


def kinds(reference: str) -> str:
    """Which of its characters are digits and which are letters."""
    return "".join("9" if sign.isdigit() else "A" for sign in reference)


@given(st.text(max_size=40), st.sampled_from(sorted(SCHEMES)))
def test_any_text_is_either_right_or_refused_with_a_sentence(text: str, name: str) -> None:
    scheme = scheme_of(name)

    try:
        said = scheme.check(text)
    except WrongReference as wrong:
        said = str(wrong)

    assert is_right(scheme.check, said) or len(said) > 20


def test_a_scheme_that_there_is_not_is_told_with_those_that_there_are() -> None:
    with pytest.raises(KeyError, match="there are kid, kid-mod11"):
        scheme_of("ocr")
