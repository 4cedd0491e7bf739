"""The console in a real browser: readable by everyone, at any width, by keyboard, and working under its own CSP."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright
from psycopg.types.json import Jsonb

from relight.core.policy_reader import packaged_text
from relight.flow.cases.people import operator
from relight.flow.database import Database, Tx
from relight.flow.payments.mandates import noting
from relight.flow.payments.mandates.noting import Told
from relight.flow.payments.settle import settle
from relight.flow.road.publishing import publish_at_once
from relight.flow.road.undo.finding import Found
from tests.browser import console_site
from tests.flow import factories
from tests.flow.conftest import make_partner, migrated
from tests.web import console_sample
from tests.web.console_sample import PASSWORD, Portfolio

pytestmark = pytest.mark.counterpart

CHROMIUM = Path("/usr/bin/chromium")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
SERIOUS = {"serious", "critical"}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = {
    "overview": "",
    "cases": "cases/?q=",
    "cases-refined": "cases/?step=reminder&sort=account",
    "cases-nothing": "cases/?q=finnes+ikke",
    "case-limited": "cases/{kari}/",
    "case-told-to-customer": "cases/{kari}/?told=customer",
    "case-restored": "cases/{ola}/",
    "case-held": "cases/{amina}/",
    "case-closed": "cases/{lars}/",
    "hold": "cases/{kari}/hold/",
    "note": "cases/{kari}/note/",
    "approve": "cases/{kari}/approvals/{approval}/",
    "void": "cases/{kari}/steps/2/void/",
    "tasks": "tasks/",
    "task": "tasks/{task}/",
    "approvals": "approvals/",
    "statement": "accounts/{account}/statement/?case={kari}",
    "payments": "payments/?q=",
    "payment": "payments/{loose}/",
    "collections": "collections/?q=",
    "collections-nothing": "collections/?show=failed",
    "policies": "policies/",
    "policy": "policies/power-grid-business-no/",
    "share": "policies/power-grid-business-no/share/",
    "undo-new": "undos/new/?policy=power-grid-business-no",
    "undo": "undos/{undo}/",
    "password": "password/",
}


class Town(NamedTuple):
    """A running site with a portfolio; `more` are a few plain cases behind its stories."""

    site: str
    db: Database
    owner: psycopg.Connection
    partner: int
    portfolio: Portfolio
    manager: str
    numbers: dict[str, int]

    def address(self, page: str) -> str:
        """Where a page of `PAGES` is."""
        return f"{self.site}/console/{PAGES[page].format(**self.numbers)}"


def collected(tx: Tx, case_id: int, now: datetime) -> None:
    """The customer's bill is about to be drawn, by a mandate of theirs; another file left before."""
    found = tx.row(
        "SELECT a.ref, d.account_id, (SELECT max(c.id) FROM claim c WHERE c.account_id = a.id) FROM dunning_case d"
        " JOIN account a ON a.id = d.account_id WHERE d.id = %(c)s", {"c": case_id},
    )  # fmt: skip
    assert found is not None
    told = Told(found[0], "avtalegiro", "2345676", now.date() - timedelta(days=60))
    noting.note(tx, [told], source="hand", actor="bente", now=now)
    tx.run(
        "INSERT INTO collection (partner_id, mandate_id, account_id, claim_id, amount, currency, collect_date, until,"
        " ref, planned_at) SELECT partner_id, id, account_id, %(claim)s, 89900, 'NOK', %(day)s, %(until)s, 'RLC1',"
        " %(now)s FROM mandate",
        {"claim": found[2], "day": now.date() + timedelta(days=20), "until": now + timedelta(days=22), "now": now},
    )
    tx.run(
        "INSERT INTO collection_file (partner_id, scheme, kind, number, message, count, amount, written_at, written_by)"
        " VALUES (%(p)s, 'avtalegiro', 'order', 1, 'RL1C1-261101080000', 412, 37038800, %(now)s, 'worker')",
        {"p": tx.partner_id, "now": now},
    )


def loose_payment(tx: Tx, case_id: int, now: datetime) -> int:
    """A payment of another name than the customer's, who wrote the customer's number; its id."""
    of_case = "SELECT a.ref FROM dunning_case c JOIN account a ON a.id = c.account_id WHERE c.id = %(c)s"
    ref = tx.value(of_case, {"c": case_id})
    row = factories.payment_row(5000, now, reference=ref, state="booked")
    told = settle(tx, factories.make_source(tx, now), [row._replace(payer_name="Mor Hansen")], now=now)
    return told.received[0].payment_id


def undone(tx: Tx, now: datetime) -> int:
    """An undo that waits for a colleague, of all that the portfolio's cases did; its number."""
    found = Found(cases=412, fees=1442000, services=17, messages=803, letters=12, stopped=96, handovers=2, reached=405)
    found.steps.update({"reminder": 412, "cut": 17})
    return tx.value(
        "INSERT INTO undo (partner_id, policy, version, since, why, needs, asked_at, asked_by, found) VALUES"
        " (%(p)s, 'power-grid-business-no', 1, %(now)s, 'Gebyret kom for tidlig', 2, %(now)s, 'bente', %(found)s)"
        " RETURNING id",
        {"p": tx.partner_id, "now": now, "found": Jsonb(found.as_data())},
    )


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    now = datetime.now(UTC)
    with (
        migrated() as urls,
        Database(urls["app"], name="relight-tests") as db,
        psycopg.connect(urls["owner"], autocommit=True) as owner,
        console_site.serving(urls["app"], urls["owner"]) as site,
    ):
        partner = make_partner(owner, now)
        portfolio = console_sample.fill(db, partner, now, more=12)
        with db.transaction(partner) as tx:
            text = packaged_text("power-grid-business-no")
            publish_at_once(tx, text, by=operator("root", "Bente"), now=now, share=10, cap=50)
            numbers = {
                **vars(portfolio),
                "approval": tx.value("SELECT id FROM approval"),
                "task": tx.value("SELECT id FROM task WHERE code = 'given_up'"),
                "loose": loose_payment(tx, portfolio.kari, now),
                "collected": collected(tx, portfolio.kari, now),
                "undo": undone(tx, now),
                "account": tx.value("SELECT account_id FROM dunning_case WHERE id = %(c)s", {"c": portfolio.kari}),
            }
        yield Town(site, db, owner, partner, portfolio, console_sample.add_user(owner, partner, "manager"), numbers)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is missing: run `make counterparts` (Debian package chromium)"
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield started
        started.close()


@pytest.fixture(scope="module")
def cookies(town: Town, browser: Browser) -> list[dict[str, object]]:
    """The manager's session, signed in through the page."""
    context = browser.new_context(locale="nb-NO")
    page = context.new_page()
    page.goto(f"{town.site}/console/")
    page.get_by_label("Brukernavn eller e-post").fill(town.manager)
    page.get_by_label("Passord").fill(PASSWORD)
    page.get_by_role("button", name="Logg inn").click()
    expect(page.get_by_role("heading", name="Oversikt")).to_be_visible()
    kept = context.cookies()
    context.close()
    return kept  # type: ignore[return-value]


@pytest.fixture
def opens(browser: Browser, cookies: list[dict[str, object]], town: Town) -> Iterator[Callable[..., Page]]:
    """Opens a page as the manager: `opens("cases", viewport=PHONE)`. The browser's console must stay silent."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def opened(page_name: str, **options: object) -> Page:
        context = browser.new_context(**{"viewport": DESK, "locale": "nb-NO", **options})  # type: ignore[arg-type]
        contexts.append(context)
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)) if is_ours(error) else None)
        page.goto(town.address(page_name), wait_until="load")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def is_ours(error: Error) -> bool:
    """A busy browser gives up its own fade between two pages, and says so: nothing of the page has failed."""
    return not str(error).startswith(("Transition was aborted", "Transition was skipped"))


def is_complaint(said: ConsoleMessage) -> bool:
    """What the browser says of the page; a form that is given back (422) is an answer, not a fault."""
    return said.type in ("error", "warning") and "status of 422" not in said.text


def serious(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page, options={"runOnly": TAGS}).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS]


def renewed(page: Page) -> None:
    """Ask the page to renew itself now, as its clock does every few seconds, and wait for the answer."""
    with page.expect_response(lambda answer: answer.request.headers.get("hx-target") == "live"):
        page.evaluate("htmx.trigger(document.body, 'tick')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["390", "1280"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(opens: Callable[..., Page], name: str, size: dict[str, int], scheme: str) -> None:
    # axe injects its own script, which the page's policy would rightly stop.
    page = opens(name, viewport=size, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")

    assert serious(page) == []


@pytest.mark.parametrize("size", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "390", "1280"])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out_at_any_width(opens: Callable[..., Page], name: str, size: dict[str, int]) -> None:
    page = opens(name, viewport=size)

    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["390", "1280"])
def test_the_door_is_readable_too(browser: Browser, town: Town, size: dict[str, int]) -> None:
    context = browser.new_context(viewport=size, locale="nb-NO", bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{town.site}/console/sign-in/")
    page.get_by_label("Brukernavn eller e-post").fill("ingen")
    page.get_by_label("Passord").fill("feil")
    page.get_by_role("button", name="Logg inn").click()

    expect(page.get_by_role("alert")).to_contain_text("passordet stemmer ikke")
    expect(page.get_by_label("Passord")).to_be_focused()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    context.close()


def test_the_dialog_takes_the_focus_and_gives_it_back(opens: Callable[..., Page]) -> None:
    page = opens("case-held")
    hold = page.get_by_role("link", name="Sett på vent")
    hold.focus()

    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Sett på vent")).to_be_visible()
    inside = page.evaluate("document.getElementById('dialog').contains(document.activeElement)")
    page.keyboard.press("Escape")

    assert inside
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(hold).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["390", "1280"])
def test_an_open_dialog_is_readable(opens: Callable[..., Page], size: dict[str, int], scheme: str) -> None:
    page = opens("case-limited", viewport=size, color_scheme=scheme, bypass_csp=True)

    page.get_by_role("link", name="Godkjenn", exact=True).click()

    expect(page.get_by_role("dialog", name="Godkjenn: Stenging")).to_be_visible()
    page.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")  # half faded, nothing is readable
    assert serious(page) == []


def test_a_note_is_written_by_keyboard_and_the_timeline_shows_it_without_a_new_page(
    opens: Callable[..., Page],
) -> None:
    page = opens("case-closed")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="Skriv notat").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Notat")).to_be_focused()

    page.keyboard.type("Ringte fra butikken")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").filter(has_text="Notatet er lagret")).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("Ringte fra butikken")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate("window.stayed")


def test_what_was_wrong_is_said_in_the_dialog(opens: Callable[..., Page]) -> None:
    page = opens("case-held")
    page.get_by_role("link", name="Sett på vent").click()

    page.get_by_label("Årsak").select_option("dispute")
    page.get_by_role("dialog").get_by_role("button", name="Sett på vent").click()

    expect(page.get_by_role("dialog")).to_contain_text("En innsigelse gjelder en faktura")
    expect(page.get_by_label("Årsak")).to_have_value("dispute")


def test_the_list_renews_itself_and_leaves_what_was_unfolded(opens: Callable[..., Page], town: Town) -> None:
    page = opens("cases")
    page.get_by_text("Flere filtre").click()
    now = datetime.now(UTC)
    with town.db.transaction(town.partner) as tx:
        policy = console_sample.add_policy(tx, now)
        case = console_sample.plain_case(tx, now, policy, 700)

    renewed(page)

    expect(page.locator(f"#case-{case}")).to_be_visible()
    expect(page.get_by_label("Siste trinn")).to_be_visible()


def test_the_menu_counts_along(opens: Callable[..., Page], town: Town) -> None:
    page = opens("tasks")
    count = page.locator("#menu a", has_text="Oppgaver").locator(".count")
    before = int(count.inner_text())
    with town.db.transaction(town.partner) as tx:
        console_sample.add_task(tx, town.portfolio.per, datetime.now(UTC), "contact_attempt")

    renewed(page)

    expect(count).to_have_text(str(before + 1))


def test_a_search_narrows_while_one_types_and_the_address_keeps_it(opens: Callable[..., Page]) -> None:
    page = opens("cases")

    page.keyboard.press("/")
    page.keyboard.type("amina")

    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.wait_for_url("**q=amina**")
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_filter_is_chosen_and_back_leads_to_the_list_before(opens: Callable[..., Page]) -> None:
    page = opens("cases")

    page.get_by_role("link", name="På vent 1").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.go_back()

    expect(page.locator("tbody tr")).not_to_have_count(1)


def test_choosing_all_counts_them_on_the_button(opens: Callable[..., Page], town: Town) -> None:
    page = opens("approvals")

    page.get_by_label("Velg alle").check()

    expect(page.get_by_role("button", name="Godkjenn valgte (1)")).to_be_visible()
    page.get_by_label("Velg Kari Nordmann").uncheck()
    expect(page.get_by_role("button", name="Godkjenn valgte", exact=True)).to_be_visible()


def test_everything_works_without_scripts(opens: Callable[..., Page]) -> None:
    page = opens("case-restored", java_script_enabled=False)

    page.get_by_role("link", name="Skriv notat").click()
    page.get_by_role("textbox", name="Notat").fill("Uten skript")
    page.get_by_role("button", name="Lagre notatet").click()

    expect(page.get_by_role("status").filter(has_text="Notatet er lagret")).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("Uten skript")
    page.get_by_role("link", name="Saker", exact=True).click()
    page.get_by_role("searchbox").fill("Hansen")
    page.get_by_role("button", name="Søk").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_the_account_sheet_opens_and_escape_closes_it(opens: Callable[..., Page]) -> None:
    page = opens("overview")

    page.locator("#account summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Logg ut")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("button", name="Logg ut")).to_be_hidden()


def test_the_first_tab_offers_to_skip_to_the_content(opens: Callable[..., Page]) -> None:
    page = opens("cases")

    page.keyboard.press("Tab")

    expect(page.get_by_role("link", name="Hopp til innholdet")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_a_page_that_is_out_of_reach_says_so_once_and_goes_on_by_itself(
    browser: Browser, cookies: list[dict[str, object]], town: Town
) -> None:
    context = browser.new_context(viewport=DESK, locale="nb-NO")  # type: ignore[arg-type]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(town.address("tasks"))
    context.set_offline(True)

    page.evaluate("htmx.trigger(document.body, 'tick')")

    expect(page.get_by_role("status").filter(has_text="Fikk ikke svar")).to_be_visible()
    context.set_offline(False)
    with town.db.transaction(town.partner) as tx:
        console_sample.add_task(tx, town.portfolio.per, datetime.now(UTC) - timedelta(days=9), "work_order")
    renewed(page)
    expect(page.locator("#live")).to_contain_text("Send montør")
    context.close()


def test_what_the_customer_would_be_told_is_reached_and_left_by_keyboard(opens: Callable[..., Page]) -> None:
    page = opens("case-limited")
    link = page.get_by_role("link", name="Slik kunden får det")
    link.focus()

    page.keyboard.press("Enter")
    page.wait_for_url("**told=customer**")
    told = page.get_by_role("article").filter(has_text="Dette kan du gjøre")
    expect(told).to_be_visible()
    expect(page.get_by_role("link", name="Slik kunden får det")).to_have_attribute("aria-current", "true")
    renewed(page)
    expect(told).to_be_visible()
    page.get_by_role("link", name="For deg").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#told")).to_contain_text("Dette stopper det")


def test_a_payment_is_placed_with_the_keyboard_alone(opens: Callable[..., Page], town: Town) -> None:
    page = opens("payments")
    page.get_by_role("link", name="Mor Hansen").focus()
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Plasser her").first
    button.focus()
    expect(button).to_have_accessible_description(re.compile("betaleren skrev"))

    page.keyboard.press("Enter")

    expect(page.get_by_text("Plassert. Den som har betalt")).to_be_visible()
