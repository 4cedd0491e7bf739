"""A partner says how its references are put together; each bill gets one, and each can be taken apart again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.core.references.errors import UnableToMakeReference, WrongReference, WrongSetting
from relight.core.references.kid import make_kid
from relight.core.references.setting import ReferenceSetting, read_setting

TWO_KIDS: dict[str, Any] = {
    "scheme": "kid",
    "layouts": [[{"fixed": "00"}, {"customer": 7}, {"invoice": 6}], [{"customer": 9}, {"invoice": 9}]],
}
numbers = st.text("0123456789", min_size=1, max_size=6)


def setting(**changes: Any) -> dict[str, Any]:
    return {**TWO_KIDS, **changes}


def test_a_bill_gets_the_first_layout_that_its_numbers_fit_into() -> None:
    own = read_setting(TWO_KIDS)

    short, long = own.make(customer="4711", invoice="202601"), own.make(customer="4711", invoice="2026001")

    assert short == "0000047112026019"
    assert long == "0000047110020260016"
    assert own.read(short) == {"customer": "0004711", "invoice": "202601"}
    assert own.read(long) == {"customer": "000004711", "invoice": "002026001"}


@given(customer=numbers, invoice=numbers)
def test_whatever_is_made_leads_back_to_customer_and_invoice(customer: str, invoice: str) -> None:
    own = read_setting(TWO_KIDS)

    found = own.read(own.make(customer=customer, invoice=invoice))

    assert found is not None
    assert (found["customer"].lstrip("0"), found["invoice"].lstrip("0")) == (customer.lstrip("0"), invoice.lstrip("0"))


@pytest.mark.parametrize(
    ("scheme", "layout"),
    [
        ("fik-71", [{"customer": 8}, {"invoice": 6}]),
        ("fik-75", [{"customer": 8}, {"invoice": 7}]),
        ("betalingskenmerk", [{"fixed": "9"}, {"customer": 7}, {"invoice": 7}]),
        ("betalingskenmerk-12", [{"customer": 4}, {"invoice": 6}]),
        ("rf", [{"fixed": "NL"}, {"customer": 8}, {"invoice": 6}]),
        ("kid-mod11", [{"customer": 6}, {"invoice": 6}]),
    ],
)
def test_other_countries_references_are_put_together_in_the_same_way(scheme: str, layout: list[Any]) -> None:
    own = read_setting({"scheme": scheme, "layouts": [layout]})

    found = own.read(own.make(customer="4711", invoice="815"))

    assert found is not None
    assert (found["customer"].lstrip("0"), found["invoice"].lstrip("0")) == ("4711", "815")


def test_a_reference_of_another_payee_is_right_but_not_of_these_layouts() -> None:
    own = read_setting(TWO_KIDS)

    assert own.read("2345676") is None
    assert own.read(make_kid("990004711202601")) is None


def test_a_slip_of_the_pen_is_no_reference_at_all() -> None:
    with pytest.raises(WrongReference, match="check digit"):
        read_setting(TWO_KIDS).read("0000047112026018")


def test_a_series_without_dashes_refuses_one_in_eleven() -> None:
    tree = {"scheme": "kid-mod11", "layouts": [[{"invoice": 4}]]}
    with_dash = [
        made for n in range(990) if (made := read_setting(tree).make(customer="", invoice=str(n))).endswith("-")
    ]
    without = read_setting({**tree, "dash": False})

    refused = [n for n in range(990) if not makes(without, n)]

    assert len(refused) == len(with_dash) == 90


def makes(own: ReferenceSetting, invoice: int) -> bool:
    try:
        own.make(customer="", invoice=str(invoice))
    except UnableToMakeReference:
        return False
    return True


@pytest.mark.parametrize(
    ("customer", "invoice", "said"),
    [
        ("4711", "", "invoice's number is missing"),
        ("47-11", "1", "more than digits"),
        ("4711", "1" * 10, "too long: there is room for 6"),
        ("４７", "1", "more than digits"),
    ],
)
def test_numbers_that_do_not_fit_are_refused_with_the_reason(customer: str, invoice: str, said: str) -> None:
    with pytest.raises(UnableToMakeReference, match=said):
        read_setting(TWO_KIDS).make(customer=customer, invoice=invoice)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a scheme that is none": (setting(scheme="ocr"), "choose among kid"),
    "no layouts": ({"scheme": "kid"}, "write a list of parts"),
    "an empty layout": (setting(layouts=[[]]), "write a list of parts"),
    "a key that is none": (setting(layout=[]), "unknown key 'layout'"),
    "a part that is none": (setting(layouts=[[{"year": 4}]]), "a part is one of"),
    "a part with two meanings": (setting(layouts=[[{"customer": 4, "invoice": 4}]]), "a part is one of"),
    "a number where text is meant": (setting(layouts=[[{"fixed": 0}, {"invoice": 4}]]), "in quotes"),
    "text where a number is meant": (setting(layouts=[[{"invoice": "4"}]]), "how many characters"),
    "yes where a number is meant": (setting(layouts=[[{"invoice": True}]]), "how many characters"),
    "letters in a KID": (setting(layouts=[[{"fixed": "AB"}, {"invoice": 4}]]), "digits only"),
    "too long": (setting(layouts=[[{"customer": 12}, {"invoice": 13}]]), "too many"),
    "too short for the bank's files": (setting(layouts=[[{"invoice": 2}]]), "4 characters or more"),
    "nothing of the bill": (setting(layouts=[[{"fixed": "1234"}]]), "nothing tells one bill from another"),
    "the same number twice": (setting(layouts=[[{"invoice": 4}, {"invoice": 4}]]), "twice"),
    "four layouts": (setting(layouts=[[{"customer": n}, {"invoice": 4}] for n in range(1, 5)]), "takes 3"),
    "two of one length": (
        setting(layouts=[[{"customer": 4}, {"invoice": 6}], [{"customer": 5}, {"invoice": 5}]]),
        "the same length",
    ),
    "two with customers of one length": (
        setting(layouts=[[{"customer": 4}, {"invoice": 6}], [{"customer": 4}, {"invoice": 5}]]),
        "which the bank does not take",
    ),
    "a slip that is not filled": ({"scheme": "fik-71", "layouts": [[{"customer": 4}, {"invoice": 6}]]}, "do not fill"),
    "a dash where there is none": (setting(dash=False), "only for kid-mod11"),
}


@pytest.mark.parametrize("story", WRONG)
def test_a_setting_that_makes_no_sense_is_refused_with_what_to_write(story: str) -> None:
    tree, said = WRONG[story]

    with pytest.raises(WrongSetting, match=said):
        read_setting(tree)
