"""What people do to cases: by their role, recorded with their name, and never on a case that they have not seen."""

import re
from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.database import Database
from tests.web import console_sample
from tests.web.console_sample import Portfolio
from tests.web.console_visitor import Seen, SignIn, Visitor


def log_of(db: Database, partner: int, case_id: int) -> list[tuple[str, str]]:
    with db.transaction(partner) as tx:
        return [
            (code, actor)
            for code, actor in tx.rows(
                "SELECT code, actor FROM case_event WHERE case_id = %(case)s ORDER BY number", {"case": case_id}
            )
        ]


def approval_of(db: Database, partner: int, case_id: int) -> tuple[int, str, list[str]]:
    with db.transaction(partner) as tx:
        found = tx.row(
            "SELECT id, state, decided_by FROM approval WHERE case_id = %(case)s ORDER BY id DESC", {"case": case_id}
        )
    assert found
    return found


def wakes_now(db: Database, partner: int, case_id: int, now: datetime) -> bool:
    with db.transaction(partner) as tx:
        found = tx.row("SELECT wakes_at, lane FROM dunning_case WHERE id = %(case)s", {"case": case_id})
    assert found
    return found[0] < now + timedelta(hours=1) and found[1] == "urgent"


def approve_page(visitor: Visitor, db: Database, partner: int, case_id: int, **query: str) -> Seen:
    return visitor.opens(f"cases/{case_id}/approvals/{approval_of(db, partner, case_id)[0]}/", **query)


# -- holds


def test_an_agent_puts_a_case_on_hold_to_the_end_of_a_day_and_the_case_thinks_at_once(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    agent = seat("agent")
    until = (now + timedelta(days=7)).date().isoformat()

    seen = agent.fills(
        agent.opens(f"cases/{portfolio.kari}/hold/"), "hold", reason="promise", until=until, note="Lovet til fredag"
    )

    assert seen.path == f"/console/cases/{portfolio.kari}/"
    assert seen.has("Saken er satt på vent.", "Lovet å betale", "Lovet til fredag")
    assert log_of(db, partner, portfolio.kari)[-1] == (
        "hold_placed",
        next(iter(re.findall(r"Satt av ([\w-]+)", seen.html))),
    )
    assert wakes_now(db, partner, portfolio.kari, now)


def test_a_protecting_hold_has_no_end_but_a_day_to_look_again(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    agent = seat("agent")
    until = (now + timedelta(days=30)).date()

    agent.fills(
        agent.opens(f"cases/{portfolio.kari}/hold/"), "hold", reason="deceased", until=until.isoformat(), protective="1"
    )

    with db.transaction(partner) as tx:
        found = tx.row("SELECT ends_at, review_date, protective FROM hold WHERE case_id = %(c)s", {"c": portfolio.kari})
    assert found == (None, until, True)


@pytest.mark.parametrize("reason", ["deceased", "medical", "complaint", "dispute"])
def test_a_hold_that_must_protect_protects_even_when_nobody_ticked_it(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime, reason: str
) -> None:
    agent = seat("agent")
    page = agent.opens(f"cases/{portfolio.kari}/hold/")
    claim = re.findall(r'<option value="(\d+)"', page.html)[0]

    agent.fills(page, "hold", reason=reason, until=(now + timedelta(days=5)).date().isoformat(), claim=claim)

    with db.transaction(partner) as tx:
        found = tx.row("SELECT ends_at, protective FROM hold WHERE case_id = %(c)s", {"c": portfolio.kari})
    assert found == (None, True)


def test_a_protecting_hold_without_a_day_is_looked_at_again_in_a_month(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    agent = seat("agent")

    seen = agent.fills(agent.opens(f"cases/{portfolio.kari}/hold/"), "hold", reason="medical")

    with db.transaction(partner) as tx:
        review = tx.value("SELECT review_date FROM hold WHERE case_id = %(c)s", {"c": portfolio.kari})
    assert timedelta(days=29) <= review - now.date() <= timedelta(days=31)
    assert seen.has("ses på igjen", "avsluttes ikke av seg selv")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reason": "boredom"}, "Velg en årsak"),
        ({"reason": "promise", "until": "2020-01-01"}, "Velg en dato fra i dag"),
        ({"reason": "promise", "until": "i morgen"}, "Velg en dato fra i dag"),
        ({"reason": "promise", "until": "9999-12-31"}, "Velg en dato fra i dag"),
        ({"reason": "dispute", "claim": ""}, "En innsigelse gjelder en faktura"),
        ({"reason": "dispute", "claim": "999999"}, "En innsigelse gjelder en faktura"),
        ({"reason": "promise", "claim": "1' OR 1=1"}, "En innsigelse gjelder en faktura"),
    ],
    ids=str,
)
def test_a_hold_that_makes_no_sense_is_given_back_with_what_was_typed(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, typed: dict[str, str], said: str
) -> None:
    agent = seat("agent")
    before = log_of(db, partner, portfolio.kari)

    seen = agent.fills(agent.opens(f"cases/{portfolio.kari}/hold/"), "hold", note="behold dette", **typed)

    assert seen.status == 422
    assert seen.has(said, "behold dette", 'aria-invalid="true"')
    assert log_of(db, partner, portfolio.kari) == before


def test_ending_a_hold_lets_the_case_go_on(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    agent = seat("agent")
    page = agent.opens(f"cases/{portfolio.amina}/")
    form = agent.browser.get(page.links("/end/")[0])

    seen = agent.fills(Seen(form), "/end/", note="Har fått avtale")

    assert seen.has("Ventingen er avsluttet", "Har fått avtale")
    assert log_of(db, partner, portfolio.amina)[-1][0] == "hold_ended"
    assert wakes_now(db, partner, portfolio.amina, now)


def test_ending_a_hold_that_somebody_has_ended_says_so_and_writes_nothing(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio
) -> None:
    first, second = seat("agent"), seat("agent")
    address = first.opens(f"cases/{portfolio.amina}/").links("/end/")[0]
    both = [Seen(visitor.browser.get(address)) for visitor in (first, second)]
    first.fills(both[0], "/end/")
    before = log_of(db, partner, portfolio.amina)

    seen = second.fills(both[1], "/end/")

    assert seen.has("allerede gjort av noen andre")
    assert log_of(db, partner, portfolio.amina) == before


def test_a_closed_case_cannot_be_put_on_hold(seat: SignIn, db: Database, partner: int, portfolio: Portfolio) -> None:
    agent = seat("agent")

    seen = agent.sends(f"cases/{portfolio.lars}/hold/", reason="promise")

    assert seen.has("kan ikke settes på vent")
    assert log_of(db, partner, portfolio.lars)[-1][0] == "closed"


# -- notes


def test_a_note_stands_on_the_timeline_with_its_author(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio
) -> None:
    agent = seat("agent")

    seen = agent.fills(
        agent.opens(f"cases/{portfolio.kari}/note/"), "note", note="Ringte; <b>svarte ikke</b>. Prøver i morgen."
    )

    assert seen.has("Notatet er lagret", "Ringte; &lt;b&gt;svarte ikke&lt;/b&gt;. Prøver i morgen.")
    code, actor = log_of(db, partner, portfolio.kari)[-1]
    assert code == "note"
    assert actor.startswith("agent-")


def test_an_empty_note_is_not_kept(seat: SignIn, portfolio: Portfolio) -> None:
    agent = seat("agent")

    seen = agent.fills(agent.opens(f"cases/{portfolio.kari}/note/"), "note", note="   ")

    assert seen.status == 422
    assert seen.has("Skriv noe først")


# -- approvals


def test_a_manager_approves_the_cut_and_the_case_thinks_at_once(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    manager = seat("manager")
    page = approve_page(manager, db, partner, portfolio.kari)
    assert page.has("bredbånd", "Kari Nordmann", "899,00 kr", "Betaler kunden før")

    seen = manager.fills(page, "approvals", note="Sett på alt")

    assert seen.has("Godkjent.", "Stenging er godkjent")
    assert approval_of(db, partner, portfolio.kari)[1] == "granted"
    assert wakes_now(db, partner, portfolio.kari, now)
    assert not seen.has("Godkjenn neste steg")


def test_a_manager_refuses_the_cut_with_a_reason(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio
) -> None:
    manager = seat("manager")

    seen = manager.fills(approve_page(manager, db, partner, portfolio.kari, answer="no"), "approvals", note="For kaldt")

    assert seen.has("Avslått.", "Stenging er avslått", "For kaldt")
    assert approval_of(db, partner, portfolio.kari)[1] == "refused"


@pytest.mark.parametrize("role", ["reader", "agent"])
def test_only_managers_approve(seat: SignIn, db: Database, partner: int, portfolio: Portfolio, role: str) -> None:
    visitor = seat(role)
    approval_id = approval_of(db, partner, portfolio.kari)[0]

    page = visitor.opens(f"cases/{portfolio.kari}/approvals/{approval_id}/")
    sent = visitor.sends(f"cases/{portfolio.kari}/approvals/{approval_id}/", version="99", answer="yes")
    several = visitor.sends("approvals/approve/", chosen=f"{approval_id}:99", sure="1")

    assert (page.status, sent.status, several.status) == (403, 403, 403)
    assert page.has("Rollen din gir ikke tilgang")
    assert approval_of(db, partner, portfolio.kari)[1] == "requested"


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("reader", "cases/{kari}/hold/"),
        ("reader", "cases/{kari}/note/"),
        ("agent", "cases/{kari}/steps/2/void/"),
        ("reader", "cases/{kari}/steps/2/void/"),
    ],
)
def test_acts_beyond_ones_role_are_refused_in_words_and_write_nothing(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, role: str, path: str
) -> None:
    visitor = seat(role)
    before = log_of(db, partner, portfolio.kari)

    seen = visitor.sends(path.format(kari=portfolio.kari), reason="promise", note="x", sure="1")

    assert seen.status == 403
    assert seen.has("Rollen din gir ikke tilgang")
    assert log_of(db, partner, portfolio.kari) == before


def test_who_asked_cannot_approve(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, owner: psycopg.Connection
) -> None:
    manager = seat("manager")
    page = approve_page(manager, db, partner, portfolio.kari)
    name = owner.execute(
        "SELECT username FROM auth_user u JOIN membership m ON m.user_id = u.id WHERE m.partner_id = %s", (partner,)
    ).fetchone()
    assert name
    owner.execute("UPDATE approval SET requested_by = %s WHERE partner_id = %s", (name[0], partner))

    seen = manager.fills(page, "approvals")

    assert seen.status == 409
    assert seen.has("kan ikke godkjenne selv")
    assert approval_of(db, partner, portfolio.kari)[1] == "requested"


def test_what_needs_two_people_needs_two(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, owner: psycopg.Connection
) -> None:
    first, second = seat("manager"), seat("manager")
    owner.execute("UPDATE approval SET needs = 2 WHERE partner_id = %s", (partner,))

    once = first.fills(approve_page(first, db, partner, portfolio.kari), "approvals")
    twice = first.fills(approve_page(first, db, partner, portfolio.kari), "approvals")
    after_one = approval_of(db, partner, portfolio.kari)[1]
    both = second.fills(approve_page(second, db, partner, portfolio.kari), "approvals")

    assert once.has("En person til må godkjenne", "1 av 2 har godkjent")
    assert (twice.status, after_one) == (409, "requested")
    assert twice.has("Du har allerede sagt ja")
    assert both.has("Godkjent.")
    assert approval_of(db, partner, portfolio.kari)[1] == "granted"


def test_a_case_that_has_moved_is_shown_again_before_it_is_approved(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    manager = seat("manager")
    page = approve_page(manager, db, partner, portfolio.kari)
    with db.transaction(partner) as tx:
        console_sample.log(tx, portfolio.kari, now, "note", {"text": "ringte"}, actor="ingrid")

    asked_again = manager.fills(page, "approvals", note="Sett på alt")
    undecided = approval_of(db, partner, portfolio.kari)[1]
    confirmed = manager.fills(asked_again, "approvals")

    assert (asked_again.status, undecided) == (409, "requested")
    assert asked_again.has("Saken har endret seg siden du åpnet den", "Sett på alt")
    assert confirmed.has("Godkjent.")


def test_an_approval_that_is_decided_already_says_so(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio
) -> None:
    first, second = seat("manager"), seat("manager")
    page = approve_page(second, db, partner, portfolio.kari)
    first.fills(approve_page(first, db, partner, portfolio.kari, answer="no"), "approvals")

    seen = second.fills(page, "approvals")

    assert seen.has("allerede gjort av noen andre")
    assert approval_of(db, partner, portfolio.kari)[1] == "refused"


# -- voiding a wrong step


def step_page(visitor: Visitor, db: Database, partner: int, case_id: int, step: str) -> Seen:
    with db.transaction(partner) as tx:
        number = tx.value(
            "SELECT number FROM step_taken WHERE case_id = %(c)s AND step = %(s)s", {"c": case_id, "s": step}
        )
    return visitor.opens(f"cases/{case_id}/steps/{number}/void/")


def test_a_manager_voids_a_wrong_step_and_the_log_keeps_both(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio
) -> None:
    manager = seat("manager")

    seen = manager.fills(step_page(manager, db, partner, portfolio.kari, "limit"), "void", note="Feil kunde", sure="1")

    assert seen.has("Steget er annullert", "Begrensning er annullert: Feil kunde", "Begrensning er bestemt")
    assert [code for code, _ in log_of(db, partner, portfolio.kari)][-2:] == ["step_voided", "hold_placed"]
    assert step_page(manager, db, partner, portfolio.kari, "limit").has("allerede gjort av noen andre")


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"sure": "1"}, "Skriv hvorfor"), ({"note": "Feil kunde"}, "Kryss av for at du har kontrollert")],
)
def test_voiding_asks_for_a_reason_and_a_tick(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, typed: dict[str, str], said: str
) -> None:
    manager = seat("manager")

    seen = manager.fills(step_page(manager, db, partner, portfolio.kari, "limit"), "void", **typed)

    assert seen.status == 422
    assert seen.has(said)


def test_a_case_that_has_moved_is_shown_again_before_a_step_is_voided(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    manager = seat("manager")
    page = step_page(manager, db, partner, portfolio.kari, "limit")
    with db.transaction(partner) as tx:
        console_sample.log(tx, portfolio.kari, now, "note", {"text": "ringte"}, actor="ingrid")

    seen = manager.fills(page, "void", note="Feil kunde", sure="1")

    assert seen.status == 409
    assert seen.has("Saken har endret seg", "Feil kunde")
    assert log_of(db, partner, portfolio.kari)[-1] == ("note", "ingrid")


def test_a_restore_is_never_voided(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        number = console_sample.take_step(tx, portfolio.ola, now, "restore", {}, number="")
    manager = seat("manager")

    seen = manager.sends(f"cases/{portfolio.ola}/steps/{number}/void/", note="x", sure="1", version="9")

    assert seen.has("allerede gjort")
    assert log_of(db, partner, portfolio.ola)[-1][0] == "step_taken"


@pytest.mark.parametrize("act", ["hold/", "note/", "approvals/1/", "steps/1/void/", "holds/1/end/"])
def test_acts_on_a_case_that_does_not_exist_are_missing(seat: SignIn, act: str) -> None:
    assert seat("manager").opens(f"cases/999999999/{act}").status == 404


def test_an_act_without_our_token_is_refused_and_writes_nothing(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio
) -> None:
    agent = seat("agent")
    before = log_of(db, partner, portfolio.kari)

    forged = Seen(agent.browser.post(f"/console/cases/{portfolio.kari}/note/", data={"note": "forfalsket"}))

    assert forged.status == 403
    assert forged.has("Siden er for gammel", "Last siden på nytt")
    assert log_of(db, partner, portfolio.kari) == before


def test_in_a_dialog_an_act_answers_with_what_to_say_and_nothing_to_show(seat: SignIn, portfolio: Portfolio) -> None:
    agent = seat("agent")
    dialog = agent.asks(f"cases/{portfolio.kari}/note/", target="dialog-body")
    token = agent.opens("password/").form("password").fields["csrfmiddlewaretoken"]

    done = agent.browser.post(
        f"/console/cases/{portfolio.kari}/note/",
        data={"note": "Ringte", "csrfmiddlewaretoken": token},
        headers={"HX-Request": "true"},
    )

    assert dialog.has('id="dialog-body"', "Skriv notat")
    assert "<html" not in dialog.html
    assert (done.status_code, done.text) == (204, "")
    assert "Notatet er lagret" in done.headers["HX-Trigger"].encode().decode("unicode_escape")
