"""Bounces as mail systems write them, read without a network."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.drivers.bounces import key_of, parse, return_path
from relight.flow.messages.port import Report

RECEIVED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BOUNCE = """\
From: MAILER-DAEMON@mx.example.test
To: {to}
Date: {date}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.test

Final-Recipient: rfc822; kari@kunde.test
{fields}

--b
Content-Type: text/rfc822-headers

Message-ID: <abc@relight.test>
X-Relight-Key: case=3a7=3a1

--b--
"""


def bounce(
    fields: str, to: str = "bounce+case=3a7=3a1@relight.test", date: str = "Mon, 02 Mar 2026 10:00:00 +0100"
) -> bytes:
    return BOUNCE.format(to=to, date=date, fields=fields).replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("fields", "report", "code"),
    [
        ("Action: failed\nStatus: 5.1.1", Report.UNDELIVERABLE, "5.1.1"),
        ("Action: delayed\nStatus: 4.4.1", Report.DELAYED, "4.4.1"),
        ("Action: failed\nStatus: 4.2.2", Report.UNDELIVERABLE, "4.2.2"),
        ("Action: delivered\nStatus: 2.1.5", Report.DELIVERED, "2.1.5"),
        ("Action: failed (permanent)\nStatus: 5.7.1 (refused)", None, ""),
        ("Status: 5.7.1 (refused)", Report.UNDELIVERABLE, "5.7.1"),
        ("Status: 4.4.7", Report.DELAYED, "4.4.7"),
        ("Action: relayed\nStatus: 2.0.0", None, ""),
    ],
)
def test_the_action_decides_and_the_status_stands_in_for_it(fields: str, report: Report | None, code: str) -> None:
    receipts = parse(bounce(fields), RECEIVED)

    assert [(receipt.report, receipt.code) for receipt in receipts] == ([(report, code)] if report else [])


def test_the_key_comes_from_the_address_or_else_from_the_quoted_header() -> None:
    addressed = parse(bounce("Action: failed\nStatus: 5.1.1", to="bounce+case=3a9@relight.test"), RECEIVED)
    quoted = parse(bounce("Action: failed\nStatus: 5.1.1", to="bounce@relight.test"), RECEIVED)

    assert [receipt.key for receipt in addressed] == ["case:9"]
    assert [receipt.key for receipt in quoted] == ["case:7:1"]
    assert [receipt.provider_id for receipt in quoted] == ["<abc@relight.test>"]


def test_the_bounce_is_dated_by_its_sender_but_never_in_the_future() -> None:
    dated = parse(bounce("Action: failed\nStatus: 5.1.1"), RECEIVED)
    ahead = parse(bounce("Action: failed\nStatus: 5.1.1", date="Tue, 03 Mar 2026 10:00:00 +0100"), RECEIVED)
    undated = parse(bounce("Action: failed\nStatus: 5.1.1", date="yesterday"), RECEIVED)

    assert [receipt.at for receipt in dated] == [datetime(2026, 3, 2, 9, 0, tzinfo=UTC)]
    assert [receipt.at for receipt in ahead + undated] == [RECEIVED, RECEIVED]


def test_two_recipients_are_two_receipts() -> None:
    fields = "Action: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; ola@kunde.test\nAction: delayed\nStatus: 4.2.2"

    assert [receipt.code for receipt in parse(bounce(fields), RECEIVED)] == ["5.1.1", "4.2.2"]


def test_a_holiday_reply_and_a_spam_complaint_are_no_receipts() -> None:
    reply = b"To: bounce+case=3a7@relight.test\r\nAuto-Submitted: auto-replied\r\n\r\n5.1.1 is my favourite number\r\n"
    complaint = bounce("Action: failed\nStatus: 5.1.1").replace(b"message/delivery-status", b"message/feedback-report")

    assert parse(reply, RECEIVED) == []
    assert parse(complaint, RECEIVED) == []


@given(st.text(min_size=1, max_size=15))
def test_every_key_survives_the_return_path(key: str) -> None:
    address = return_path(key.encode("utf-8", "ignore").decode(), "bounce@relight.test")

    if "+" in address:
        assert key_of(address) == key.encode("utf-8", "ignore").decode()
    assert len(address.partition("@")[0]) <= 64
    assert address.isascii()


@given(st.binary(max_size=2000))
def test_no_mail_stops_the_reading(raw: bytes) -> None:
    assert parse(raw, RECEIVED) == []


@given(st.binary(max_size=300))
def test_no_nonsense_in_a_report_stops_the_reading(raw: bytes) -> None:
    whole = bounce("Action: failed\nStatus: 5.1.1").replace(b"Reporting-MTA: dns; mx.example.test", raw)

    parse(whole, RECEIVED)
