"""A case's page: everything that somebody on the telephone needs, in the words of the one who reads."""

import re
from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.database import Database
from tests.web import console_sample
from tests.web.console_sample import Portfolio
from tests.web.console_visitor import SignIn


def test_the_page_says_who_how_much_what_is_next_and_why_it_waits(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("agent").opens(f"cases/{portfolio.kari}/")

    assert seen.has(
        "Kari Nordmann", "899,00 kr", "Neste steg", "Stenging", "venter på godkjenning siden", "broadband-no"
    )


def test_the_timeline_tells_each_step_with_what_it_sent_and_its_reasons(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("agent").opens(f"cases/{portfolio.kari}/")

    assert seen.has(
        "Saken er åpnet med 899,00 kr forfalt",
        "Vennlig påminnelse er bestemt for 899,00 kr",
        "SMS · Levert",
        "Begrensning må vente til",
        "Utenfor tillatt tid",
        "ekomloven § 4-11",
        "Bredbånd: Bare betalingsside · Gjort",
        "Stenging trenger godkjenning av én person",
    )


def test_messages_stand_as_the_customer_read_them(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("agent").opens(f"cases/{portfolio.kari}/")

    assert seen.has(
        "Det er fort gjort å glemme. Betal her: nordlys.example/p/Xq3fKz7T",
        "Vi mangler en betaling fra deg",
        "til kari@kunde.example",
    )


def test_services_show_what_they_are_to_be_and_what_was_seen(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("agent").opens(f"cases/{portfolio.kari}/")

    assert seen.has("Skal være", "Sist sett", "Ubetalt: Bare betalingsside", "Bekreftet av ny innlogging")


def test_a_paid_case_shows_the_way_back(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("agent").opens(f"cases/{portfolio.ola}/")

    assert seen.has("2 345,50 kr er betalt", "Nettleie skal åpnes igjen", "Nettleie er tilbake", "Bekreftet")


def test_a_hold_is_shown_with_its_end_its_author_and_its_note(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("agent").opens(f"cases/{portfolio.amina}/")

    assert seen.has("Gjeldsrådgivning", "Satt av ingrid", "Får hjelp av NAV", "Saken er på vent: gjeldsrådgivning")


def test_a_claim_lists_its_lines_its_reference_and_how_far_it_has_come(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("agent").opens(f"cases/{portfolio.kari}/")

    assert seen.has("KID 12345678903", "Fiber 500, oktober", "799,00 kr", "Kommet til Begrensning, frist")


def test_the_letter_opens_as_it_was_posted(seat: SignIn, portfolio: Portfolio) -> None:
    agent = seat("agent")
    address = agent.opens(f"cases/{portfolio.kari}/").links("letter.pdf")[0]

    letter = agent.browser.get(address)

    assert letter.headers["Content-Type"] == "application/pdf"
    assert letter.content.startswith(b"%PDF")
    assert letter.headers["X-Content-Type-Options"] == "nosniff"


def test_an_erased_message_says_so_and_its_letter_is_gone(
    seat: SignIn, portfolio: Portfolio, owner: psycopg.Connection, partner: int
) -> None:
    agent = seat("agent")
    address = agent.opens(f"cases/{portfolio.kari}/").links("letter.pdf")[0]
    owner.execute("DELETE FROM message_body WHERE partner_id = %s", (partner,))

    page = agent.opens(f"cases/{portfolio.kari}/")

    assert page.has("Teksten er slettet etter lagringsreglene")
    assert agent.browser.get(address).status_code == 404


def test_what_customers_write_is_text_and_nothing_else(
    seat: SignIn, portfolio: Portfolio, owner: psycopg.Connection, partner: int, now: datetime
) -> None:
    owner.execute(
        "INSERT INTO received_message (partner_id, account_id, channel, sender, text, meaning, received_at,"
        " provider_id) SELECT partner_id, account_id, 'sms', '+4790000001', '<script>alert(1)</script>',"
        " 'unknown', %s, 'r1' FROM dunning_case WHERE id = %s",
        (now, portfolio.kari),
    )

    seen = seat("agent").opens(f"cases/{portfolio.kari}/")

    assert seen.has("&lt;script&gt;alert(1)&lt;/script&gt;", "Svar fra +4790000001")
    assert "<script>alert" not in seen.html


def test_a_long_log_shows_the_newest_and_the_rest_on_request(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        for number in range(120):
            text = {"text": f"merknad nummer {number:03}"}
            console_sample.log(tx, portfolio.per, now + timedelta(seconds=number), "note", text, actor="ingrid")
    agent = seat("agent")

    newest = agent.opens(f"cases/{portfolio.per}/")
    everything = agent.opens(f"cases/{portfolio.per}/", all="1")

    assert newest.has("Merknad nummer 119", "Vis hele historikken")
    assert not newest.has("Merknad nummer 010")
    assert everything.has("Merknad nummer 000")


def test_an_event_from_an_older_release_never_breaks_the_page(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    odd = [{"code": "guard.forgotten", "params": {"x": 1}}, {"code": "condition.arrears", "params": {"is": None}}, {}]
    with db.transaction(partner) as tx:
        console_sample.log(tx, portfolio.per, now, "something_old", {"a": {"b": [1, None]}}, reasons=odd)
        console_sample.log(tx, portfolio.per, now, "step_taken", {})
        console_sample.log(tx, portfolio.per, now, "hold_placed", {"until": None, "reason": "no_longer_known"})

    seen = seat("agent").opens(f"cases/{portfolio.per}/")

    assert seen.status == 200
    assert seen.has("Hendelse: something_old")


def test_a_closed_case_offers_no_hold(seat: SignIn, portfolio: Portfolio) -> None:
    agent = seat("agent")

    seen = agent.opens(f"cases/{portfolio.lars}/")

    assert seen.has("Saken er avsluttet")
    assert not seen.links(f"cases/{portfolio.lars}/hold/")


def test_a_reader_sees_everything_and_no_buttons(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("reader").opens(f"cases/{portfolio.kari}/")

    assert seen.has("Kari Nordmann", "Tidslinje")
    assert "data-act" not in seen.html


@pytest.mark.parametrize("number", ["0", "999999999", "99999999999999999999999"])
def test_a_case_that_does_not_exist_is_said_to_be_missing(seat: SignIn, number: str) -> None:
    seen = seat("agent").opens(f"cases/{number}/")

    assert seen.status == 404
    assert seen.has("Fant ikke siden")


def test_moments_are_the_partners_clock(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, owner: psycopg.Connection, now: datetime
) -> None:
    moment = datetime.fromisoformat("2026-01-15T23:30:00+00:00")
    with db.transaction(partner) as tx:
        console_sample.log(tx, portfolio.per, moment, "note", {"text": "sent på kvelden"}, actor="ingrid")

    seen = seat("agent").opens(f"cases/{portfolio.per}/")

    assert seen.has("00.30", "fredag 16. januar 2026 kl. 00.30")


def test_the_same_page_reads_well_in_english(seat: SignIn, portfolio: Portfolio) -> None:
    agent = seat("agent")
    agent.fills(agent.opens(""), "language", language="en")

    seen = agent.opens(f"cases/{portfolio.kari}/")

    assert seen.has("Next step", "NOK 899.00", "Broadband")
    assert not seen.has("Neste steg")
    assert not seen.has("Bredbånd:")


def test_a_stale_source_a_stop_and_shadow_are_said_on_every_page(
    seat: SignIn, portfolio: Portfolio, owner: psycopg.Connection, partner: int, now: datetime
) -> None:
    owner.execute("UPDATE source SET complete_until = %s WHERE partner_id = %s", (now - timedelta(days=4), partner))
    owner.execute("UPDATE partner SET mode = 'shadow', stopped_at = %s WHERE id = %s", (now, partner))
    agent = seat("agent")

    pages = [agent.opens(path) for path in ("", "cases/?q=", f"cases/{portfolio.kari}/", "tasks/", "approvals/")]

    for seen in pages:
        assert seen.has("er bare komplett til", "Skyggedrift", "Utsending og stenging er stanset"), seen.path


def test_the_overview_counts_what_waits_and_what_came_back(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("agent").opens("")

    assert seen.has("5 022,00 kr", "Venter på godkjenning", "Gjenåpnet siste døgn", "under 8 s", "Bare betalingsside")


@pytest.mark.parametrize("page", ["", "cases/?q=", "tasks/", "approvals/"])
def test_an_empty_partner_gets_pages_that_explain_themselves(seat: SignIn, page: str) -> None:
    seen = seat("manager").opens(page)

    assert seen.status == 200
    assert seen.has("empty") or page == ""


def test_the_page_tells_what_the_law_asks_and_what_would_stop_the_next_step(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("agent").opens(f"cases/{portfolio.kari}/")

    assert seen.has(
        "Det må ha gått 1 måned etter purring og stengevarsel",
        "ekomloven § 4-11 andre ledd",
        "no.ekom.block.one_month",
        "599,01 kr blir betalt: da er resten for liten til dette steget.",
        "Når 899,00 kr er betalt, åpnes bredbånd igjen.",
        "livsnødvendig utstyr",
    )


def test_the_page_names_one_moment_for_the_next_step(seat: SignIn, portfolio: Portfolio) -> None:
    text = re.sub(r"<[^>]*>|\s+", " ", seat("agent").opens(f"cases/{portfolio.kari}/").html)

    card = re.search(r"Tidligst \w+ (\d+\. \w+) \d{4} kl\. ([\d.]+)", text)
    told = re.search(r"Stenging kan tidligst komme (\d+\. \w+)(?: \d{4})? kl\. ([\d.]+),", text)

    assert card
    assert told
    assert card.groups() == told.groups()


def test_what_the_customer_would_be_told_is_one_link_away_and_names_nothing_internal(
    seat: SignIn, portfolio: Portfolio
) -> None:
    agent = seat("agent")
    address = agent.opens(f"cases/{portfolio.kari}/").links("told=customer")[0]

    seen = agent.opens(f"cases/{portfolio.kari}/", told="customer")

    assert address.endswith("?told=customer")
    told = article(seen.html)
    assert 'lang="nb"' in told
    assert "Hei, Kari Nordmann." in told
    assert "Kan noen bli skadet hvis bredbåndet blir borte?" in told
    assert not [word for word in ("livsnødvendig", "no.ekom", "broadband-no", "ingrid", "walled") if word in told]


def test_a_customer_who_speaks_another_language_is_told_in_it_while_the_frame_stays_the_agents(
    seat: SignIn, portfolio: Portfolio, owner: psycopg.Connection
) -> None:
    owner.execute(
        "UPDATE party p SET language = 'nl' FROM account_role r JOIN dunning_case c ON c.account_id = r.account_id"
        " WHERE r.party_id = p.id AND c.id = %s",
        (portfolio.kari,),
    )

    seen = seat("agent").opens(f"cases/{portfolio.kari}/", told="customer")

    assert 'lang="nl"' in article(seen.html)
    assert "Wat u kunt doen" in article(seen.html)
    assert seen.has("Språk: Nederlandsk", "Neste steg")


def test_an_account_on_hold_tells_the_customer_so_without_the_agents_note(seat: SignIn, portfolio: Portfolio) -> None:
    told = article(seat("agent").opens(f"cases/{portfolio.amina}/", told="customer").html)

    assert "Saken er på vent, fordi du får råd og hjelp." in told
    assert "NAV-veileder" not in told
    assert "ingrid" not in told


def test_a_note_of_the_agents_is_never_read_to_the_customer(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        console_sample.log(tx, portfolio.per, now, "note", {"text": "virket beruset"}, actor="ingrid")

    told = article(seat("agent").opens(f"cases/{portfolio.per}/", told="customer").html)

    assert "beruset" not in told
    assert "En av oss skrev et notat i saken." in told


def article(html: str) -> str:
    """What would be read to the customer."""
    return html.split('<article class="spoken"')[1].split("</article>")[0]
