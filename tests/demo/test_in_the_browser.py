"""The demo in the browser: Kari follows the link in her SMS, pays, and light comes back; by real web and workers."""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from relight.project import embedded, roles
from tests.demo.conftest import SECONDS_MAX, YOUR_TURN, Playing, relight

pytestmark = pytest.mark.counterpart

CHROMIUM = Path("/usr/bin/chromium")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
SERIOUS = {"serious", "critical"}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LIGHT_WITHIN_MS = 60_000
PAGES = ["/demo/", "/demo/households/", "/demo/households/100000/", "/demo/devices/"]


@pytest.fixture(scope="module")
def demo(play: Callable[..., Playing]) -> Playing:
    """A small demo whose days have gone by."""
    playing = play("--accounts", "12", "--days", "75", "--seed", "7")
    playing.wait_until_it_says(YOUR_TURN)
    return playing


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is missing: run `make counterparts` (Debian package chromium)"
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield started
        started.close()


@contextmanager
def at(browser: Browser, address: str, **options: object) -> Iterator[tuple[BrowserContext, Page]]:
    """A page of its own; its scripts must not fail."""
    complaints: list[str] = []
    context = browser.new_context(**{"viewport": DESK, **options})
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    yield context, page
    context.close()
    assert complaints == []


def opted_out(home: Path) -> list[tuple[str, str]]:
    """The contact points that somebody does not want to be written to any more."""
    with embedded.server(home) as server, psycopg.connect(server.url(roles.OWNER)) as owner:
        return owner.execute(
            "SELECT channel, value FROM relight.contact_point WHERE ended_because = 'opted_out'"
            " AND ends_at > now() - interval '1 hour'"
        ).fetchall()


def until(condition: Callable[[], list[tuple[str, str]]], what: str) -> list[tuple[str, str]]:
    """Look again and again until there is something."""
    deadline = time.monotonic() + LIGHT_WITHIN_MS / 1000
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(demo: Playing, browser: Browser, path: str, scheme: str) -> None:
    # axe injects its own script, which the page's policy would rightly stop.
    with at(browser, demo.site + path, color_scheme=scheme, bypass_csp=True) as (_, page):
        found = Axe().run(page, options={"runOnly": TAGS}).response["violations"]

    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == []


@pytest.mark.parametrize("size", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "390", "1280"])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_sticks_out_at_any_width(demo: Playing, browser: Browser, path: str, size: dict[str, int]) -> None:
    with at(browser, demo.site + path, viewport=size) as (_, page):
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_kari_pays_by_the_link_in_her_sms_and_sees_the_light_come_back(demo: Playing, browser: Browser) -> None:
    with at(browser, f"{demo.site}/demo/") as (context, home):
        power = home.locator("[data-device^='7070575']")
        broadband = home.locator("[data-device^='F']")
        expect(power).to_have_attribute("data-level", "off")
        expect(broadband).to_have_attribute("data-level", re.compile("walled_garden|off"))

        with context.expect_page() as opened:
            home.locator(".newest a").click()
        pay = opened.value
        pay.get_by_role("button", name="Testbetaling").click()
        pay.wait_for_url("**/testpay/**")
        pay.locator("button[value=paid]").click()

        expect(broadband).to_have_attribute("data-level", "full", timeout=LIGHT_WITHIN_MS)
        expect(power).to_have_attribute("data-level", "ready", timeout=LIGHT_WITHIN_MS)
        expect(pay.get_by_role("heading", level=1)).to_have_text("Trykk på knappen på måleren", timeout=LIGHT_WITHIN_MS)

        home.get_by_role("button", name="Press the button on the meter").click()

        expect(power).to_have_attribute("data-level", "full", timeout=LIGHT_WITHIN_MS)
        expect(home.get_by_role("heading", level=1)).to_have_text("Kari has light", timeout=LIGHT_WITHIN_MS)
        expect(pay.get_by_role("heading", level=1)).to_contain_text("er tilbake", timeout=LIGHT_WITHIN_MS)
        expect(home.locator(".newest")).to_contain_text("Strømmen er tilbake", timeout=LIGHT_WITHIN_MS)


def test_the_console_opens_with_the_password_that_the_page_shows(demo: Playing, browser: Browser) -> None:
    said = demo.wait_until_it_says("password").split()[-1]

    with at(browser, f"{demo.site}/demo/") as (_, page):
        user, shown = page.locator("dd code").all_inner_texts()
        page.get_by_role("link", name="Open the console").click()
        page.locator("input[type=password]").fill(shown)
        page.locator("input[name=login]").fill(user)
        page.keyboard.press("Enter")
        expect(page.locator("header .who")).to_contain_text("Nordlys")

    assert shown == said


def test_who_answers_stop_is_heard_and_gets_no_more_sms(demo: Playing, browser: Browser) -> None:
    with at(browser, f"{demo.site}/demo/households/100000/") as (_, page):
        page.get_by_label("Answer by SMS").fill("STOPP")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".own")).to_contain_text("STOPP")

        heard = until(lambda: opted_out(demo.home), "the opt-out is on record")

    assert heard == [("sms", "+4719000000")]


def test_the_audit_finds_nothing_wrong_with_the_days_nor_with_karis_evening(demo: Playing) -> None:
    done = relight(demo.home, "audit", "--partner", "demo", "--json")

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["violations"] == []
    assert all(found["checked"].values())


def test_a_second_demo_in_the_same_home_is_refused(demo: Playing) -> None:
    done = relight(demo.home, "demo", "--accounts", "1", "--days", "1", "--exit")

    assert done.returncode == 1
    assert "A demo runs in this installation already" in done.stderr


def test_ctrl_c_ends_everything_and_leaves_nothing_behind(demo: Playing) -> None:
    port = urlsplit(demo.site).port
    assert port is not None

    assert demo.left_behind()

    code = demo.press_ctrl_c()

    assert code == 0
    assert demo.left_behind() == []
    assert not embedded.is_running(demo.home)
    with socket.socket() as free:
        assert free.connect_ex(("127.0.0.1", port)) != 0


def test_ctrl_c_while_the_days_go_by_ends_everything_too(play: Callable[..., Playing]) -> None:
    playing = play("--accounts", "40", "--days", "60")
    playing.wait_until_it_says("in arrears")

    code = playing.press_ctrl_c()

    assert code != 0
    assert playing.left_behind() == []
    assert not embedded.is_running(playing.home)
    assert not any("Traceback" in line for line in playing.said)


def test_a_closed_terminal_ends_everything_too(play: Callable[..., Playing]) -> None:
    playing = play("--accounts", "4", "--days", "1")
    playing.wait_until_it_says(YOUR_TURN)

    os.kill(playing.process.pid, signal.SIGHUP)
    playing.process.wait(SECONDS_MAX)

    assert playing.left_behind() == []
