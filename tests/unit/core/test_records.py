"""Records: slotted, compared and hashed by what they hold, and as they were made once copied to another process."""

import pickle
from dataclasses import fields, replace
from datetime import date

import pytest

from relight.core.facts import ClaimFacts, ServiceShare

BILL = ClaimFacts(1, "F-1", 50_000, 0, 0, date(2027, 1, 18), (ServiceShare(1, 50_000),))


def test_two_records_of_the_same_are_equal_and_one_in_a_set() -> None:
    again = ClaimFacts(1, "F-1", 50_000, 0, 0, date(2027, 1, 18), (ServiceShare(1, 50_000),))

    assert again == BILL
    assert len({BILL, again, replace(BILL, costs=3_500)}) == 2


def test_a_record_has_room_for_its_fields_and_nothing_else() -> None:
    with pytest.raises(AttributeError):
        object.__setattr__(BILL, "colour", "red")

    assert [one.name for one in fields(BILL)][:3] == ["id", "number", "principal"]


def test_a_record_that_went_to_another_process_is_the_same_there() -> None:
    copy = pickle.loads(pickle.dumps(BILL))  # noqa: S301 - our own bytes

    assert copy == BILL
