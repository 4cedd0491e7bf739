"""A wrong run is undone at the console: what it did is shown first, and the apology waits for a person."""

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from relight.flow.database import Database
from relight.flow.road.undo import asking
from relight.flow.road.undo.doing import go_on
from tests.journeys.test_voided_fee import FEE, OWED, WITH_A_FEE
from tests.journeys.world import World
from tests.web.console_visitor import Seen, SignIn, Visitor

ABOUT = {"policy": "broadband-no", "version": "2", "note": "Gebyret kom for tidlig"}


@pytest.fixture
def wrong(db: Database, owner: psycopg.Connection, partner: int) -> Iterator[World]:
    """Two customers were reminded by version 2, which charges a fee."""
    world = World(db, owner, partner, db.clock() - timedelta(days=60))
    world.policy("broadband-no", *WITH_A_FEE)
    accounts = [world.customer() for _ in range(2)]
    for account in accounts:
        world.service(account)
        world.invoice(account, amount=OWED)
    for account in accounts:
        world.until_step(account, "reminder")
    world.run()
    yield world
    world.close()


def looks(visitor: Visitor, world: World, **typed: str) -> Seen:
    """Fill in the form and see what the version did."""
    first = world.value("SELECT min(decided_at) FROM step_taken")
    since = first.astimezone(ZoneInfo("Europe/Oslo")) - timedelta(days=1)
    given = {"since": f"{since:%Y-%m-%dT%H:%M}", **ABOUT, **typed}
    return visitor.fills(visitor.opens("undos/new/"), "undos/new/", **given)


def asks(visitor: Visitor, world: World) -> Seen:
    """The same, and ask for the undo."""
    return visitor.fills(looks(visitor, world), "undos/new/", sure="1", note=ABOUT["note"])


def test_what_it_did_is_shown_before_anything_is_changed(seat: SignIn, wrong: World) -> None:
    seen = looks(seat("manager"), wrong)

    assert seen.has("2</b> saker", "70,00", "i gebyrer tilbakeføres", "2 saker følger fortsatt broadband-no")
    assert wrong.value("SELECT count(*) FROM undo") == 0
    assert wrong.value("SELECT count(*) FROM step_taken WHERE voided_at IS NOT NULL") == 0


def test_it_is_undone_and_the_apology_goes_when_it_is_approved(seat: SignIn, db: Database, wrong: World) -> None:
    manager = seat("manager")

    asked = asks(manager, wrong)
    go_on(db, wrong.partner, db.clock)
    page = asked.path.removeprefix("/console/")
    undone = manager.opens(page)
    sent = manager.fills(undone, "apologise", answer="yes")

    assert asked.has("Det er i gang", "Begynner")
    assert undone.has("Angret", "Beklager! Vi gjorde en feil", "Godkjenn og send")
    assert sent.has("Beklagelsen er på vei", "Godkjent av manager-")
    assert wrong.value("SELECT sum(amount) FROM transfer WHERE debit = 'fee_income'") == 2 * FEE
    assert "Godkjenn og send" not in sent.html


def test_over_the_number_a_colleague_agrees(
    seat: SignIn, db: Database, wrong: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ALONE_MAX", 1)
    first, second = seat("manager"), seat("manager")

    asked = asks(first, wrong)
    page = asked.path.removeprefix("/console/")
    agreed = second.fills(second.opens(page), "agree", answer="yes")

    assert asked.has("En kollega må si ja")
    assert "undos/" not in "".join(asked.links("agree"))
    assert agreed.has("Godkjent. Det begynner med en gang.")
    assert wrong.rows("SELECT state, needs FROM undo") == [("granted", 2)]


def test_what_is_missing_is_said_at_the_form(seat: SignIn, wrong: World) -> None:
    seen = looks(seat("manager"), wrong, policy="", note="", bulk="tolv")

    assert seen.status == 422
    assert seen.has("Skriv hva som var galt.", "Si hvilke regler versjonen hører til.", "Skriv et helt tall")


def test_others_read_and_undo_nothing(seat: SignIn, wrong: World) -> None:
    agent = seat("agent")

    listed, form = agent.opens("undos/"), agent.opens("undos/new/")

    assert listed.has("Ingenting er angret")
    assert "Angre en gal kjøring" not in listed.html
    assert form.status == 403
