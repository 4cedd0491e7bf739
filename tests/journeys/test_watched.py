"""A payment's way from webhook to router, seen by whoever watches: in figures, in one trace, in logs without a name.

Web and workers are processes as an operator starts them, at the real moment; the household was limited before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from relight.drivers.testpay import TestProvider
from relight.flow.database import Database
from relight.flow.payments.links import make
from relight.flow.payments.operations import attach, link_for, start_checkout
from relight.flow.payments.port import Order
from tests.counterparts.smsc import Smsc
from tests.flow.conftest import make_partner
from tests.journeys.processes import wait_for
from tests.journeys.street import OWED, Home, Street, Town
from tests.journeys.watching import Seen, Watched, figure, figures, watched
from tests.journeys.world import LINK_KEY

pytestmark = pytest.mark.counterpart

_LIVED = timedelta(days=90)
_NO_METERS: Any = SimpleNamespace(meters=())  # the household has broadband alone


@dataclass(frozen=True)
class Story:
    """What happened: who paid, and what was seen of it."""

    watched: Watched
    home: Home
    token: str
    worker: dict[tuple[str, frozenset[tuple[str, str]]], float]
    web: dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def story(
    town: Town, db: Database, database_urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """The household pays by a signed webhook, and has its line back; a stranger's webhook is refused."""
    folder = tmp_path_factory.mktemp("watched")
    began = datetime.now(UTC) - _LIVED
    settings = {"secret": "whsec", "folder": str(folder / "pay")}
    with (
        psycopg.connect(database_urls["owner"], autocommit=True) as owner,
        Smsc() as smsc,
        watched(database_urls, folder) as watching,
    ):
        street = Street(town, smsc, _NO_METERS, folder, db, owner, make_partner(owner, began), began)
        owner.execute(
            "UPDATE partner SET driver_settings = driver_settings || %s WHERE id = %s",
            (Jsonb({"payments": {"testpay": settings}}), street.partner),
        )
        home = street.move_in(broadband=True)
        street.limit_broadband(home)
        street.until(datetime.now(UTC))
        # A till of its own: a worker that asks after open checkouts must not hear of the payment before the webhook.
        token, ref, provider = _checks_out(street, home, {**settings, "folder": str(folder / "till")})
        watching.start(_slug(street))
        _webhook(watching, street, provider.webhook_of(provider.finish(ref, "pay")), expected=200)
        _webhook(watching, street, ({"X-Testpay-Signature": "t=1,v1=00"}, f'{{"to": "{home.email}"}}'.encode()), 400)
        assert httpx.get(f"{watching.web}/p/{token}", trust_env=False, timeout=30).status_code == 200
        wait_for(lambda: street.has_internet(home), "the line is back")
        wait_for(lambda: _restores(watching), "the restore is counted")
        wait_for(lambda: _told(watching), "the message about it is counted")
        seen = Story(watching, home, token, figures(watching.worker_figures), figures(watching.web_figures))
        wait_for(lambda: "record outcome" in _trace(watching), "the trace has come")
        watching.end()
        yield seen
        street.close()


def _checks_out(street: Street, home: Home, settings: dict[str, str]) -> tuple[str, str, TestProvider]:
    """The household follows its link and stands on the provider's page: the link's token, the payment's name there."""
    provider = TestProvider(settings)
    with street.db.transaction(street.partner) as tx:
        case_id = tx.value("SELECT id FROM dunning_case WHERE account_id = %(a)s", {"a": home.account.id})
        link = link_for(tx, case_id, home.account.id, street.moment)
        owed = street.debt(home)
        started = start_checkout(tx, link_id=link, provider="testpay", amount=owed, currency="NOK", now=street.moment)
        order = Order(started.key, owed, "NOK", "Nordlys", home.account.ref, "https://betal.nordlys.example/p/x/status")
        ref = provider.create(order).provider_ref
        attach(tx, checkout_id=started.checkout_id, provider_ref=ref, now=street.moment)
    return make(street.partner, link, LINK_KEY), ref, provider


def _slug(street: Street) -> str:
    return str(street.owner.execute("SELECT slug FROM partner WHERE id = %s", (street.partner,)).fetchall()[0][0])


def _webhook(watching: Watched, street: Street, webhook: tuple[dict[str, str], bytes], expected: int) -> None:
    headers, body = webhook
    url = f"{watching.web}/webhooks/{_slug(street)}/testpay"
    assert httpx.post(url, content=body, headers=headers, trust_env=False, timeout=30).status_code == expected


def _restores(watching: Watched) -> float:
    return figure(watching.worker_figures, "relight_restore_seconds_count", driver="radius")


def _told(watching: Watched) -> float:
    done = {"kind": "messages", "driver": "sms", "result": "done"}
    return figure(watching.worker_figures, "relight_attempts_total", **done)


def _trace(watching: Watched) -> dict[str, object]:
    found = _genuine(watching)
    return dict(watching.collector.of(found[0].trace)) if found else {}


def _genuine(watching: Watched) -> list[Seen]:
    """The webhook that was taken in; two processes of the web send their spans, whichever comes first."""
    webhooks = [one for one in watching.collector.spans if one.name == "payment webhook"]
    return [one for one in webhooks if "200" in one.attributes["relight.status"]]


def _sum(seen: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for (called, has), value in seen.items() if called == name and wanted <= has)


def test_the_figures_tell_of_the_decision_the_command_and_the_restore(story: Story) -> None:
    seen = story.worker

    assert _sum(seen, "relight_decisions_total", lane="urgent", outcome="step") >= 1
    assert _sum(seen, "relight_attempts_total", kind="supply", driver="radius", result="done") == 1
    assert _sum(seen, "relight_attempts_total", kind="messages", driver="sms", result="done") >= 1
    assert _sum(seen, "relight_effects_total", kind="supply", outcome="done") == 1
    assert _sum(seen, "relight_driver_seconds_count", kind="supply", driver="radius") == 1
    assert _sum(seen, "relight_restore_seconds_count", driver="radius") == 1
    assert 0 < _sum(seen, "relight_restore_seconds_sum", driver="radius") < 30


def test_the_figures_of_all_processes_are_at_one_address(story: Story) -> None:
    lanes = {dict(labels)["loop"] for name, labels in story.worker if name == "relight_loop_round_monotonic_seconds"}
    pids = {dict(labels)["pid"] for name, labels in story.worker if name == "relight_loop_round_monotonic_seconds"}

    assert {"decide urgent", "decide bulk", "release urgent", "release bulk", "feed"} <= lanes
    assert len(pids) == 2
    assert _sum(story.web, "relight_webhooks_total", provider="testpay", answer="200") == 1
    assert _sum(story.web, "relight_webhooks_total", provider="testpay", answer="400") == 1
    assert _sum(story.web, "relight_request_seconds_count", entrance="webhook", status="2xx") == 1


def test_the_figures_that_lie_in_the_database_are_beside_them(story: Story) -> None:
    assert _sum(story.worker, "relight_database_up") == 1
    assert any(name == "relight_queue_age_seconds" and ("lane", "urgent") in labels for name, labels in story.worker)
    assert any(name == "relight_alarm" and ("alarm", "restore_overdue") in labels for name, labels in story.worker)
    assert not any(name == "relight_queue_age_seconds" for name, _ in story.web)


def test_one_trace_leads_from_the_webhook_to_the_read_back(story: Story) -> None:
    (webhook,) = _genuine(story.watched)
    by_id = {one.id: one for one in story.watched.collector.spans if one.trace == webhook.trace}
    read_back = next(one for one in by_id.values() if one.name == "read back")

    way = [read_back]
    while way[-1].parent:
        way.append(by_id[way[-1].parent])

    assert [one.name for one in reversed(way)] == [
        "payment webhook", "record payment", "decide", "release", "supply command", "read back",
    ]  # fmt: skip
    assert [one.service for one in reversed(way)] == ["relight-web"] * 2 + ["relight-worker"] * 4
    assert "radius" in way[1].attributes["relight.driver"]


def test_the_logs_are_one_object_a_line_and_name_nobody(story: Story) -> None:
    home, lines, text = story.home, story.watched.lines(), story.watched.logs()

    events = {line["event"] for line in lines}
    assert {"working", "webhook_refused"} <= events
    assert all({"event", "level", "timestamp", "process"} <= set(line) for line in lines)
    told = [home.phone, home.phone.lstrip("+"), home.email, "Nordmann", "Storgata", str(OWED), "899,00", story.token,
            home.account.ref, home.username, "whsec"]  # fmt: skip
    assert [word for word in told if word in text] == []


def test_no_span_carries_what_is_the_customers(story: Story) -> None:
    home, text = story.home, str(story.watched.collector.spans)

    assert story.watched.collector.spans
    told = [home.phone, home.email, "Nordmann", str(OWED), story.token, home.account.ref, home.username]
    assert [word for word in told if word in text] == []
