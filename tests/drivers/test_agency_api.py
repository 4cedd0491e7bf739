"""The agency's API: signed packages that arrive once, whatever the line does, and signed answers read or refused."""

import asyncio
import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from relight.drivers.agency_api import AgencyApiDriver
from relight.drivers.agency_signature import key_of, signed
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.handover.port import Document, Package, StatusRefused
from tests.counterparts import agency
from tests.counterparts.agency import WEBHOOK_SECRET, Agency

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BODY = {"format": "relight.handover/1", "what": "place", "case": "1-2-3-0", "claims": [], "total": 89900}
PLACE = Package("place", "1-2-3-0", BODY, (Document("notice.pdf", b"%PDF-1.7 the letter"),))
RECALL = Package("recall", "1-2-3-0", {**BODY, "what": "recall"})
PAID = {"id": "m1", "case": "1-2-3-0", "status": "paid", "at": "2026-03-02T09:00:00+01:00", "amount": 100,
        "currency": "NOK", "date": "2026-03-02", "payment": "NI-1"}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agency]:
    with agency.running(tmp_path_factory.mktemp("agency")) as found:
        yield found


def sends(running: Agency, *packages: tuple[Package, str], now: datetime = NOW, **settings: Any) -> list[Outcome]:
    """Each package under its key, over one driver."""

    async def send() -> list[Outcome]:
        told = {name: value for name, value in {**running.settings, **settings}.items() if name != "driver"}
        driver = AgencyApiDriver(told, clock=lambda: now)
        try:
            return [await driver.send(one, Attempt(key, 1, NOW + timedelta(seconds=2))) for one, key in packages]
        finally:
            await driver.aclose()

    return asyncio.run(send())


def took(running: Agency, key: str) -> list[dict[str, Any]]:
    return [package for package in running.took() if package["key"] == key]


def driver() -> AgencyApiDriver:
    return AgencyApiDriver({"url": "https://agency.example/cases", "secret": agency.SECRET,
                            "webhook_secret": WEBHOOK_SECRET})  # fmt: skip


def test_a_package_arrives_whole_and_the_same_key_again_is_the_same_case(running: Agency) -> None:
    first, again = sends(running, (PLACE, "once"), (Package("place", "1-2-3-0", {**BODY, "total": 1}), "once"))

    (kept,) = took(running, "once")

    assert (first.result, again.result) == (Result.DONE, Result.DONE)
    assert first.facts == again.facts
    assert kept["total"] == 89900
    (document,) = kept["documents"]
    assert sha256(base64.b64decode(document["base64"])).hexdigest() == document["sha256"]


def test_a_line_that_breaks_after_the_package_arrived_is_unknown_and_may_be_repeated(running: Agency) -> None:
    running.next_time(hang_up=True)

    (broken,) = sends(running, (PLACE, "broken"))
    (repeated,) = sends(running, (PLACE, "broken"))

    assert (broken.result, repeated.result) == (Result.UNKNOWN, Result.DONE)
    assert len(took(running, "broken")) == 1


@pytest.mark.parametrize(
    ("answer", "result", "wait"),
    [
        ({"status": 503, "retry_after": 120}, Result.BUSY, 120),
        ({"status": 429, "retry_after": 999999}, Result.BUSY, 3600),
        ({"status": 500}, Result.UNKNOWN, None),
        ({"status": 409}, Result.UNKNOWN, None),
        ({"status": 422}, Result.REFUSED, None),
        ({"status": 302}, Result.REFUSED, None),
    ],
)
def test_what_the_server_answers_is_later_or_never(
    running: Agency, answer: dict[str, int], result: Result, wait: int | None
) -> None:
    running.next_time(**answer)

    (outcome,) = sends(running, (PLACE, f"answer-{answer['status']}"))

    assert (outcome.result, outcome.code, outcome.retry_after_seconds) == (result, str(answer["status"]), wait)


def test_a_recall_of_what_the_agency_never_had_says_so(running: Agency) -> None:
    (outcome,) = sends(running, (Package("recall", "9-9-9-9", {**RECALL.body, "case": "9-9-9-9"}), "stray"))

    assert (outcome.result, outcome.code) == (Result.REFUSED, "unknown_case")


def test_nothing_leaves_when_the_release_is_too_old(running: Agency) -> None:
    (outcome,) = sends(running, (PLACE, "late"), now=NOW + timedelta(seconds=2))

    assert outcome.result is Result.LATE
    assert took(running, "late") == []


def test_another_secret_is_refused_by_the_agency(running: Agency) -> None:
    other = "whsec_" + base64.b64encode(b"another secret, long enough too").decode()

    (outcome,) = sends(running, (PLACE, "forged"), secret=other)

    assert (outcome.result, outcome.code) == (Result.REFUSED, "401")


def test_a_server_that_is_not_there_is_tried_again(running: Agency) -> None:
    (outcome,) = sends(running, (PLACE, "nobody"), url="http://127.0.0.1:9/cases")

    assert (outcome.result, outcome.code) == (Result.BUSY, "no_connection")


def test_a_genuine_webhook_is_read_and_a_list_of_statuses_too() -> None:
    one, many = json.dumps(PAID).encode(), json.dumps([PAID, {**PAID, "id": "m2"}]).encode()

    read = [driver().webhook(signed(key_of(WEBHOOK_SECRET), "m", NOW, body), body, NOW) for body in (one, many)]

    assert [[(status.id, status.amount) for status in found] for found in read] == [
        [("m1", 100)],
        [("m1", 100), ("m2", 100)],
    ]


def test_the_published_example_of_the_signature_fits() -> None:
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)

    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("forged", ["body", "id", "time", "signature", "old", "future", "missing", "text"])
def test_a_webhook_that_is_not_genuine_or_not_fresh_is_refused(forged: str) -> None:
    body = json.dumps(PAID).encode()
    sent_at = NOW + {"old": -timedelta(minutes=6), "future": timedelta(minutes=6)}.get(forged, timedelta(0))
    headers = signed(key_of(WEBHOOK_SECRET), "m", sent_at, body)
    headers |= {
        "id": {"webhook-id": "another"},
        "time": {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        "signature": {"webhook-signature": "v1,AAAA"},
        "text": {"webhook-timestamp": "soon"},
    }.get(forged, {})
    if forged == "missing":
        del headers["webhook-id"]

    with pytest.raises(StatusRefused):
        driver().webhook(headers, body.replace(b"100", b"900") if forged == "body" else body, NOW)


def test_one_of_two_signatures_is_enough_while_keys_change() -> None:
    body = json.dumps(PAID).encode()
    headers = signed(key_of(WEBHOOK_SECRET), "m", NOW, body)
    headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']}"

    assert [status.id for status in driver().webhook(headers, body, NOW)] == ["m1"]


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[[]]", b'"paid"', b'{"id": 1}', b"[" * 100000])
def test_a_genuine_webhook_that_says_nothing_is_refused_with_a_reason(body: bytes) -> None:
    headers = signed(key_of(WEBHOOK_SECRET), "m", NOW, body)

    with pytest.raises(StatusRefused):
        driver().webhook(headers, body, NOW)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"url": "http://agency.example/cases"}, "https"),
        ({"secret": "whsec_AAAA"}, "at least 24"),
        ({"secret": "whsec_not base64"}, "base64"),
        ({"seconds": 0}, "seconds"),
        ({"token": "x"}, "no setting"),
    ],
)
def test_settings_that_cannot_be_used_say_why(running: Agency, change: dict[str, Any], why: str) -> None:
    settings = {**{name: one for name, one in running.settings.items() if name != "driver"}, **change}

    with pytest.raises(ValueError, match=why):
        AgencyApiDriver(settings)
