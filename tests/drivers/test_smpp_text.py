"""The pure half of the SMPP driver: alphabets, parts, receipts as SMSCs write them, numbers."""

import re
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.drivers.smpp import SmppDriver
from relight.drivers.smpp_inbound import Delivery, Reading, phone_number, read_piece, read_receipt
from relight.drivers.smpp_parts import GSM7, LATIN1, UCS2, decode, split
from relight.flow.messages.port import Report

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
GSM_LETTERS = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà\f^{}\\[~]|€"


def delivery(
    text: str = "", *, esm_class: int = 4, options: dict[int, bytes] | None = None, **changed: object
) -> Delivery:
    fields = {"sender": "4790000001", "sender_ton": 1, "recipient": "2012", "data_coding": 0, "body": text.encode()}
    return Delivery(**{**fields, **changed}, esm_class=esm_class, options=options or {}, answer=lambda status: None)


@given(st.text(GSM_LETTERS, min_size=1, max_size=2000))
def test_every_text_of_the_gsm_alphabet_comes_back_part_by_part(text: str) -> None:
    parts = split(text, reference=7)

    bodies = [body[6:] for body in parts.bodies] if len(parts.bodies) > 1 else list(parts.bodies)
    assert parts.data_coding == GSM7
    assert "".join(decode(body, GSM7) for body in bodies) == text
    assert all(len(body) <= (153 if len(bodies) > 1 else 160) for body in bodies)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=1000).map(lambda text: "✓" + text))
def test_any_text_comes_back_part_by_part(text: str) -> None:
    parts = split(text, reference=7)

    bodies = [body[6:] for body in parts.bodies] if len(parts.bodies) > 1 else list(parts.bodies)
    assert parts.data_coding == UCS2
    assert "".join(body.decode("utf-16-be") for body in bodies) == unicodedata.normalize("NFC", text)
    assert all(len(body) <= (134 if len(bodies) > 1 else 140) for body in bodies)


def test_160_letters_are_one_part_and_161_are_two() -> None:
    assert len(split("å" * 160, reference=1).bodies) == 1
    assert len(split("å" * 161, reference=1).bodies) == 2
    assert len(split("€" * 80, reference=1).bodies) == 1
    assert len(split("€" * 81, reference=1).bodies) == 2


def test_an_smsc_that_wants_latin1_gets_it() -> None:
    parts = split("Blåbær", reference=1, prefer=LATIN1)

    assert (parts.data_coding, parts.bodies) == (LATIN1, ("Blåbær".encode("latin-1"),))


@given(st.binary(max_size=140), st.integers(0, 255), st.integers(0, 255))
def test_nothing_that_an_smsc_sends_stops_the_reading(body: bytes, esm_class: int, data_coding: int) -> None:
    read_piece(delivery(esm_class=esm_class, data_coding=data_coding, body=body), Reading())
    read_receipt(delivery(esm_class=esm_class, data_coding=data_coding, body=body), Reading(), NOW)


def test_a_receipt_in_the_text_form_is_read_up_to_the_customers_own_words() -> None:
    text = (
        "id:0a1F sub:001 dlvrd:000 submit date:2603020900 done date:2603020915 stat:UNDELIV err:027 Text:stat:DELIVRD"
    )

    receipt = read_receipt(delivery(text), Reading(), NOW)

    assert receipt is not None
    assert (receipt.provider_id, receipt.report, receipt.code) == ("0a1F", Report.UNDELIVERABLE, "UNDELIV:027")
    assert receipt.at == NOW


def test_the_time_of_delivery_is_the_smscs_where_its_zone_is_known() -> None:
    text = "id:1 submit date:2603020900 done date:2603020915 stat:DELIVRD err:000"

    receipt = read_receipt(delivery(text), Reading(receipt_zone="Europe/Oslo"), NOW)

    assert receipt is not None
    assert receipt.at == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)


def test_a_clock_that_runs_ahead_delivers_nothing_in_the_future() -> None:
    text = "id:1 submit date:2603020900 done date:2603021200 stat:DELIVRD err:000"

    receipt = read_receipt(delivery(text), Reading(receipt_zone="Europe/Oslo"), NOW)

    assert receipt is not None
    assert receipt.at == NOW


def test_an_id_in_hexadecimal_meets_the_same_in_decimal() -> None:
    receipt = read_receipt(delivery("id:2599 stat:DELIVRD"), Reading(receipt_id_base=10), NOW)

    assert receipt is not None
    assert receipt.provider_id == str(int("a27", 16))


def test_a_state_nobody_knows_is_no_proof_of_delivery() -> None:
    receipt = read_receipt(delivery("id:1 stat:SOMETHING"), Reading(), NOW)

    assert receipt is not None
    assert (receipt.report, receipt.code) == (Report.DELAYED, "SOMETHING")


def test_parts_numbered_by_optional_parameters_are_parts_as_well() -> None:
    options = {0x020C: b"\0\x09", 0x020E: b"\x02", 0x020F: b"\x01"}

    piece = read_piece(delivery("Hei", esm_class=0, options=options), Reading())

    assert (piece.reference, piece.total, piece.number) == (9, 2, 1)


def test_a_long_message_may_come_as_payload() -> None:
    piece = read_piece(delivery(esm_class=0, options={0x0424: b"Hei"}), Reading())

    assert (piece.total, piece.text) == (1, "Hei")


@pytest.mark.parametrize(
    ("address", "ton", "read"),
    [
        ("4790000001", 1, "+4790000001"),
        ("4790000001", 0, "+4790000001"),
        ("90000001", 2, "+4790000001"),
        ("90000001", 0, "+4790000001"),
        ("2012", 0, "2012"),
        ("Posten", 5, "Posten"),
    ],
)
def test_a_number_is_read_as_e164_however_the_smsc_writes_it(address: str, ton: int, read: str) -> None:
    assert phone_number(address, ton, "47") == read


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "127.0.0.1", "system_id": "a"}, "password must be set"),
        ({"host": "127.0.0.1", "system_id": "a", "password": "b", "hots": "x"}, "there is no setting 'hots'"),
        ({"host": "127.0.0.1", "system_id": "a", "password": "b", "port": "2775"}, "port is a whole number"),
        ({"host": "127.0.0.1", "system_id": "a", "password": "b", "data_coding": 4}, "data_coding is 0"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        SmppDriver(settings)
