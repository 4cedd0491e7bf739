"""A booking is called the same in every file that tells of it; two honest twins in one file are two."""

import pytest

from relight.flow.payments.files.identity import Twins
from tests.unit.payments.files.reading import read
from tests.unit.payments.files.written import (
    Giro,
    Paid,
    camt,
    details,
    entry,
    many,
    mt940,
    mt940_entry,
    ocr,
    statement,
)

KNOWN, NAMELESS = Paid(bank_ref="B1", end_to_end="E1"), Paid()


def refs(content: bytes, format: str = "camt") -> list[str]:
    return [row.ref for row in read(content, format).payments]


def as_kind(kind: str, *paid: Paid) -> bytes:
    return camt(statement([entry(one) for one in paid], kind=kind), kind=kind)


@pytest.mark.parametrize("paid", [KNOWN, NAMELESS])
def test_a_booking_is_called_the_same_in_a_notification_a_report_and_a_statement(paid: Paid) -> None:
    names = {tuple(refs(as_kind(kind, paid))) for kind in ("camt.052", "camt.053", "camt.054")}

    assert len(names) == 1


def test_the_banks_reference_is_enough_where_a_statement_tells_less_than_a_notification() -> None:
    told = as_kind("camt.054", KNOWN)
    bare = camt(statement([entry(Paid(bank_ref="B1"), inside="")]))

    assert refs(told) == refs(bare)


def test_a_batchs_payments_are_called_by_their_own_reference() -> None:
    inside = "".join(details(paid, own_amount=True) for paid in many(3))
    batch = camt(statement([entry(Paid("304.50", bank_ref="BATCH"), inside=inside)], kind="camt.054"), kind="camt.054")
    single = as_kind("camt.053", *many(3))

    assert refs(batch) == refs(single)


@pytest.mark.parametrize(
    "content",
    [
        as_kind("camt.053", NAMELESS, NAMELESS, NAMELESS),
        as_kind("camt.053", *[Paid(reference="", payer="", payer_account="")] * 3),
        as_kind("camt.053", *[Paid(end_to_end="NOTPROVIDED")] * 3),
        as_kind("camt.053", KNOWN, KNOWN, KNOWN),
        camt(*(statement([entry(NAMELESS)], kind="camt.054") for _ in range(3)), kind="camt.054"),
    ],
)
def test_equal_payments_of_one_file_are_as_many_as_they_are(content: bytes) -> None:
    names = refs(content)

    assert len(set(names)) == 3
    assert refs(content) == names


def test_equal_giros_and_equal_entries_are_as_many_as_they_are() -> None:
    assert len(set(refs(ocr([Giro()] * 3), "ocr"))) == 3
    assert len(set(refs(mt940([mt940_entry()] * 3, moved=3 * 89900), "mt940"))) == 3


def test_a_booking_that_two_statements_of_one_file_list_is_one() -> None:
    twice = camt(*(statement([entry(KNOWN)], number=number) for number in (1, 2)))
    reports = camt(*(statement([entry(NAMELESS)], kind="camt.052") for _ in range(2)), kind="camt.052")

    assert len(set(refs(twice))) == 1
    assert len(set(refs(reports))) == 1


def test_the_same_giro_in_another_transmission_is_the_same() -> None:
    assert refs(ocr([Giro(archive=7)], transmission=1, assignment=1), "ocr") == refs(
        ocr([Giro(archive=7)], transmission=9, assignment=4), "ocr"
    )


@pytest.mark.parametrize(
    "other",
    [
        entry(KNOWN._replace(amount="898.00")),
        entry(KNOWN, day="2026-03-03"),
        entry(KNOWN._replace(bank_ref="B2")),
        entry(NAMELESS),
        entry(NAMELESS._replace(reference="1")),
        entry(KNOWN, mark="DBIT", reversal=True),
        entry(KNOWN, reversal=True),
    ],
)
def test_what_differs_is_called_otherwise(other: str) -> None:
    assert len(set(refs(camt(statement([entry(KNOWN), other]))))) == 2


def test_twins_are_counted_through_growth() -> None:
    twins = Twins()

    first = [twins.count(f"booking {at % 5_000}") for at in range(20_000)]

    assert first[-1] == 4
    assert {twins.count(f"booking {at}") for at in range(5_000)} == {5}
