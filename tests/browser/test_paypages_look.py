"""The pay pages in a real browser: readable by everyone, usable without JavaScript, working under their own CSP."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from relight.flow.messages.context import LANGUAGES, Brand
from relight.web.paypages.contexts import Stage
from relight.web.paypages.render import content_security_policy, render_page, status_json

sys.path.insert(0, str(Path(__file__).parent))
import samples

pytestmark = pytest.mark.counterpart

CHROMIUM = Path("/usr/bin/chromium")
SITE = "http://pay.test"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
SERIOUS = {"serious", "critical"}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is missing: run `make counterparts` (Debian package chromium)"
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield started
        started.close()


@contextmanager
def opened(browser: Browser, html: str, **options: object) -> Iterator[Page]:
    """A page that holds `html`, served with the headers that the product sends; the console must stay silent."""
    complaints: list[str] = []
    context = browser.new_context(**{"viewport": PHONE, **options})
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route(f"{SITE}/**", lambda route: serve(route, html))
    page.goto(f"{SITE}/p/Xq3fKz7T", wait_until="load")
    yield page
    context.close()
    assert complaints == []


def serve(route: Route, html: str) -> None:
    policy = content_security_policy(samples.NONCE)
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": policy}
    if route.request.url.endswith("/favicon.ico"):
        route.fulfill(status=204)
    else:
        route.fulfill(body=html, headers=headers)


def overflow(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


ALL_NB = [pytest.param(sample, id=sample.name) for sample in samples.in_language("nb")]
KEY_PAGES = [
    pytest.param(sample, id=f"{sample.name}-{language}")
    for language, sample in samples.gallery(tuple(language for language in LANGUAGES if language != "nb"))
    if sample.page in ("pay", "status")
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sample", ALL_NB)
def test_axe_finds_nothing_serious(browser: Browser, sample: samples.Sample, scheme: str) -> None:
    # axe injects its own script, which the page's policy would rightly stop.
    with opened(browser, sample.html, color_scheme=scheme, bypass_csp=True) as page:
        found = Axe().run(page, options={"runOnly": TAGS}).response["violations"]

    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == []


@pytest.mark.parametrize("sample", KEY_PAGES)
def test_axe_finds_nothing_serious_in_the_other_languages(browser: Browser, sample: samples.Sample) -> None:
    with opened(browser, sample.html, bypass_csp=True) as page:
        found = Axe().run(page, options={"runOnly": TAGS}).response["violations"]

    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == []


@pytest.mark.parametrize("size", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "390", "1280"])
@pytest.mark.parametrize("sample", ALL_NB)
def test_nothing_sticks_out_at_any_width(browser: Browser, sample: samples.Sample, size: dict[str, int]) -> None:
    with opened(browser, sample.html, viewport=size) as page:
        assert overflow(page) <= 0


@pytest.mark.parametrize("colour", ["#ffe600", "#ffffff", "#000000", "#e4002b"])
def test_a_pale_or_loud_brand_is_still_readable(browser: Browser, colour: str) -> None:
    brand = Brand("Solkraft", "solkraft.no", "55 00 00 00", colour=colour)
    html = render_page("pay", samples.pay(shell=samples.shell(brand=brand)))

    with opened(browser, html, bypass_csp=True) as page:
        found = Axe().run(page, options={"runOnly": ["wcag2aa", "wcag22aa"]}).response["violations"]

    assert [one["id"] for one in found if one["impact"] in SERIOUS] == []


def test_the_way_to_pay_is_seen_at_once_on_a_phone(browser: Browser) -> None:
    with opened(browser, samples.Sample("pay", "pay", samples.pay()).html) as page:
        first = page.get_by_role("button", name="Kort", exact=True).bounding_box()

    assert first is not None
    assert first["y"] + first["height"] < PHONE["height"]
    assert first["height"] >= 44


def test_the_customer_pays_by_keyboard_and_without_javascript(browser: Browser) -> None:
    html = samples.Sample("pay", "pay", samples.pay()).html

    with opened(browser, html, java_script_enabled=False) as page:
        page.get_by_role("button", name="Vipps").focus()
        with page.expect_request(lambda request: request.method == "POST") as sent:
            page.keyboard.press("Enter")

    assert sent.value.url == f"{SITE}/p/Xq3fKz7T/pay"
    assert sent.value.post_data == "csrfmiddlewaretoken=token&way=vipps"


def test_without_javascript_no_dead_copy_buttons_show_and_not_me_still_opens(browser: Browser) -> None:
    html = samples.Sample("pay", "pay", samples.pay()).html

    with opened(browser, html, java_script_enabled=False) as page:
        expect(page.locator(".copy").first).to_be_hidden()
        page.get_by_text("Er dette ikke deg?").click()
        expect(page.get_by_role("button", name="Dette er ikke meg")).to_be_visible()


def test_copying_the_account_number_says_so(browser: Browser) -> None:
    html = samples.Sample("pay", "pay", samples.pay()).html
    fake = """Object.defineProperty(navigator, "clipboard", {value: {writeText: text => {
        window.copied = text; return Promise.resolve(); }}});"""

    # An insecure origin has no clipboard; the browser's own is replaced so that what is copied can be seen.
    context = browser.new_context(viewport=PHONE)
    context.add_init_script(fake)
    page = context.new_page()
    page.route(f"{SITE}/**", lambda route: serve(route, html))
    page.goto(f"{SITE}/p/Xq3fKz7T")
    page.get_by_role("button", name="Kopier Konto").click()

    expect(page.locator("#copied")).to_have_text("Kopiert")
    assert page.evaluate("window.copied") == "1503.22.33445"
    context.close()


def test_who_waits_sees_the_light_come_on_without_touching_anything(browser: Browser) -> None:
    journey = [Stage.PAID, Stage.RESTORING, Stage.RESTORING, Stage.READY, Stage.ONLINE]
    now = {"at": 0}

    def answer(route: Route) -> None:
        here = samples.status("nb", journey[now["at"]])
        if route.request.url.endswith("status.json"):
            now["at"] = min(now["at"] + 1, len(journey) - 1)
            told = status_json(samples.status("nb", journey[now["at"]]))
            route.fulfill(body=json.dumps(told), headers={"content-type": "application/json"})
        else:
            serve(route, render_page("status", here))

    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.clock.install()
    page.route(f"{SITE}/**", answer)
    page.goto(f"{SITE}/p/Xq3fKz7T/status")
    expect(page.get_by_role("heading", level=1)).to_have_text("Takk, vi har fått betalingen")

    for heading in ("Vi åpner strømmen nå", "Trykk på knappen på måleren", "Strømmen er tilbake"):
        page.clock.run_for(2_000)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.locator("#live")).to_contain_text("Det tok 8 sekunder")
    assert page.title() == "Strømmen er tilbake – Fjordnett"
    context.close()


def test_who_waits_without_javascript_gets_a_page_that_refreshes_itself(browser: Browser) -> None:
    waiting = samples.Sample("status", "status", samples.status("nb", Stage.RESTORING)).html
    done = samples.Sample("status", "status", samples.status("nb", Stage.ONLINE)).html
    answers = iter([waiting])

    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.route(f"{SITE}/**", lambda route: serve(route, next(answers, done)))
    page.goto(f"{SITE}/p/Xq3fKz7T/status")

    expect(page.get_by_role("heading", level=1)).to_have_text("Strømmen er tilbake", timeout=10_000)
    context.close()
