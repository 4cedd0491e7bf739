"""E-mail through a real relay: what arrives, what bounces, and what is known of a message when something breaks."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from relight.drivers.smtp import SmtpDriver
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.messages.port import Channel, Inbound, Message, Receipt, Report
from tests.counterparts.mail import BOUNCE_DOMAIN, MailRelay

pytestmark = pytest.mark.counterpart


@pytest.fixture(scope="module")
def relay() -> Iterator[MailRelay]:
    with MailRelay() as running:
        yield running


def mail_to(to: str, **changed: Any) -> Message:
    fields = {
        "channel": Channel.EMAIL,
        "to": to,
        "sender": "Blåfjell Strøm <post@blafjell.test>",
        "language": "nb",
        "subject": "Påminnelse – strømregning på 1 250,50 kr",
        "text": "Hei Kåre!\n\nRegningen er ikke betalt ennå. Vi hjelper gjerne.\n",
    }
    return Message(**{**fields, **changed})


@asynccontextmanager
async def driver_on(settings: dict[str, Any], **changed: Any) -> AsyncIterator[SmtpDriver]:
    driver = SmtpDriver({**settings, **changed})
    try:
        yield driver
    finally:
        await driver.aclose()


async def send(driver: SmtpDriver, message: Message, *, key: str = "case:1:7", seconds: float = 10) -> Outcome:
    return await driver.send(message, Attempt(key, 1, datetime.now(UTC) + timedelta(seconds=seconds)))


def send_once(settings: dict[str, Any], message: Message, *, key: str = "case:1:7", **changed: Any) -> Outcome:
    async def once() -> Outcome:
        async with driver_on(settings, **changed) as driver:
            return await send(driver, message, key=key)

    return asyncio.run(once())


def arrived(relay: MailRelay, to: str) -> EmailMessage:
    def found() -> EmailMessage | None:
        return next((mail for mail in relay.messages() if to in str(mail["X-Rcpt-To"])), None)

    return relay.wait_for(found, f"mail to {to}")


def heard_from(
    relay: MailRelay, story: Callable[[SmtpDriver], Any], enough: Callable[[list[Receipt]], bool]
) -> list[Receipt]:
    """What `listen` tells until `enough` has come, while `story` runs beside it."""
    receipts: list[Receipt] = []

    async def run() -> None:
        async def sink(event: Receipt | Inbound) -> None:
            assert isinstance(event, Receipt)
            receipts.append(event)

        async with driver_on(relay.settings) as driver:
            listening = asyncio.create_task(driver.listen(sink))
            await story(driver)
            await asyncio.to_thread(relay.wait_for, lambda: enough(receipts), "the receipts")
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    asyncio.run(run())
    return receipts


def test_a_letter_by_email_arrives_with_all_its_letters(relay: MailRelay) -> None:
    pdf = b"%PDF-1.7\n" + bytes(range(256))
    message = mail_to("kare@kunde.test", html="<p>Regningen er ikke betalt ennå.</p>", pdf=pdf)

    outcome = send_once(relay.settings, message)

    mail = arrived(relay, "kare@kunde.test")
    assert outcome.result == Result.DONE
    assert mail["Subject"] == "Påminnelse – strømregning på 1 250,50 kr"
    assert mail["From"].addresses[0].display_name == "Blåfjell Strøm"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert outcome.facts["provider_ids"] == [mail["Message-ID"]]
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == message.text
    assert mail.get_body(("html",)).get_content().strip() == message.html
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("brev.pdf", pdf)


def test_the_return_path_carries_the_key(relay: MailRelay) -> None:
    send_once(relay.settings, mail_to("vei@kunde.test"), key="case:9:4")

    assert arrived(relay, "vei@kunde.test")["X-Mail-From"] == f"bounce+case=3a9=3a4@{BOUNCE_DOMAIN}"


def test_the_same_effect_has_the_same_message_id(relay: MailRelay) -> None:
    first = send_once(relay.settings, mail_to("en@kunde.test"), key="case:2:1")
    second = send_once(relay.settings, mail_to("en@kunde.test"), key="case:2:1")
    other = send_once(relay.settings, mail_to("en@kunde.test"), key="case:2:2")

    assert first.facts["provider_ids"] == second.facts["provider_ids"] != other.facts["provider_ids"]


def test_a_customer_who_does_not_exist_bounces_and_the_file_is_put_away(relay: MailRelay) -> None:
    def filed() -> list[str]:
        cur = relay.bounce_maildir / "cur"
        found = [path for path in cur.iterdir() if b"unknown.kari" in path.read_bytes()] if cur.exists() else []
        return [path.name[-4:] for path in found]

    receipts = heard_from(
        relay,
        lambda driver: send(driver, mail_to("unknown.kari@kunde.test"), key="case:3:8"),
        lambda told: bool(filed()),
    )

    (receipt,) = [receipt for receipt in receipts if receipt.key == "case:3:8"]
    assert (receipt.report, receipt.code) == (Report.UNDELIVERABLE, "5.1.1")
    assert receipt.provider_id.endswith(f"@{BOUNCE_DOMAIN}>")
    assert receipt.at.tzinfo is not None
    assert filed() == [":2,S"]


def test_a_full_mailbox_is_not_a_dead_one(relay: MailRelay) -> None:
    receipts = heard_from(
        relay,
        lambda driver: send(driver, mail_to("full@kunde.test"), key="case:4:2"),
        lambda told: any(receipt.key == "case:4:2" for receipt in told),
    )

    reports = {(receipt.report, receipt.code) for receipt in receipts if receipt.key == "case:4:2"}
    assert reports == {(Report.DELAYED, "4.2.2")}


def test_a_key_too_long_for_an_address_still_finds_its_way_back(relay: MailRelay) -> None:
    key = "case:" + "9" * 80

    receipts = heard_from(
        relay,
        lambda driver: send(driver, mail_to("unknown.long@kunde.test"), key=key),
        lambda told: any(receipt.key == key for receipt in told),
    )

    assert [receipt.report for receipt in receipts if receipt.key == key] == [Report.UNDELIVERABLE]


def test_a_bounce_that_could_not_be_stored_is_told_again(relay: MailRelay, caplog: pytest.LogCaptureFixture) -> None:
    tries: list[str] = []

    async def story() -> None:
        async def fails_once(event: Receipt | Inbound) -> None:
            assert isinstance(event, Receipt)
            if event.key == "case:5:1":
                tries.append(event.code)
                if len(tries) == 1:
                    raise ConnectionError("the database is away")

        async with driver_on(relay.settings) as driver:
            listening = asyncio.create_task(driver.listen(fails_once))
            await send(driver, mail_to("unknown.twice@kunde.test"), key="case:5:1")
            await asyncio.to_thread(relay.wait_for, lambda: len(tries) == 2, "the second telling")
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    asyncio.run(story())

    assert tries == ["5.1.1", "5.1.1"]
    assert "could not be handled" in caplog.text


def test_mail_that_is_no_bounce_is_flagged_for_a_person(relay: MailRelay) -> None:
    raw = b"From: Kari <kari@kunde.test>\r\nSubject: Hei\r\n\r\nHvem er dere?\r\n"

    async def story(driver: SmtpDriver) -> None:
        await asyncio.to_thread(relay.deliver, raw, f"bounce@{BOUNCE_DOMAIN}")
        await asyncio.to_thread(relay.wait_for, flagged, "the flag")

    def flagged() -> list[Path]:
        cur = relay.bounce_maildir / "cur"
        return [path for path in cur.iterdir() if path.name.endswith(":2,F")] if cur.exists() else []

    assert heard_from(relay, story, lambda told: True) == []
    assert len(flagged()) == 1


@pytest.mark.parametrize(
    ("to", "result", "code"),
    [("unknown@kunde.test", Result.REFUSED, "550 5.1.1"), ("full@kunde.test", Result.BUSY, "452 4.2.2")],
)
def test_a_relay_that_says_so_at_once_is_believed(relay: MailRelay, to: str, result: Result, code: str) -> None:
    outcome = send_once(relay.settings, mail_to(to), port=relay.destination_port)

    assert (outcome.result, outcome.code) == (result, code)
    assert to not in outcome.detail


def test_while_the_relay_is_away_nothing_is_sent(relay: MailRelay) -> None:
    relay.stop()
    try:
        outcome = send_once(relay.settings, mail_to("kare@kunde.test"))
    finally:
        relay.resume()

    assert (outcome.result, outcome.code, outcome.retry_after_seconds) == (Result.BUSY, "no_connection", 60)


def test_a_connection_kept_over_a_restart_of_the_relay_is_not_trusted(relay: MailRelay) -> None:
    async def story() -> list[Outcome]:
        async with driver_on(relay.settings) as driver:
            before = await send(driver, mail_to("for@kunde.test"))
            await asyncio.to_thread(relay.stop)
            await asyncio.to_thread(relay.resume)
            return [before, await send(driver, mail_to("etter@kunde.test"))]

    assert [outcome.result for outcome in asyncio.run(story())] == [Result.DONE, Result.DONE]


def test_a_relay_without_tls_gets_no_mail_when_tls_is_asked_for(relay: MailRelay) -> None:
    outcome = send_once(relay.settings, mail_to("apen@kunde.test"), tls="starttls")

    assert outcome.result == Result.BUSY
    assert not [mail for mail in relay.messages() if "apen@kunde.test" in str(mail["X-Rcpt-To"])]


def test_an_address_with_norwegian_letters_is_reached(relay: MailRelay) -> None:
    local = send_once(relay.settings, mail_to("blåbær@kunde.test"))
    domain = send_once(relay.settings, mail_to("ola@kåseri.test"))

    assert (local.result, domain.result) == (Result.DONE, Result.DONE)
    assert arrived(relay, "ola@xn--kseri-mra.test")["To"].addresses[0].username == "ola"


@pytest.mark.parametrize("to", ["kari", "kari@", "@kunde.test", "a@kunde.test\r\nBcc: b@kunde.test", ""])
def test_what_is_no_address_is_refused_before_it_leaves(relay: MailRelay, to: str) -> None:
    assert send_once(relay.settings, mail_to(to)).result == Result.REFUSED


def test_a_subject_cannot_smuggle_in_a_header(relay: MailRelay) -> None:
    outcome = send_once(relay.settings, mail_to("kare@kunde.test", subject="Hei\r\nBcc: alle@kunde.test"))

    assert (outcome.result, outcome.code) == (Result.REFUSED, "bad_header")


def test_a_release_too_old_is_not_sent(relay: MailRelay) -> None:
    async def story() -> Outcome:
        async with driver_on(relay.settings) as driver:
            return await send(driver, mail_to("sen@kunde.test"), seconds=-0.001)

    assert asyncio.run(story()).result == Result.LATE


class Faulty:
    """A relay in this process that breaks where it is told to; nobody else's software does that on request."""

    def __init__(self) -> None:
        self.connections = 0
        self.taken = 0
        self.break_at = ""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.break_at == "rcpt":
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.taken += 1
        if self.break_at == "data":
            server.transport.abort()
        if self.break_at == "silence":
            await asyncio.sleep(60)
        return "554 5.6.0 no" if self.break_at == "content" else "250 2.0.0 OK: queued as A1B2"


@asynccontextmanager
async def faulty_relay() -> AsyncIterator[tuple[Faulty, dict[str, Any]]]:
    faults = Faulty()
    loop = asyncio.get_running_loop()

    def accept() -> SMTP:
        faults.connections += 1
        return SMTP(faults, loop=loop)

    server = await loop.create_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield faults, {"host": "127.0.0.1", "port": port, "tls": "none", "bounce_address": "bounce@relight.test"}
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("break_at", "result", "code"),
    [
        ("rcpt", Result.BUSY, "connection_lost"),
        ("data", Result.UNKNOWN, "connection_lost"),
        ("silence", Result.UNKNOWN, "no_response"),
        ("content", Result.REFUSED, "554 5.6.0"),
        ("", Result.DONE, "250"),
    ],
)
def test_what_is_known_depends_on_where_it_broke(break_at: str, result: Result, code: str) -> None:
    async def story() -> Outcome:
        async with faulty_relay() as (faults, settings), driver_on(settings, timeout_seconds=0.5) as driver:
            faults.break_at = break_at
            return await send(driver, mail_to("kare@kunde.test"))

    outcome = asyncio.run(story())

    assert (outcome.result, outcome.code) == (result, code)


def test_one_connection_serves_many_messages() -> None:
    async def story() -> tuple[int, int]:
        async with faulty_relay() as (faults, settings), driver_on(settings) as driver:
            for number in range(5):
                await send(driver, mail_to(f"k{number}@kunde.test"))
            return faults.connections, faults.taken

    assert asyncio.run(story()) == (1, 5)


def test_no_more_connections_than_allowed() -> None:
    async def story() -> tuple[int, int]:
        async with faulty_relay() as (faults, settings), driver_on(settings, connections=2) as driver:
            await asyncio.gather(*(send(driver, mail_to(f"k{number}@kunde.test")) for number in range(10)))
            return faults.connections, faults.taken

    assert asyncio.run(story()) == (2, 10)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "127.0.0.1"}, "bounce_address must be set"),
        ({"host": "127.0.0.1", "bounce_address": "b+x@a.no"}, "without a plus"),
        ({"host": "127.0.0.1", "bounce_address": "b@a.no", "tls": "yes"}, "tls is none"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        SmtpDriver(settings)
