"""Orders to the bank, held against the standard's rules by a reader of its own."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.flow.payments.files.pain001 import Order, as_account, pain001
from tests.unit.payments.files.pain001 import rules_broken

AT, TODAY = datetime(2026, 3, 2, 9, tzinfo=UTC), date(2026, 3, 2)
ORDER = Order("RL1-1-260302/1", 12345, "NOK", "Nordlys Kraft AS", "15032080119", "Ola", "NO9386011117947", "For mye")

orders = st.lists(
    st.builds(
        Order,
        order_ref=st.uuids().map(lambda one: one.hex),
        amount=st.integers(1, 10**12),
        currency=st.sampled_from(("NOK", "DKK", "EUR", "SEK", "GBP")),
        from_name=st.text(st.characters(categories=("L",)), min_size=1, max_size=200),
        from_account=st.sampled_from(("15032080119", "NO9386011117947")),
        to_name=st.text(st.characters(categories=("L", "P")), min_size=1, max_size=200),
        to_account=st.sampled_from(("NL91ABNA0417164300", "30001234567890")),
        text=st.text(st.characters(categories=("L", "N", "S")), min_size=1, max_size=300),
    ),
    min_size=1,
    max_size=8,
)


def written(*some: Order) -> bytes:
    return pain001(some, message_id="RL1-1-260302", sender="Nordlys", on=TODAY, at=AT)


@given(orders)
def test_every_file_keeps_the_standards_rules(some: list[Order]) -> None:
    assert rules_broken(written(*some)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<NbOfTxs>1<", b"<NbOfTxs>2<"),
        (b"<CtrlSum>123.45<", b"<CtrlSum>123.46<"),
        (b'Ccy="NOK">123.45<', b'Ccy="NOK">123,45<'),
        (b"<PmtMtd>TRF<", b"<PmtMtd>XXX<"),
        (b"<ChrgBr>SLEV</ChrgBr>", b"<CdtrAgt>SLEV</CdtrAgt>"),
        (b"pain.001.001.03", b"pain.001.001.09"),
    ],
)
def test_the_rules_find_what_a_bank_would_refuse(before: bytes, after: bytes) -> None:
    file = written(ORDER)
    assert before in file

    assert rules_broken(file.replace(before, after)) != []


def test_a_name_with_signs_of_xml_stays_a_name() -> None:
    file = written(ORDER._replace(to_name="Ola & <Kari>"))

    assert b"Ola &amp; &lt;Kari&gt;" in file
    assert rules_broken(file) == []


def test_no_orders_are_no_file() -> None:
    with pytest.raises(ValueError, match="without orders"):
        written()


@pytest.mark.parametrize(
    ("text", "stored"), [("no93 8601 1117 947", "NO9386011117947"), ("1503.20.80119", "15032080119")]
)
def test_accounts_are_kept_as_banks_write_them(text: str, stored: str) -> None:
    assert as_account(text) == stored
