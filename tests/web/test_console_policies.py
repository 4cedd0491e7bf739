"""The policies at the console: what is in force for how many, who decided what, and the share changed by who may."""

from typing import Any

import psycopg
import pytest

from relight.core.policy_reader import packaged_text
from relight.flow.cases.drafts import acts
from relight.flow.cases.opening import open_cases
from relight.flow.cases.people import operator
from relight.flow.cases.policies import lines
from relight.flow.database import Database
from relight.flow.road.publishing import keep_check, publish_at_once
from tests.flow import factories
from tests.web.console_visitor import SignIn

FIRST = packaged_text("broadband-no")
SECOND = FIRST.replace("max_per_7_days: 5", "max_per_7_days: 4")
PAGE = "policies/broadband-no/"


@pytest.fixture
def published(db: Database, partner: int) -> None:
    """Two versions, of which the second is tried on a tenth of new cases; seven cases run."""
    now = db.clock()
    with db.transaction(partner) as tx:
        publish_at_once(tx, FIRST, by=operator("root", "Bente"), now=now)
        accounts = [factories.make_account(tx, now) for _ in range(7)]
        for account in accounts:
            factories.make_claim(tx, account, now)
        open_cases(tx, [account.id for account in accounts], now)
        publish_at_once(tx, SECOND, by=operator("root", "Kari"), now=now, share=10, cap=50)


def rolled_out(db: Database, partner: int) -> dict[int, tuple[int, int | None, bool]]:
    """Share, cap and whether it is in force, by version."""
    with db.transaction(partner) as tx:
        found = [one.at for one in lines(tx, "broadband-no")]
    return {at.version: (at.share, at.cap, at.retired_at is None) for at in found}


def test_versions_are_listed_with_share_running_cases_and_who_published_them(seat: SignIn, published: None) -> None:
    seen = seat("reader").opens("policies/")

    assert seen.rows == 2
    assert seen.has("broadband-no", "Versjon 2", "Prøves", "10 av 100", "0 av høyst 50", "av Kari (operator root)")
    assert seen.has("Versjon 1", "Resten av nye saker", "90 av 100", "av Bente (operator root)")
    assert ">7<" in seen.html.replace(" ", "").replace("\n", "")


def test_a_draft_is_listed_with_how_far_it_has_come(seat: SignIn, db: Database, partner: int) -> None:
    with db.transaction(partner) as tx:
        keep_check(tx, FIRST, by=operator("root", "Bente"), now=db.clock())

    seen = seat("agent").opens("policies/")

    assert seen.has("Utkast", "broadband-no", "Kontrollert", "av Bente (operator root)", "Ingen regler ennå")


def test_one_policy_shows_its_steps_its_proof_and_its_history(seat: SignIn, published: None) -> None:
    visitor = seat("agent")

    seen = visitor.opens(PAGE)
    drawn = visitor.opens(f"{PAGE}2.svg")

    assert seen.has("Bevist: 3 veier", "Versjon 2 publisert for 10 av 100 nye saker, høyst 50 løpende")
    assert seen.has("Simulert på 60 kunder over 120 dager", "Kontrollert: 3 veier")
    assert f'src="/console/{PAGE}2.svg"' in seen.html
    assert drawn.response.headers["Content-Type"] == "image/svg+xml"
    assert "default-src 'none'" in drawn.response.headers["Content-Security-Policy"]
    assert "<title" in drawn.html


def test_a_manager_gives_it_all_and_is_on_record(seat: SignIn, db: Database, partner: int, published: None) -> None:
    manager = seat("manager")

    seen = manager.fills(manager.opens(f"{PAGE}share/"), "share", share="100", cap="")

    assert seen.path == f"/console/{PAGE}"
    assert seen.has("Versjon 2 får 100 av 100 nye saker", "Versjon 2 får 100 av 100 nye saker (før 10)")
    assert rolled_out(db, partner) == {2: (100, None, True), 1: (100, None, False)}
    with db.transaction(partner) as tx:
        assert acts(tx, "broadband-no")[0].actor.startswith("manager-")


def test_nothing_gives_all_back_to_the_version_before(
    seat: SignIn, db: Database, partner: int, published: None
) -> None:
    manager = seat("manager")
    manager.fills(manager.opens(f"{PAGE}share/"), "share", share="100")

    manager.fills(manager.opens(f"{PAGE}share/"), "share", share="0")

    assert rolled_out(db, partner)[1] == (100, None, True)
    assert rolled_out(db, partner)[2][2] is False


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"share": "101"}, 422, "Skriv et helt tall fra 0 til 100."),
        ({"share": "-1"}, 422, "Skriv et helt tall fra 0 til 100."),
        ({"share": "ti"}, 422, "Skriv et helt tall fra 0 til 100."),
        ({"cap": "0"}, 422, "Skriv et helt tall på minst 1"),
        ({"share": "100", "cap": "3"}, 409, "Det blir 7 saker, og taket er 3."),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_at_the_form_and_changes_nothing(
    seat: SignIn, db: Database, partner: int, published: None, typed: dict[str, Any], status: int, said: str
) -> None:
    manager = seat("manager")

    seen = manager.fills(manager.opens(f"{PAGE}share/"), "share", **typed)

    assert seen.status == status
    assert seen.has(said)
    assert rolled_out(db, partner)[2] == (10, 50, True)


def test_who_saw_an_older_share_looks_again(seat: SignIn, db: Database, partner: int, published: None) -> None:
    first, second = seat("manager"), seat("manager")
    page = second.opens(f"{PAGE}share/")
    first.fills(first.opens(f"{PAGE}share/"), "share", share="30")

    seen = second.fills(page, "share", share="60")

    assert seen.status == 409
    assert seen.has("Noen har endret disse reglene i mellomtiden")
    assert rolled_out(db, partner)[2][0] == 30


@pytest.mark.parametrize("role", ["reader", "agent"])
def test_others_see_and_change_nothing(seat: SignIn, db: Database, partner: int, published: None, role: str) -> None:
    visitor = seat(role)

    listed, form = visitor.opens("policies/"), visitor.opens(f"{PAGE}share/")

    assert "Endre andelen" not in listed.html
    assert form.status == 403
    assert rolled_out(db, partner)[2] == (10, 50, True)


def test_another_partners_policies_are_not_there(
    seat: SignIn, owner: psycopg.Connection, other_partner: int, published: None
) -> None:
    stranger = seat("manager", at=other_partner)

    assert "broadband-no" not in stranger.opens("policies/").html
    assert [stranger.opens(path).status for path in (PAGE, f"{PAGE}share/", f"{PAGE}2.svg")] == [404, 404, 404]


def test_in_english_the_history_is_english(
    seat: SignIn, owner: psycopg.Connection, partner: int, published: None
) -> None:
    visitor = seat("agent")
    page = visitor.opens(PAGE)

    seen = visitor.fills(page, "language", language="en")

    assert visitor.opens(PAGE).has("Proved: 3 ways through it", "Version 2 published for 10 of 100 new cases")
    assert seen.status == 200
