"""The console's door: who gets in, who is kept out, and where they land."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.web.console_sample import PASSWORD, Portfolio, add_user, join
from tests.web.console_visitor import Seen, SignIn, Visitor


@pytest.fixture
def visitor(site: str) -> Iterator[Visitor]:
    someone = Visitor(site)
    yield someone
    someone.browser.close()


@pytest.mark.parametrize("page", ["", "cases/", "cases/1/", "tasks/", "approvals/", "password/"])
def test_a_stranger_is_sent_to_the_door_and_sees_nothing(visitor: Visitor, page: str) -> None:
    seen = visitor.opens(page)

    assert seen.path == "/console/sign-in/"
    assert seen.has("Logg inn")
    assert not seen.has("Nordlys Kraft")


def test_who_signs_in_lands_on_the_page_that_was_asked_for(
    visitor: Visitor, owner: psycopg.Connection, partner: int
) -> None:
    name = add_user(owner, partner)
    door = visitor.opens("tasks/", due="urgent")

    landed = visitor.fills(door, "sign-in", login=name, password=PASSWORD)

    assert landed.response.url.raw_path == b"/console/tasks/?due=urgent"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/x", "/\\evil.example", "javascript:alert(1)", "evil.example"]
)
def test_the_way_on_never_leaves_the_site(
    visitor: Visitor, owner: psycopg.Connection, partner: int, elsewhere: str
) -> None:
    landed = visitor.signs_in(add_user(owner, partner), next=elsewhere)

    assert str(landed.response.url) == f"{visitor.browser.base_url}/console/"


def test_an_email_address_stands_for_its_user(visitor: Visitor, owner: psycopg.Connection, partner: int) -> None:
    name = add_user(owner, partner)

    landed = visitor.signs_in(f"{name.upper()}@NORDLYS.example")

    assert landed.path == "/console/"


def test_a_wrong_password_says_so_and_keeps_the_name(visitor: Visitor, owner: psycopg.Connection, partner: int) -> None:
    name = add_user(owner, partner)

    seen = visitor.signs_in(name, "feil")

    assert seen.status == 422
    assert seen.has("passordet stemmer ikke", f'value="{name}"')
    assert not seen.has("feil&quot;", 'value="feil"')


def test_five_wrong_passwords_rest_the_name_and_then_the_right_one_is_refused_too(
    visitor: Visitor, owner: psycopg.Connection, partner: int
) -> None:
    name = add_user(owner, partner)
    for _ in range(5):
        assert visitor.signs_in(name, "feil").status == 422

    seen = visitor.signs_in(name)

    assert seen.status == 429
    assert seen.has("For mange feil forsøk")


def test_a_quarter_of_an_hour_later_the_name_may_try_again(
    visitor: Visitor, owner: psycopg.Connection, partner: int
) -> None:
    name = add_user(owner, partner)
    for _ in range(5):
        visitor.signs_in(name, "feil")
    owner.execute("UPDATE sign_in_failure SET at = at - interval '16 minutes' WHERE login = %s", (name,))

    assert visitor.signs_in(name).path == "/console/"


def test_the_right_password_forgets_the_wrong_ones(visitor: Visitor, owner: psycopg.Connection, partner: int) -> None:
    name = add_user(owner, partner)
    for _ in range(4):
        visitor.signs_in(name, "feil")

    visitor.signs_in(name)

    assert owner.execute("SELECT count(*) FROM sign_in_failure WHERE login = %s", (name,)).fetchone() == (0,)


def test_a_name_that_does_not_exist_is_answered_like_one_that_does(visitor: Visitor) -> None:
    answers = [visitor.signs_in("ingen-slik", "feil").status for _ in range(6)]

    assert answers == [422, 422, 422, 422, 422, 429]


def test_a_closed_account_does_not_get_in(visitor: Visitor, owner: psycopg.Connection, partner: int) -> None:
    name = add_user(owner, partner)
    owner.execute("UPDATE auth_user SET is_active = false WHERE username = %s", (name,))

    assert visitor.signs_in(name).status == 422


def test_a_form_without_our_token_is_refused_in_words(
    visitor: Visitor, owner: psycopg.Connection, partner: int
) -> None:
    name = add_user(owner, partner)

    forged = Seen(visitor.browser.post("/console/sign-in/", data={"login": name, "password": PASSWORD}))

    assert forged.status == 403
    assert forged.has("Siden er for gammel")
    assert visitor.opens("").path == "/console/sign-in/"


def test_who_belongs_to_no_partner_is_told_whom_to_ask(visitor: Visitor, owner: psycopg.Connection) -> None:
    seen = visitor.signs_in(add_user(owner, None))

    assert seen.status == 403
    assert seen.has("ikke knyttet til noe selskap", "Logg ut")


def test_a_membership_that_is_taken_away_closes_the_door_at_the_next_page(
    seat: SignIn, owner: psycopg.Connection, partner: int, portfolio: Portfolio
) -> None:
    agent = seat("agent")
    assert agent.opens(f"cases/{portfolio.kari}/").status == 200

    owner.execute("DELETE FROM membership WHERE partner_id = %s", (partner,))

    assert agent.opens(f"cases/{portfolio.kari}/").status == 403


def test_signing_out_ends_the_session(seat: SignIn) -> None:
    agent = seat("agent")

    gone = agent.fills(agent.opens(""), "sign-out")

    assert gone.has("Du er logget ut")
    assert agent.opens("").path == "/console/sign-in/"


def test_a_link_cannot_sign_anybody_out(seat: SignIn) -> None:
    agent = seat("agent")

    assert agent.opens("sign-out/").status == 405
    assert agent.opens("").path == "/console/"


def test_a_user_of_two_partners_works_at_one_at_a_time(
    visitor: Visitor, owner: psycopg.Connection, partner: int, other_partner: int, portfolio: Portfolio
) -> None:
    name = add_user(owner, partner, "manager")
    join(owner, name, other_partner, "reader")
    owner.execute("UPDATE partner SET name = 'Østavind Nett' WHERE id = %s", (other_partner,))
    visitor.signs_in(name)
    assert visitor.opens("cases/", q="").has("Kari Nordmann")

    moved = visitor.fills(visitor.opens(""), "partner", partner=str(other_partner))

    assert moved.has("Østavind Nett", "Leser")
    assert not visitor.opens("cases/", q="").has("Kari Nordmann")
    assert visitor.opens(f"cases/{portfolio.kari}/").status == 404


def test_nobody_switches_to_a_partner_that_is_not_theirs(
    seat: SignIn, owner: psycopg.Connection, other_partner: int
) -> None:
    owner.execute("UPDATE partner SET name = 'Østavind Nett' WHERE id = %s", (other_partner,))
    agent = seat("agent")

    seen = agent.sends("partner/", partner=str(other_partner))

    assert seen.has("Nordlys Kraft")
    assert not seen.has("Østavind Nett")


def test_the_reader_chooses_the_language_and_keeps_it_through_sign_in(
    visitor: Visitor, owner: psycopg.Connection, partner: int
) -> None:
    name = add_user(owner, partner)
    door = visitor.fills(visitor.opens("sign-in/"), "language", language="en")

    landed = visitor.fills(door, "sign-in", login=name, password=PASSWORD)

    assert landed.has('<html lang="en"', "Overview")


def test_the_language_stays_when_one_signs_out(seat: SignIn) -> None:
    agent = seat("agent")
    page = agent.fills(agent.opens(""), "language", language="en")

    assert agent.fills(page, "sign-out").has('<html lang="en"', "You have signed out")


def test_strangers_leave_no_sessions_behind(visitor: Visitor, owner: psycopg.Connection) -> None:
    door = visitor.opens("sign-in/")
    before = sessions(owner)

    for language in ("en", "nb", "xx"):
        visitor.fills(door, "language", language=language)
    visitor.signs_in("ingen-til", "feil")
    visitor.browser.post("/console/sign-out/", data=door.form("sign-in").fields, follow_redirects=False)

    assert sessions(owner) == before
    assert "messages" not in visitor.browser.cookies  # what no cookie holds any more would go into a session


def sessions(owner: psycopg.Connection) -> int:
    found = owner.execute("SELECT count(*) FROM django_session").fetchone()
    assert found
    return found[0]


def test_the_language_is_kept_as_safely_as_other_cookies(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, site: str
) -> None:
    from django.conf import settings

    form = visitor.opens("sign-in/").form("language")
    monkeypatch.setattr(settings, "SESSION_COOKIE_SECURE", True)

    sent = visitor.browser.post(form.action, data={**form.fields, "language": "en"}, follow_redirects=False)

    told = next(one for one in sent.headers.get_list("Set-Cookie") if one.startswith("console_language=en;"))
    assert {"HttpOnly", "Path=/console/", "SameSite=Lax", "Secure"} <= set(told.split("; "))


def test_a_language_that_there_is_not_is_not_kept(visitor: Visitor) -> None:
    visitor.browser.cookies.set("console_language", "../xx", path="/console/")

    door = visitor.fills(visitor.opens("sign-in/"), "language", language="xx")

    assert door.has('<html lang="nb"')


def test_a_new_password_ends_other_sessions_and_keeps_this_one(
    site: str, seat: SignIn, owner: psycopg.Connection, partner: int, visitor: Visitor
) -> None:
    name = add_user(owner, partner)
    elsewhere = Visitor(site)
    elsewhere.signs_in(name)
    visitor.signs_in(name)
    new = "en helt ny setning til deg"

    changed = visitor.fills(visitor.opens("password/"), "password", old=PASSWORD, new=new, again=new)

    assert changed.has("Passordet er byttet")
    assert visitor.opens("tasks/").path == "/console/tasks/"
    assert elsewhere.opens("tasks/").path == "/console/sign-in/"
    elsewhere.browser.close()


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("galt", "en helt ny setning", "en helt ny setning", "nåværende passordet stemmer ikke"),
        (PASSWORD, "en helt ny setning", "en helt annen", "ikke like"),
        (PASSWORD, "kort", "kort", "for kort eller for vanlig"),
        (PASSWORD, "qwertyuiop12", "qwertyuiop12", "for kort eller for vanlig"),
    ],
    ids=["wrong-old", "differs", "short", "common"],
)
def test_a_password_that_will_not_do_is_refused_and_nothing_changes(
    seat: SignIn, old: str, new: str, again: str, said: str
) -> None:
    agent = seat("agent")

    seen = agent.fills(agent.opens("password/"), "password", old=old, new=new, again=again)

    assert seen.status == 422
    assert seen.has(said, 'aria-invalid="true"')


def test_pages_are_not_kept_by_caches_nor_framed_nor_given_to_other_sites(seat: SignIn) -> None:
    headers = seat("agent").opens("").response.headers

    assert headers["Cache-Control"] == "private, no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"


def test_scripts_and_styles_that_pages_name_are_served(seat: SignIn, site: str) -> None:
    agent = seat("agent")
    page = agent.opens("")

    named = [one for one in page.links("/static/") if "icons" not in one] + [
        one.split('"')[0] for one in page.html.split('<script src="')[1:]
    ]

    assert any("htmx" in one for one in named)
    for one in named:
        assert agent.browser.get(one).status_code == 200, one
