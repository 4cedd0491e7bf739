"""References as others have published them: examples of banks' and associations' papers, of standards and of files."""

import pytest

from relight.core.references.betalingskenmerk import check_betalingskenmerk, make_betalingskenmerk
from relight.core.references.errors import UnableToMakeReference, WrongReference
from relight.core.references.fik import FikLine, check_fik, fik_line, make_fik, read_fik_line
from relight.core.references.kid import KidCheck, check_kid, make_kid
from relight.core.references.rf import check_rf, format_rf, make_rf


@pytest.mark.parametrize(
    ("payload", "check", "kid"),
    [
        ("234567", "mod10", "2345676"),
        ("60224", "mod10", "602243"),
        ("0", "mod10", "00"),
        ("1234567890", "mod11", "12345678903"),
        ("31", "mod11", "310"),
        ("40", "mod11", "40-"),
    ],
)
def test_a_kid_is_the_one_that_others_make(payload: str, check: KidCheck, kid: str) -> None:
    assert make_kid(payload, check=check) == kid
    assert check_kid(kid, check=check) == kid


@pytest.mark.parametrize(
    ("payload", "number"),
    [("1", "000000000000018"), ("2", "000000000000026"), ("00404040000066", "004040400000669")],
)
def test_a_danish_slip_has_the_number_that_printers_print(payload: str, number: str) -> None:
    assert make_fik(payload) == number
    assert check_fik(number) == number
    assert make_fik(payload, card="75") == "0" + number


@pytest.mark.parametrize(
    ("payload", "length", "number"),
    [("000056789012345", 16, "5000056789012345"), ("234534622567", 14, "12234534622567")],
)
def test_a_betalingskenmerk_is_that_of_the_specification(payload: str, length: int, number: str) -> None:
    assert make_betalingskenmerk(payload, length=length) == number
    assert check_betalingskenmerk(number) == number


def test_a_betalingskenmerk_may_be_written_in_groups() -> None:
    assert check_betalingskenmerk("12 2345 3462 2567") == "12234534622567"


@pytest.mark.parametrize(("length", "number_begins"), [(9, "7"), (10, "8"), (11, "9"), (12, "0"), (13, "1"), (14, "2")])
def test_the_second_digit_counts_those_behind_it(length: int, number_begins: str) -> None:
    number = make_betalingskenmerk("1234567", length=length)

    assert len(number) == length
    assert number[1] == number_begins


def test_a_betalingskenmerk_of_seven_digits_has_nothing_to_check() -> None:
    assert make_betalingskenmerk("1234567", length=7) == "1234567"
    assert check_betalingskenmerk("1234567") == "1234567"


@pytest.mark.parametrize(
    ("payload", "reference"), [("539007547034", "RF18539007547034"), ("5390 0754 70y", "RF185390075470Y")]
)
def test_an_rf_reference_is_that_of_the_standard(payload: str, reference: str) -> None:
    assert make_rf(payload) == reference
    assert check_rf(reference.lower()) == reference
    assert check_rf(format_rf(reference)) == reference


def test_a_line_of_a_slip_is_read_and_written() -> None:
    line = FikLine("71", "004040400000669", "87654321")

    assert read_fik_line("+71< 004040400000669 +87654321<") == line
    assert str(fik_line("004040400000669", creditor="87654321")) == "+71<004040400000669+87654321<"
    assert read_fik_line("+73<+87654321<") == FikLine("73", "", "87654321")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("+71<004040400000668+87654321<", "check digit does not fit"),
        ("+75<004040400000669+87654321<", "there are 16"),
        ("+73<004040400000669+87654321<", "there is none"),
        ("+04<0040404000006698+8765432<", "not checked here"),
        ("+71<004040400000669+12345678<", "begins with 8"),
        ("71 004040400000669", "no line of a payment slip"),
    ],
)
def test_a_line_that_is_none_is_refused_with_the_reason(line: str, said: str) -> None:
    with pytest.raises(WrongReference, match=said):
        read_fik_line(line)


def test_a_line_is_not_made_for_a_creditor_without_a_number_of_its_own() -> None:
    with pytest.raises(UnableToMakeReference, match="begins with 8"):
        fik_line("004040400000669", creditor="12345678")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "digits only"),
        ("12345a", "digits only"),
        ("１２３４", "digits only"),
        ("7", "2 to 25"),
        ("1" * 26, "2 to 25"),
        ("2345675", "check digit"),
        ("40-", "digits only"),
    ],
)
def test_what_is_no_kid_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(WrongReference, match=said):
        check_kid(text)


@pytest.mark.parametrize("text", ["12345678", "123456789012345", "12345678901234567", "12 2345 3462 256x"])
def test_what_has_no_length_of_a_betalingskenmerk_is_none(text: str) -> None:
    with pytest.raises(WrongReference):
        check_betalingskenmerk(text)


def test_a_betalingskenmerk_that_miscounts_its_digits_is_none() -> None:
    with pytest.raises(WrongReference, match="does not count"):
        check_betalingskenmerk("13234534622567")


@pytest.mark.parametrize(
    "text", ["RF17539007547034", "RF18", "XX18539007547034", "RF18539007547034539007547034", "RF18 5390/0754"]
)
def test_what_is_no_rf_reference_is_refused(text: str) -> None:
    with pytest.raises(WrongReference):
        check_rf(text)


def test_a_kid_that_ends_in_a_dash_can_be_kept_out_of_a_series() -> None:
    with pytest.raises(UnableToMakeReference, match="leave this number out"):
        make_kid("40", check="mod11", dash=False)


@pytest.mark.parametrize("payload", ["", "12a", "1" * 25])
def test_a_kid_is_made_of_one_to_twenty_four_digits(payload: str) -> None:
    with pytest.raises(UnableToMakeReference):
        make_kid(payload)


@pytest.mark.parametrize(("payload", "length"), [("12a", 16), ("1" * 16, 16), ("1" * 8, 9), ("1", 8), ("1", 15)])
def test_a_betalingskenmerk_is_made_of_what_fits_into_a_length_that_there_is(payload: str, length: int) -> None:
    with pytest.raises(UnableToMakeReference):
        make_betalingskenmerk(payload, length=length)


@pytest.mark.parametrize("payload", ["", "1-2", "é", "1" * 22])
def test_an_rf_reference_is_made_of_one_to_twenty_one_letters_and_digits(payload: str) -> None:
    with pytest.raises(UnableToMakeReference):
        make_rf(payload)


@pytest.mark.parametrize("payload", ["12a", "1" * 15])
def test_a_slip_takes_fourteen_digits(payload: str) -> None:
    with pytest.raises(UnableToMakeReference):
        make_fik(payload)
