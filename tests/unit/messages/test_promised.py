"""An answer that names a day, and nothing else, in the languages of our customers."""

from datetime import date

import pytest

from relight.flow.messages.promised import LAST, promised_day

TODAY = date(2026, 12, 1)


@pytest.mark.parametrize(
    "text",
    [
        "15.12", "15.12.", "15/12", "15-12-2026", "2026-12-15", "15.12.2026", "Betaler 15. desember",
        "jeg kan betale 15 des", "Jeg betaler den 15. december!", "Ik betaal op 15 december", "pay by Dec 15",
        "I will pay on the 15th of December", "Ich zahle am 15. Dezember", "ok, senest 15.12",
    ],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert promised_day(text, today=TODAY) == date(2026, 12, 15)


def test_a_day_that_is_past_is_next_years() -> None:
    assert promised_day("3.1", today=TODAY) == date(2027, 1, 3)
    assert promised_day("1.12", today=TODAY) == TODAY
    assert promised_day("30.11.2026", today=TODAY) == date(2026, 11, 30)


def test_one_alone_is_the_last_day_that_may_be_promised() -> None:
    assert promised_day(" 1 ", today=TODAY) == LAST


@pytest.mark.parametrize(
    "text",
    [
        "", "2", "15", "31.2", "15.13", "15.12?", "ikke 15.12", "betaler 200 15.12 og resten 20.12", "kanskje 15.12",
        "fakturaen 15.12 er feil", "15 12 26", "betaler snart", "marsipan 15", "99999 12",
    ],
)  # fmt: skip
def test_what_says_anything_else_is_for_a_person(text: str) -> None:
    assert promised_day(text, today=TODAY) is None
