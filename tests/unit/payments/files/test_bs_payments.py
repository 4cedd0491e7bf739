"""What Betalingsservice says became of collections (0602), in lines built by position."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from relight.flow.claims.errors import UnableToImport
from relight.flow.payments.files.bs_payments import read_payments


def line(kind: str, **fields: str) -> str:
    """A line of 128 signs; fields by their first position, as `at14`."""
    signs = [" "] * 128
    for place, value in {"at1": kind, **fields}.items():
        at = int(place[2:]) - 1
        signs[at : at + len(value)] = value
    return "".join(signs)


def paid(code: str, ref: str, *, day: str = "010426", paid_on: str = "010426") -> str:
    """A payment of 61.50."""
    return line("BS042", at6="01234567", at14=code, at18="000", at21="00001", at26="000000000000123", at50=day,
                at56="1", at57=f"{6150:013}", at70=ref, at104=paid_on, at116=f"{6150:013}")  # fmt: skip


def agreement(code: str, customer: str) -> str:
    """An agreement that stands, was made, or ended."""
    return line("BS042", at6="01234567", at14=code, at18="000", at21="00001", at26=customer.rjust(15, "0"),
                at41="123456789", at50="020326", at56="000000")  # fmt: skip


def whole(*payments: str, count: int | None = None, section: str = "0211", delivery: str = "0602") -> str:
    """A delivery with one section, of the debtor group 00001."""
    start = line("BS002", at6="12345678", at14="BS1", at17=delivery, at21="0000000009", at50="020426")
    counted = f"{len(payments) if count is None else count:011}"
    end = line("BS992", at6="12345678", at14="BS1", at17=delivery, at21=f"{1:011}", at32=counted)
    return "\r\n".join([start, line("BS012", at6="01234567", at14=section, at21="00001"), *payments, end]) + "\r\n"


def test_each_code_is_what_became_of_its_collection(tmp_path: Path) -> None:
    path = tmp_path / "BS.txt"
    codes = ("0236", "0237", "0238", "0239", "0299")
    told = [paid(code, f"RLC1C{at}N0") for at, code in enumerate(codes)]
    told[1] = paid("0237", "RLC1C1N0", paid_on="000000")
    path.write_text(whole(*told), "iso-8859-1", newline="")

    *found, wrong = read_payments(path)

    assert [(one.ref, one.outcome, one.reason, one.amount, one.day) for one in found] == [
        ("RLC1C0N0", "collected", "", 6150, date(2026, 4, 1)),
        ("RLC1C1N0", "refused", "", 6150, date(2026, 4, 1)),
        ("RLC1C2N0", "refused", "cancelled_by_customer", 6150, date(2026, 4, 1)),
        ("RLC1C3N0", "returned", "returned", 6150, date(2026, 4, 1)),
    ]
    assert "0299" in wrong.reason


def test_payment_slips_are_left_to_the_bank(tmp_path: Path) -> None:
    path = tmp_path / "BS.txt"
    path.write_text(whole(paid("0297", "X"), section="0215"), "iso-8859-1", newline="")

    assert list(read_payments(path)) == []


@pytest.mark.parametrize("content", ["hello", "", whole(paid("0236", "RLC1C0N0"), count=2), whole()[:300]])
def test_what_is_not_a_whole_delivery_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "BS.txt"
    path.write_text(content, "iso-8859-1", newline="")

    with pytest.raises(UnableToImport):
        list(read_payments(path))


@given(some.binary(max_size=200), some.integers(0, 500))
def test_a_damaged_delivery_is_refused_or_read_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.txt"
    content = whole(paid("0236", "RLC1C0N0")).encode("iso-8859-1")
    path.write_bytes(content[:at] + noise + content[at + len(noise) :])

    try:
        found = list(read_payments(path))
    except UnableToImport:
        return

    assert len(found) <= 2
