"""SMS over SMPP against an SMSC in another process: what customers read and answer, and all that goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from relight.drivers.smpp import SmppDriver
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.messages.port import Channel, Inbound, Message, Receipt, Report
from tests.counterparts.smsc import Smsc

pytestmark = pytest.mark.counterpart

KARI = "+4790000001"
OLA = "+4790000088"


@pytest.fixture
def smsc() -> Iterator[Smsc]:
    with Smsc() as running:
        yield running


class Heard:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.events: list[Receipt | Inbound] = []

    async def __call__(self, event: Receipt | Inbound) -> None:
        self.events.append(event)

    @property
    def receipts(self) -> list[Receipt]:
        return [event for event in self.events if isinstance(event, Receipt)]

    @property
    def inbound(self) -> list[Inbound]:
        return [event for event in self.events if isinstance(event, Inbound)]


async def until(condition: Callable[[], Any], what: str) -> Any:
    """Poll until `condition()` is true; AssertionError with `what` after 15 seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 15
    while not (value := condition()):
        assert loop.time() < deadline, f"never came: {what}"
        await asyncio.sleep(0.01)
    return value


@asynccontextmanager
async def driver_on(smsc: Smsc, **settings: Any) -> AsyncIterator[SmppDriver]:
    driver = SmppDriver({**smsc.settings, **settings})
    try:
        yield driver
    finally:
        await driver.aclose()


@asynccontextmanager
async def listening(driver: SmppDriver, sink: Callable[[Receipt | Inbound], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.create_task(driver.listen(sink))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def send(
    driver: SmppDriver, text: str, to: str = KARI, *, key: str = "case-1:7:message", seconds: float = 10
) -> Outcome:
    message = Message(Channel.SMS, to, "Blåfjell", "nb", "", text)
    return await driver.send(message, Attempt(key, 1, datetime.now(UTC) + timedelta(seconds=seconds)))


def send_once(smsc: Smsc, text: str, to: str = KARI, **settings: Any) -> Outcome:
    async def once() -> Outcome:
        async with driver_on(smsc, **settings) as driver:
            return await send(driver, text, to)

    return asyncio.run(once())


def test_a_norwegian_reminder_is_one_sms_with_all_its_letters(smsc: Smsc) -> None:
    text = (
        "Hei Kåre! Strømregningen på kr 1 250,50 (se § 4) er ikke betalt ennå. Vi hjelper gjerne: https://b.no/æøåÆØÅ €"
    )

    outcome = send_once(smsc, text)

    (sms,) = smsc.messages()
    assert outcome.result == Result.DONE
    assert (sms.text, sms.parts, sms.data_coding) == (text, 1, 0)
    assert (sms.to, sms.sender_ton) == ("4790000001", 5)
    assert outcome.facts["provider_ids"] == list(sms.ids)


def test_spaces_and_dashes_of_a_number_formatter_do_not_double_the_price(smsc: Smsc) -> None:
    send_once(smsc, "Å betale: 1\u00a0250,00\u202fkr \u2013 innen 3. mai\u2026")

    (sms,) = smsc.messages()
    assert (sms.text, sms.data_coding) == ("Å betale: 1 250,00 kr - innen 3. mai...", 0)


def test_220_characters_are_two_parts_that_the_phone_joins(smsc: Smsc) -> None:
    text = "Påminnelse " * 20

    outcome = send_once(smsc, text)

    (sms,) = smsc.messages()
    assert (sms.text, sms.parts) == (text, 2)
    assert len(outcome.facts["provider_ids"]) == 2


def test_a_check_mark_travels_as_ucs2(smsc: Smsc) -> None:
    send_once(smsc, "Betalt ✓ Takk, Łukasz!")

    (sms,) = smsc.messages()
    assert (sms.text, sms.data_coding, sms.parts) == ("Betalt ✓ Takk, Łukasz!", 8, 1)


@pytest.mark.parametrize("text", ["x" * 152 + "€" + "y" * 30, "ok " * 22 + "😀" + " takk" * 10], ids=["euro", "emoji"])
def test_no_letter_is_cut_in_two_at_the_edge_of_a_part(smsc: Smsc, text: str) -> None:
    send_once(smsc, text)

    (sms,) = smsc.messages()
    assert (sms.text, sms.parts) == (text, 2)


def test_a_message_that_nobody_reads_in_time_expires_at_the_smsc(smsc: Smsc) -> None:
    send_once(smsc, "Kun i dag", validity_hours=30)

    (sms,) = smsc.messages()
    assert sms.validity_period != ""


@pytest.mark.parametrize("as_text", [False, True], ids=["optional parameters", "text form"])
def test_the_delivery_receipt_names_the_message(smsc: Smsc, as_text: bool) -> None:
    heard = Heard()
    if as_text:
        smsc.receipts_as_text()

    async def story() -> Outcome:
        async with driver_on(smsc) as driver, listening(driver, heard):
            outcome = await send(driver, "Hei")
            await until(lambda: heard.receipts, "the receipt")
            return outcome

    outcome = asyncio.run(story())

    (receipt,) = heard.receipts
    assert receipt.report == Report.DELIVERED
    assert [receipt.provider_id] == outcome.facts["provider_ids"]
    assert receipt.code == "DELIVRD"
    assert receipt.at.tzinfo is not None


@pytest.mark.parametrize(
    ("state", "report"),
    [("UNDELIV", Report.UNDELIVERABLE), ("EXPIRED", Report.UNDELIVERABLE), ("ACCEPTD", Report.DELAYED)],
)
def test_a_receipt_tells_undeliverable_from_not_yet(smsc: Smsc, state: str, report: Report) -> None:
    heard = Heard()
    smsc.undeliverable(OLA, state=state)

    async def story() -> None:
        async with driver_on(smsc) as driver, listening(driver, heard):
            await send(driver, "Hei", OLA)
            await until(lambda: heard.receipts, "the receipt")

    asyncio.run(story())

    assert [(receipt.report, receipt.code) for receipt in heard.receipts] == [(report, state)]


def test_throttled_is_not_sent_and_goes_out_when_tried_again(smsc: Smsc) -> None:
    smsc.throttle_next(1)

    async def story() -> tuple[Outcome, Outcome]:
        async with driver_on(smsc, throttle_seconds=0.2) as driver:
            return await send(driver, "Hei"), await send(driver, "Hei")

    first, second = asyncio.run(story())

    assert (first.result, first.code, first.retry_after_seconds) == (Result.BUSY, "88", 1)
    assert second.result == Result.DONE
    assert [sms.text for sms in smsc.messages()] == ["Hei"]


def test_while_the_smsc_asks_for_a_slower_pace_nothing_more_is_sent(smsc: Smsc) -> None:
    smsc.throttle_next(1)

    async def story() -> Outcome:
        async with driver_on(smsc, throttle_seconds=60.0, throttle_seconds_max=60.0) as driver:
            await send(driver, "Hei")
            return await send(driver, "Hei", OLA, seconds=2)

    outcome = asyncio.run(story())

    assert (outcome.result, outcome.code) == (Result.BUSY, "throttled")
    assert outcome.retry_after_seconds is not None
    assert outcome.retry_after_seconds > 50
    assert (smsc.parts(), smsc.refused()) == (0, 1)


def test_a_second_part_that_was_throttled_follows_so_that_the_message_is_whole(smsc: Smsc) -> None:
    smsc.refuse_next(1, status=0)
    smsc.throttle_next(1)

    outcome = send_once(smsc, "Påminnelse " * 20, throttle_seconds=0.1)

    assert outcome.result == Result.DONE
    assert [sms.text for sms in smsc.messages()] == ["Påminnelse " * 20]
    assert (smsc.parts(), smsc.refused()) == (2, 1)


def test_half_a_message_is_unknown_and_keeps_the_id_of_the_half_that_left(smsc: Smsc) -> None:
    smsc.refuse_next(1, status=0)
    smsc.refuse_next(50, status=88)

    outcome = send_once(smsc, "Påminnelse " * 20, throttle_seconds=0.1, response_seconds=0.5)

    assert (outcome.result, outcome.code) == (Result.UNKNOWN, "partial")
    assert outcome.facts["provider_ids"] == ["id1"]


@pytest.mark.parametrize(
    ("status", "result"), [(11, Result.REFUSED), (10, Result.REFUSED), (20, Result.BUSY), (8, Result.BUSY)]
)
def test_a_status_is_no_for_good_or_not_now(smsc: Smsc, status: int, result: Result) -> None:
    smsc.refuse_next(1, status=status)

    outcome = send_once(smsc, "Hei")

    assert (outcome.result, outcome.code) == (result, str(status))


@pytest.mark.parametrize(
    ("to", "sender", "text", "code"),
    [
        ("90000001", "Blåfjell", "Hei", "bad_number"),
        (KARI, "Et altfor langt navn", "Hei", "bad_sender"),
        (KARI, "Łódź", "Hei", "bad_sender"),
        (KARI, "Blåfjell", "x" * 2000, "too_long"),
    ],
)
def test_what_cannot_be_an_sms_is_refused_before_it_leaves(
    smsc: Smsc, to: str, sender: str, text: str, code: str
) -> None:
    async def story() -> Outcome:
        async with driver_on(smsc) as driver:
            message = Message(Channel.SMS, to, sender, "nb", "", text)
            return await driver.send(message, Attempt("key", 1, datetime.now(UTC) + timedelta(seconds=5)))

    outcome = asyncio.run(story())

    assert (outcome.result, outcome.code) == (Result.REFUSED, code)
    assert smsc.parts() == 0


def test_no_answer_is_unknown_never_done_and_never_repeated(smsc: Smsc) -> None:
    async def story() -> Outcome:
        async with driver_on(smsc, response_seconds=0.3) as driver:
            await send(driver, "Hei")
            smsc.mute(30)
            return await send(driver, "Hører du?")

    outcome = asyncio.run(story())

    assert (outcome.result, outcome.code) == (Result.UNKNOWN, "no_response")
    assert [sms.text for sms in smsc.messages()] == ["Hei", "Hører du?"]


def test_a_connection_that_breaks_before_the_answer_leaves_it_unknown(smsc: Smsc) -> None:
    async def story() -> Outcome:
        async with driver_on(smsc) as driver:
            await send(driver, "Hei")
            smsc.mute(30)
            sending = asyncio.create_task(send(driver, "Hører du?"))
            await until(lambda: smsc.parts() == 2, "the second message at the SMSC")
            smsc.drop_connections()
            return await sending

    outcome = asyncio.run(story())

    assert (outcome.result, outcome.code) == (Result.UNKNOWN, "connection_lost")


def test_after_a_lost_connection_the_link_comes_back_by_itself(smsc: Smsc) -> None:
    async def story() -> Outcome:
        async with driver_on(smsc) as driver:
            await send(driver, "Hei")
            smsc.drop_connections()
            await until(lambda: smsc.binds() == 2, "the second log-in")
            return await send(driver, "Hei igjen")

    assert asyncio.run(story()).result == Result.DONE


def test_a_silent_smsc_is_hung_up_on(smsc: Smsc) -> None:
    async def story() -> Outcome:
        async with driver_on(smsc, enquire_link_seconds=0.1, response_seconds=0.2) as driver:
            await send(driver, "Hei")
            smsc.mute(1.0)
            await until(lambda: smsc.binds() >= 2, "a new log-in")
            return await send(driver, "Hei igjen")

    assert asyncio.run(story()).result == Result.DONE


def test_both_sides_answer_when_asked_whether_they_are_alive(smsc: Smsc) -> None:
    async def story() -> None:
        async with driver_on(smsc, enquire_link_seconds=0.05) as driver:
            await send(driver, "Hei")
            await until(lambda: smsc.enquiries()[0] >= 2, "two enquire_link of ours")
            smsc.ask_if_alive()
            await until(lambda: smsc.enquiries()[1] == 1, "our answer to the SMSC's")

    asyncio.run(story())

    assert smsc.binds() == 1


def test_no_smsc_means_nothing_was_sent(smsc: Smsc) -> None:
    async def story() -> Outcome:
        async with driver_on(smsc, port=1) as driver:
            return await send(driver, "Hei", seconds=0.3)

    with capture_logs() as lines:
        outcome = asyncio.run(story())

    assert (outcome.result, outcome.code) == (Result.BUSY, "connection_ConnectionRefusedError")
    assert {(line["event"], line["why"]) for line in lines} == {("smsc_link_down", outcome.code)}
    assert outcome.retry_after_seconds == 5


def test_a_wrong_password_says_so(smsc: Smsc) -> None:
    async def story() -> Outcome:
        async with driver_on(smsc, password="wrong") as driver:
            return await send(driver, "Hei", seconds=0.5)

    with capture_logs() as lines:
        outcome = asyncio.run(story())

    logged = {(line["event"], line.get("why")) for line in lines}
    assert (outcome.result, outcome.code) == (Result.BUSY, "bind_14")
    assert ("smsc_link_down", "bind_ESME_RINVPASWD") in logged
    assert "log-in was refused" in outcome.detail
    assert smsc.logins_refused() >= 1


def test_a_release_too_old_is_not_sent(smsc: Smsc) -> None:
    async def story() -> Outcome:
        async with driver_on(smsc) as driver:
            return await send(driver, "Hei", seconds=-0.001)

    assert asyncio.run(story()).result == Result.LATE
    assert smsc.parts() == 0


def test_a_release_that_grew_old_in_the_queue_is_not_sent(smsc: Smsc) -> None:
    release = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    readings = iter([release, release + timedelta(seconds=3)])

    async def story() -> Outcome:
        driver = SmppDriver(smsc.settings, clock=lambda: next(readings))
        try:
            message = Message(Channel.SMS, KARI, "Blåfjell", "nb", "", "Hei")
            return await driver.send(message, Attempt("key", 1, release + timedelta(seconds=2)))
        finally:
            await driver.aclose()

    assert asyncio.run(story()).result == Result.LATE
    assert smsc.parts() == 0


def test_a_customer_who_answers_stop_is_heard(smsc: Smsc) -> None:
    heard = Heard()

    async def story() -> None:
        async with driver_on(smsc) as driver, listening(driver, heard):
            await until(lambda: smsc.binds() == 1, "the log-in")
            smsc.mo(KARI, "2012", "STOP")
            await until(lambda: smsc.acknowledged() == [0], "our acknowledgement")

    asyncio.run(story())

    (inbound,) = heard.inbound
    assert (inbound.sender, inbound.recipient, inbound.text) == (KARI, "2012", "STOP")


@pytest.mark.parametrize(
    ("pieces", "data_coding"),
    [
        (("Jeg har betalt på lørdag {ref 7} ~ 100 €",), 0),
        (("Dziękuję, zapłacę w piątek ✓",), 8),
        (("På grunn av sykdom ", "kan jeg først ", "betale i mai, går det?"), 0),
        (("Første 😀 ", "andre ✓"), 8),
        (("Blåbærsyltetøy",), 3),
    ],
    ids=["gsm", "ucs2", "three parts", "two parts ucs2", "latin1"],
)
def test_an_answer_is_read_as_it_was_written(smsc: Smsc, pieces: tuple[str, ...], data_coding: int) -> None:
    heard = Heard()

    async def story() -> None:
        async with driver_on(smsc) as driver, listening(driver, heard):
            await until(lambda: smsc.binds() == 1, "the log-in")
            smsc.mo(KARI, "2012", *pieces, data_coding=data_coding)
            await until(lambda: smsc.acknowledged() == [0] * len(pieces), "our acknowledgements")

    asyncio.run(story())

    assert [inbound.text for inbound in heard.inbound] == ["".join(pieces)]


def test_half_a_long_answer_is_not_kept_from_us_for_ever(smsc: Smsc) -> None:
    heard = Heard()

    async def story() -> None:
        async with driver_on(smsc, join_seconds=0.2) as driver, listening(driver, heard):
            await until(lambda: smsc.binds() == 1, "the log-in")
            smsc.mo_part(KARI, "2012", "Jeg kan betale ", part=1, total=2)
            await until(lambda: smsc.acknowledged() == [0], "our acknowledgement")

    asyncio.run(story())

    assert [inbound.text for inbound in heard.inbound] == ["Jeg kan betale "]


def test_nothing_is_acknowledged_before_it_is_stored(smsc: Smsc) -> None:
    async def story() -> None:
        stored = asyncio.Event()
        reached = asyncio.Event()

        async def slow(event: Receipt | Inbound) -> None:
            reached.set()
            await stored.wait()

        async with driver_on(smsc) as driver, listening(driver, slow):
            await until(lambda: smsc.binds() == 1, "the log-in")
            smsc.mo(KARI, "2012", "STOP")
            await reached.wait()
            smsc.ask_if_alive()
            await until(lambda: smsc.enquiries()[1] == 1, "an answer sent after the message came")
            assert smsc.acknowledged() == []
            stored.set()
            await until(lambda: smsc.acknowledged() == [0], "our acknowledgement")

    asyncio.run(story())


def test_what_was_not_stored_when_we_died_comes_again(smsc: Smsc) -> None:
    heard = Heard()

    async def dies() -> None:
        reached = asyncio.Event()

        async def never(event: Receipt | Inbound) -> None:
            reached.set()
            await asyncio.Event().wait()

        async with driver_on(smsc) as driver, listening(driver, never):
            await until(lambda: smsc.binds() == 1, "the log-in")
            smsc.mo(KARI, "2012", "STOP")
            await reached.wait()

    async def lives() -> None:
        async with driver_on(smsc) as driver, listening(driver, heard):
            await until(lambda: smsc.acknowledged() == [0], "our acknowledgement")

    asyncio.run(dies())
    assert smsc.acknowledged() == []
    asyncio.run(lives())

    assert [inbound.text for inbound in heard.inbound] == ["STOP"]


def test_what_could_not_be_stored_comes_again(smsc: Smsc, caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()

    async def story() -> None:
        tries = 0

        async def fails_once(event: Receipt | Inbound) -> None:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise ConnectionError("the database is away")
            await heard(event)

        async with driver_on(smsc) as driver, listening(driver, fails_once):
            await until(lambda: smsc.binds() == 1, "the log-in")
            smsc.mo(KARI, "2012", "STOP")
            await until(lambda: smsc.acknowledged() == [100, 0], "a no, then a yes")

    asyncio.run(story())

    assert [inbound.text for inbound in heard.inbound] == ["STOP"]
    assert "could not store" in caplog.text


def test_many_messages_share_the_window_and_every_receipt_comes_back(smsc: Smsc) -> None:
    heard = Heard()

    async def story() -> list[Outcome]:
        async with driver_on(smsc, window=10) as driver, listening(driver, heard):
            numbers = [f"+47900{i:05}" for i in range(200)]
            outcomes = await asyncio.gather(*(send(driver, "Hei", to, key=to) for to in numbers))
            await until(lambda: len(heard.receipts) == 200, "all receipts")
            return outcomes

    outcomes = asyncio.run(story())

    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    sent = {outcome.facts["provider_ids"][0] for outcome in outcomes}
    assert {receipt.provider_id for receipt in heard.receipts} == sent
