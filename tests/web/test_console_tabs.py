"""Two tabs of one browser, and the partner switched in one: what is done in the other is done at neither partner."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from relight.core.policy_reader import packaged_text
from relight.flow.cases.people import operator
from relight.flow.cases.policies import lines
from relight.flow.database import Database
from relight.flow.road.publishing import publish_at_once
from relight.web import console
from tests.journeys.test_voided_fee import OWED, WITH_A_FEE
from tests.journeys.world import World
from tests.web.console_sample import Portfolio, add_user, fill, join
from tests.web.console_visitor import Seen, SignIn, Visitor

TEMPLATES = Path(console.__file__).parent / "templates"
HERE, THERE = "Aker Kraft", "Østavind Nett"
FIRST = packaged_text("broadband-no")
SECOND = FIRST.replace("max_per_7_days: 5", "max_per_7_days: 4")
ASKED = "Hvilket selskap gjelder siden?"
NOTHING_DONE = "Ingenting er endret."
OF_NO_PARTNER = {"login", "logout", "language", "partner"}


@pytest.fixture
def manager(
    site: str, owner: psycopg.Connection, partner: int, other_partner: int, database_urls: dict[str, str]
) -> Iterator[Visitor]:
    """A manager of two partners, who works at the first."""
    owner.execute("UPDATE partner SET name = %s WHERE id = %s", (HERE, partner))
    owner.execute("UPDATE partner SET name = %s WHERE id = %s", (THERE, other_partner))
    name = add_user(owner, partner, "manager")
    join(owner, name, other_partner, "manager")
    someone = Visitor(site)
    assert someone.signs_in(name).has(HERE)
    yield someone
    someone.browser.close()


def switches(visitor: Visitor, partner: int) -> Seen:
    """The same browser's other tab works at another partner from now on."""
    return visitor.fills(visitor.opens(""), "partner", partner=str(partner))


def of_partner(tab: Seen) -> str:
    """The partner that a page names to htmx."""
    found = re.search(r'<body[^>]* hx-headers=\'{[^}]*"X-Partner": "(\d+)"}\'', tab.html)
    assert found, tab.path
    return found[1]


def publish(db: Database, partner: int) -> None:
    now = db.clock()
    with db.transaction(partner) as tx:
        publish_at_once(tx, FIRST, by=operator("root", "Bente"), now=now)
        publish_at_once(tx, SECOND, by=operator("root", "Kari"), now=now, share=10, cap=50)


def shares(db: Database, partner: int) -> dict[int, int]:
    with db.transaction(partner) as tx:
        return {one.at.version: one.at.share for one in lines(tx, "broadband-no")}


def test_a_share_typed_in_the_first_tab_lands_at_neither_partner(
    manager: Visitor, db: Database, partner: int, other_partner: int
) -> None:
    publish(db, partner)
    publish(db, other_partner)
    tab = manager.opens("policies/broadband-no/share/")
    switches(manager, other_partner)

    refused = manager.fills(tab, "share/", share="100", cap="")

    assert refused.status == 409
    assert refused.has(ASKED, f"Du jobber nå hos {THERE}. Denne siden gjelder {HERE}.", NOTHING_DONE)
    assert shares(db, partner) == shares(db, other_partner) == {1: 100, 2: 10}


def test_whoever_goes_back_to_the_first_partner_acts_there(
    manager: Visitor, db: Database, partner: int, other_partner: int
) -> None:
    publish(db, partner)
    publish(db, other_partner)
    tab = manager.opens("policies/broadband-no/share/")
    switches(manager, other_partner)
    refused = manager.fills(tab, "share/", share="100", cap="")

    back = manager.fills(refused, "partner", partner=str(partner))
    manager.fills(tab, "share/", share="100", cap="")

    assert back.has(f"<small>{HERE}</small>")
    assert shares(db, partner)[2] == 100
    assert shares(db, other_partner)[2] == 10


def test_a_wrong_run_that_was_looked_at_is_undone_at_neither_partner(
    manager: Visitor, db: Database, owner: psycopg.Connection, partner: int, other_partner: int
) -> None:
    worlds = [wrong_run(db, owner, one) for one in (partner, other_partner)]
    first = worlds[0].value("SELECT min(decided_at) FROM step_taken")
    since = first.astimezone(ZoneInfo("Europe/Oslo")) - timedelta(days=1)
    about = {"policy": "broadband-no", "version": "2", "note": "Gebyret kom for tidlig"}
    looked = manager.fills(manager.opens("undos/new/"), "undos/new/", since=f"{since:%Y-%m-%dT%H:%M}", **about)
    switches(manager, other_partner)

    refused = manager.fills(looked, "undos/new/", sure="1", note="Gebyret kom for tidlig")

    assert refused.status == 409
    assert [world.value("SELECT count(*) FROM undo") for world in worlds] == [0, 0]
    for world in worlds:
        world.close()


def wrong_run(db: Database, owner: psycopg.Connection, partner: int) -> World:
    world = World(db, owner, partner, db.clock() - timedelta(days=60))
    world.policy("broadband-no", *WITH_A_FEE)
    account = world.customer()
    world.service(account)
    world.invoice(account, amount=OWED)
    world.until_step(account, "reminder")
    world.run()
    return world


def test_an_open_list_shows_none_of_the_other_partners_rows(
    manager: Visitor, db: Database, other_partner: int, now: datetime
) -> None:
    fill(db, other_partner, now)
    tab = manager.opens("cases/", q="")
    switches(manager, other_partner)

    renewed = manager.asks("cases/?q=", target="live", X_Partner=of_partner(tab))

    assert renewed.status == 409
    assert renewed.html.startswith('<div id="live" hx-get="/console/cases/?q="')
    assert renewed.has(THERE, HERE, 'role="alert"', f"Tilbake til {HERE}")
    assert not renewed.has("Kari Nordmann")
    assert not renewed.has("hx-swap-oob")
    assert not renewed.has(NOTHING_DONE)


def test_an_open_list_says_so_once_and_comes_back_with_its_partner(
    manager: Visitor, db: Database, partner: int, other_partner: int, now: datetime
) -> None:
    fill(db, partner, now)
    tab = of_partner(manager.opens("cases/", q=""))
    switches(manager, other_partner)
    told = manager.asks("cases/?q=", target="live", X_Partner=tab)
    seen = told.html.split('"X-Seen": "')[1].split('"')[0]

    again = manager.asks("cases/?q=", target="live", X_Partner=tab, X_Seen=seen)
    switches(manager, partner)
    back = manager.asks("cases/?q=", target="live", X_Partner=tab, X_Seen=seen)

    assert (again.status, again.html) == (204, "")
    assert back.status == 200
    assert back.has("Kari Nordmann")


def test_a_dialog_is_not_opened_over_the_wrong_page_and_leads_back_to_it(
    manager: Visitor, portfolio: Portfolio, partner: int, other_partner: int
) -> None:
    tab = manager.opens(f"cases/{portfolio.kari}/")
    switches(manager, other_partner)

    dialog = manager.asks(
        f"cases/{portfolio.kari}/note/", target="dialog-body", X_Partner=of_partner(tab), Referer=str(tab.response.url)
    )

    assert dialog.status == 409
    assert dialog.html.startswith('<div id="dialog-body">')
    assert dialog.has(ASKED, 'id="dialog-title"')
    assert manager.fills(dialog, "partner", partner=str(partner)).path == f"/console/cases/{portfolio.kari}/"


def test_the_way_back_never_leaves_the_console(manager: Visitor, partner: int, other_partner: int) -> None:
    tab = of_partner(manager.opens(""))
    switches(manager, other_partner)

    dialog = manager.asks("", target="live", X_Partner=tab, Referer="https://evil.example//evil.example/console/")

    assert dialog.form("partner").fields["next"] == "/console/"


def test_the_words_are_the_readers(manager: Visitor, other_partner: int) -> None:
    tab = manager.fills(manager.opens("password/"), "language", language="en")
    switches(manager, other_partner)

    refused = manager.fills(tab, "password", old="x", new="y", again="y")

    assert refused.status == 409
    assert refused.has('<html lang="en"', f"You now work at {THERE}. This page is of {HERE}. Nothing was changed.")
    assert refused.has(f"Go on at {THERE}", f"Back to {HERE}")


def test_a_page_of_which_a_part_is_anothers_is_refused_at_both(manager: Visitor, partner: int) -> None:
    form = manager.opens("password/").form("password")
    wrong = {**form.fields, "of_partner": str(partner + 1), "old": "x", "new": "y", "again": "y"}

    mixed = manager.browser.post("/console/password/", data=wrong, headers={"X-Partner": str(partner)})

    assert mixed.status_code == 409


def test_a_membership_taken_away_meanwhile_is_told_without_its_name(
    manager: Visitor, owner: psycopg.Connection, partner: int
) -> None:
    tab = manager.opens("password/")
    owner.execute("DELETE FROM membership WHERE partner_id = %s", (partner,))

    refused = manager.fills(tab, "password", old="x", new="y", again="y")

    assert refused.status == 409
    assert refused.has(f"Du jobber nå hos {THERE}. Denne siden gjelder et selskap du ikke har tilgang til.")
    assert not refused.has(HERE)


def test_whoever_has_several_partners_must_say_at_which(manager: Visitor) -> None:
    sent = manager.sends("password/", old="x", new="y", again="y")
    renewed = manager.asks("cases/?q=", target="live")
    loaded = manager.opens("cases/?q=")

    assert (sent.status, renewed.status, loaded.status) == (409, 409, 200)
    assert sent.has(f"Du jobber hos {HERE}, men siden sier ikke hvilket selskap den gjelder.", NOTHING_DONE)
    assert not sent.has("Tilbake til")


def test_signing_out_language_and_switching_go_on_from_any_page(
    manager: Visitor, partner: int, other_partner: int
) -> None:
    tab = manager.opens("")
    switches(manager, other_partner)

    assert manager.fills(tab, "language", language="en").has('<html lang="en"', THERE)
    assert manager.fills(tab, "partner", partner=str(other_partner)).has(THERE)
    assert manager.sends("partner/", partner=str(partner)).has(HERE)
    assert manager.fills(tab, "sign-out").has("You have signed out")


def addresses() -> list[tuple[str, str]]:
    """Each of the console's addresses by its name, with something for each of its places."""
    from django.urls import reverse

    from relight.web.console.urls import urlpatterns

    found: list[tuple[str, str]] = []
    for one in urlpatterns:
        places = dict.fromkeys(one.pattern.converters, 1)
        found.append((str(one.name), reverse(f"console:{one.name}", kwargs=places).removeprefix("/console/")))
    return found


def test_no_address_of_a_partner_acts_for_another_or_for_none_named(
    manager: Visitor, partner: int, other_partner: int
) -> None:
    switches(manager, other_partner)
    bound = [address for name, address in addresses() if name not in OF_NO_PARTNER]

    unnamed = {address for address in bound if manager.sends(address).status != 409}
    of_the_first = {address for address in bound if manager.sends(address, of_partner=str(partner)).status != 409}
    renewed = {
        address for address in bound if manager.asks(address, target="live", X_Partner=str(partner)).status != 409
    }

    assert len(bound) > 30
    assert (unnamed, of_the_first, renewed) == (set(), set(), set())


def test_whoever_has_one_partner_need_not_name_it(seat: SignIn) -> None:
    agent = seat("agent")

    bothered = {
        address
        for name, address in addresses()
        if name not in OF_NO_PARTNER and (agent.sends(address).has(ASKED) or agent.asks(address, target="").has(ASKED))
    }

    assert bothered == set()


def test_every_form_that_is_sent_carries_its_keys() -> None:
    begun = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>')
    pages = {path.name: path.read_text("utf-8") for path in TEMPLATES.rglob("*.html")}

    forms = [(name, page[one.end() :]) for name, page in pages.items() for one in begun.finditer(page)]

    assert len(forms) > 30
    assert [name for name, rest in forms if not rest.startswith("{% form_keys %}")] == []
    assert [name for name, page in pages.items() if "csrf_token %}" in page] == []


@pytest.mark.parametrize("page", ["", "cases/?q=", "cases/{kari}/", "cases/{kari}/note/", "approvals/", "password/"])
def test_every_page_names_its_partner_to_forms_and_to_htmx(
    seat: SignIn, portfolio: Portfolio, partner: int, page: str
) -> None:
    seen = seat("manager").opens(page.format(kari=portfolio.kari))

    posts = seen.html.count('method="post"')

    assert of_partner(seen) == str(partner)
    assert posts >= 2
    assert seen.html.count(f'name="of_partner" value="{partner}"') == posts


def test_a_stranger_is_asked_for_no_partner(site: str) -> None:
    visitor = Visitor(site)

    door = visitor.opens("sign-in/")

    assert not door.has("of_partner")
    assert visitor.fills(door, "sign-in", login="ingen-ved-døren", password="feil").status == 422
    visitor.browser.close()
