"""The pay page as a customer meets it, over HTTP: open the link, pay at the test provider, watch the light return."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from relight.drivers.testpay import TestProvider
from relight.flow.database import Database
from relight.flow.payments.links import LinkKey, make
from relight.flow.payments.queries import opened, page
from relight.web.database import WebDatabase
from relight.web.paypages.words import words_of
from tests.counterparts.localstripe import LocalStripe
from tests.flow.paying import Debtor, make_debtor, with_policy, with_testpay
from tests.web.conftest import SECRET
from tests.web.turns import counted

_WAIT_SECONDS = 15.0


class Customer(NamedTuple):
    """Someone with a link and a browser (which keeps cookies and follows redirects, without script)."""

    browser: httpx.Client
    path: str
    debtor: Debtor
    provider: TestProvider

    def opens(self, rest: str = "", **query: str) -> httpx.Response:
        return self.browser.get(self.path + rest, params=query)

    def sends(self, rest: str, **fields: str) -> httpx.Response:
        return self.browser.post(self.path + rest, data=fields)


@pytest.fixture
def customer(
    site: str, db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path
) -> Iterator[Customer]:
    provider = with_testpay(owner, partner, tmp_path)
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        debtor = make_debtor(tx, now)
    token = make(partner, debtor.link_id, LinkKey.of(SECRET))
    with httpx.Client(base_url=site, follow_redirects=True, trust_env=False, timeout=30) as browser:
        yield Customer(browser, f"/p/{token}", debtor, provider)


def eventually(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not look():
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.05)


def stage(customer: Customer) -> str:
    return customer.opens("/status.json").json()["stage"]


def pays(customer: Customer, outcome: str = "paid") -> httpx.Response:
    card_page = customer.sends("/pay", way="testpay")
    assert "/testpay/test_" in str(card_page.url)
    return customer.browser.post(card_page.url.path, data={"outcome": outcome})


def block(db: Database, partner: int, customer: Customer, now: datetime, level: str = "off") -> None:
    with db.transaction(partner) as tx:
        given = {
            "p": partner,
            "s": customer.debtor.service_id,
            "c": customer.debtor.case_id,
            "level": level,
            "now": now,
        }
        tx.run(
            "INSERT INTO block (partner_id, service_id, case_id, reason, level, starts_at)"
            " VALUES (%(p)s, %(s)s, %(c)s, 'arrears', %(level)s, %(now)s)",
            given,
        )
        supply = "UPDATE supply SET desired = %(level)s, observed = %(level)s, observed_at = %(now)s, generation = 1"
        tx.run(supply + " WHERE service_id = %(s)s", given)


def supply_becomes(
    db: Database, partner: int, customer: Customer, *, desired: str, observed: str, at: datetime
) -> None:
    with db.transaction(partner) as tx:
        given = {"s": customer.debtor.service_id, "desired": desired, "observed": observed, "at": at}
        tx.run("UPDATE block SET ends_at = %(at)s WHERE service_id = %(s)s AND ends_at IS NULL", given)
        supply = "UPDATE supply SET desired = %(desired)s, observed = %(observed)s, observed_at = %(at)s"
        tx.run(supply + " WHERE service_id = %(s)s", given)


def test_the_link_shows_creditor_sum_reference_and_ways_and_nobodys_name(customer: Customer) -> None:
    seen = customer.opens()

    text = seen.text.replace("\xa0", " ")
    assert seen.status_code == 200
    for expected in ("Nordlys Kraft AS", "899,00 kr", "2345676", "15032080119", "Testbetaling"):
        assert expected in text
    for secret in ("Kari", "Storgata", "90000001", customer.debtor.account.ref):
        assert secret not in text


def test_the_page_is_private(customer: Customer) -> None:
    headers = customer.opens().headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "noindex" in headers["X-Robots-Tag"]
    assert "Set-Cookie" not in headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy


def test_a_form_may_lead_to_the_providers_own_page_and_nowhere_else(
    customer: Customer, owner: psycopg.Connection, partner: int
) -> None:
    without_stripe = customer.opens().headers["Content-Security-Policy"]
    owner.execute(
        "UPDATE partner SET driver_settings = jsonb_set(driver_settings, '{payments,stripe}',"
        ' \'{"api_key": "sk_test_1", "webhook_secret": "whsec_1"}\') WHERE id = %s',
        (partner,),
    )
    with_stripe = customer.opens().headers["Content-Security-Policy"]

    assert "form-action 'self';" in without_stripe
    assert "form-action 'self' https://checkout.stripe.com;" in with_stripe


def test_each_page_has_a_nonce_of_its_own(customer: Customer) -> None:
    nonces = {re.search(r"nonce-([^']+)", customer.opens().headers["Content-Security-Policy"])[1] for _ in range(3)}

    assert len(nonces) == 3


def test_the_page_speaks_the_language_that_the_customer_picks(customer: Customer) -> None:
    seen = customer.opens(lang="en")

    assert '<html lang="en">' in seen.text
    assert "?lang=en" in seen.text


def test_a_forged_link_an_unknown_one_and_another_partners_meet_the_same_page(
    customer: Customer, partner: int, other_partner: int
) -> None:
    key = LinkKey.of(SECRET)
    genuine = customer.path.removeprefix("/p/")
    forged = ("A" if genuine[-1] != "A" else "B").join((genuine[:-1], ""))
    never_made = make(partner, customer.debtor.link_id + 100_000, key)
    of_another = make(other_partner, customer.debtor.link_id, key)

    answers = [customer.browser.get(f"/p/{token}") for token in (forged, never_made, of_another, "short")]

    bodies = {re.sub(r'nonce="[^"]+"', "", answer.text) for answer in answers}
    assert [answer.status_code for answer in answers] == [404] * 4
    assert len(bodies) == 1
    assert "Nordlys" not in bodies.pop()


def test_an_expired_link_says_so_kindly_and_does_nothing(
    customer: Customer, db: Database, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        tx.run("UPDATE pay_link SET expires_at = %(now)s", {"now": now - timedelta(days=1)})

    seen = customer.opens()
    tried = [customer.sends(f"/{act}", way="testpay", answer="9008") for act in ("pay", "not-me", "more-time", "check")]

    assert seen.status_code == 410
    assert "2345676" in seen.text
    assert [answer.status_code for answer in tried] == [410] * 4
    with db.transaction(partner) as tx:
        assert tx.value("SELECT count(*) FROM checkout") == 0
        assert tx.value("SELECT count(*) FROM task") == 0


def test_the_first_look_is_noted_once(customer: Customer, db: Database, partner: int) -> None:
    def opened_at() -> datetime | None:
        with db.transaction(partner) as tx:
            return tx.value("SELECT opened_at FROM pay_link")

    before = opened_at()
    customer.opens()
    first = opened_at()
    customer.opens()

    assert before is None
    assert first is not None
    assert opened_at() == first


def test_the_page_costs_one_round_trip(
    customer: Customer, database_urls: dict[str, str], partner: int, tmp_path: Path
) -> None:
    with counted(database_urls["app"], tmp_path) as (address, turns):
        web = WebDatabase(address).open()
        ask = (partner, page(customer.debtor.link_id), opened(customer.debtor.link_id))
        for _ in range(3):  # statements are prepared on the way
            web.ask(*ask)
        before = turns.count

        _, (found, _) = web.ask(*ask)

        assert turns.count - before == 1
        assert found[0]["link_id"] == customer.debtor.link_id
        with web.transaction(partner) as tx:
            tx.value("SELECT 1")
        assert turns.count - before > 2, "the proxy does not count: a transaction takes several round trips"
        web.close()


def test_a_connection_remembers_no_partner_after_a_page(
    customer: Customer, database_urls: dict[str, str], partner: int
) -> None:
    web = WebDatabase(database_urls["app"]).open()
    web.ask(partner, page(customer.debtor.link_id))

    _, (rows,) = web.ask(0, ("SELECT current_setting('relight.partner', true) AS p, count(*) FROM claim", {}))
    with web._reads.connection() as connection:
        alone = connection.execute("SELECT current_setting('relight.partner', true) AS p").fetchone()

    assert rows[0] == {"p": "", "count": 0}
    assert alone["p"] in ("", None)
    web.close()


def test_pays_by_card_and_the_bill_is_settled(customer: Customer, db: Database, partner: int) -> None:
    back = pays(customer)

    assert back.url.path.endswith("/status")
    eventually(lambda: stage(customer) == "settled", "settled")
    assert "899,00 kr" in customer.opens("/receipt").text.replace("\xa0", " ")
    nothing_left = customer.opens()
    assert nothing_left.status_code == 200
    assert "899,00" not in nothing_left.text.replace("\xa0", " ")
    with db.transaction(partner) as tx:
        assert tx.rows("SELECT state, principal FROM claim") == [("settled", 0)]
        assert tx.rows("SELECT outcome FROM provider_notice") == [("paid",)]


def test_a_double_click_on_pay_leads_to_the_same_card_page(customer: Customer, db: Database, partner: int) -> None:
    first, second = (customer.sends("/pay", way="testpay") for _ in range(2))

    assert first.url == second.url
    with db.transaction(partner) as tx:
        assert tx.value("SELECT count(*) FROM checkout") == 1


def test_the_card_page_says_that_it_is_a_test(customer: Customer) -> None:
    seen = customer.sends("/pay", way="testpay")

    assert words_of("nb")["test_banner"] in seen.text


def test_a_declined_card_takes_nothing_and_can_be_tried_again(customer: Customer, db: Database, partner: int) -> None:
    back = pays(customer, "failed")

    assert back.status_code == 200
    eventually(lambda: stage(customer) == "elsewhere", "the failure is known")
    assert customer.path in customer.opens("/status").text
    pays(customer)
    eventually(lambda: stage(customer) == "settled", "settled")
    with db.transaction(partner) as tx:
        assert tx.rows("SELECT state FROM payment") == [("confirmed",)]


def test_whoever_cancels_is_told_that_nothing_was_taken(customer: Customer) -> None:
    back = pays(customer, "cancelled")

    assert "cancelled=1" in str(back.url)
    assert words_of("nb")["try_again_cancelled"] in back.text


def test_the_page_follows_the_light_from_payment_to_online(
    customer: Customer, db: Database, partner: int, now: datetime
) -> None:
    block(db, partner, customer, now - timedelta(days=1))
    pays(customer)
    eventually(lambda: stage(customer) == "paid", "paid, and nothing decided yet")
    with db.transaction(partner) as tx:
        confirmed_at = tx.value("SELECT confirmed_at FROM payment")

    supply_becomes(db, partner, customer, desired="full", observed="off", at=confirmed_at + timedelta(seconds=1))
    restoring = stage(customer)
    supply_becomes(db, partner, customer, desired="full", observed="ready", at=confirmed_at + timedelta(seconds=4))
    ready = stage(customer)
    supply_becomes(db, partner, customer, desired="full", observed="full", at=confirmed_at + timedelta(seconds=8))
    online = customer.opens("/status.json").json()

    assert (restoring, ready) == ("restoring", "ready")
    assert online == {"stage": "online", "seconds": 8, "final": True}
    assert "Det tok 8 sekunder." in customer.opens("/status").text


def test_a_restore_that_was_given_up_is_not_promised_any_more(
    customer: Customer, db: Database, partner: int, now: datetime
) -> None:
    block(db, partner, customer, now - timedelta(days=1))
    pays(customer)
    eventually(lambda: stage(customer) == "paid", "paid")
    with db.transaction(partner) as tx:
        at = tx.value("SELECT confirmed_at FROM payment")
        tx.run(
            "INSERT INTO effect (partner_id, case_id, account_id, event_number, key, kind, service_id, level,"
            " generation, state, due_at, created_at) VALUES (%(p)s, %(c)s, %(a)s, 1, 'k', 'supply', %(s)s,"
            " 'full', 1, 'given_up', %(now)s, %(now)s)",
            {
                "p": partner,
                "c": customer.debtor.case_id,
                "a": customer.debtor.account.id,
                "s": customer.debtor.service_id,
                "now": now,
            },
        )
    supply_becomes(db, partner, customer, desired="full", observed="off", at=at + timedelta(seconds=1))

    assert stage(customer) == "slow"


def test_paying_half_does_not_promise_light(customer: Customer, db: Database, partner: int, now: datetime) -> None:
    block(db, partner, customer, now - timedelta(days=1))
    customer.sends("/pay", way="testpay")
    with db.transaction(partner) as tx:
        from tests.flow.factories import make_claim

        make_claim(tx, customer.debtor.account, now, amount=50000)
    ref = next(Path(customer.provider._settings.folder).glob("*.json")).stem
    customer.browser.post(f"{customer.path}/testpay/{ref}", data={"outcome": "paid"})

    eventually(lambda: stage(customer) == "elsewhere", "the money is on record")
    seen = customer.opens("/status")

    assert seen.url.path.endswith("/receipt")
    assert "500,00 kr" in seen.text.replace("\xa0", " ")


def test_a_provider_that_does_not_answer_costs_nothing_but_a_sentence(
    customer: Customer, owner: psycopg.Connection, partner: int
) -> None:
    owner.execute(
        "UPDATE partner SET driver_settings = jsonb_build_object('payments', jsonb_build_object('stripe',"
        " jsonb_build_object('api_key', 'sk_test_1', 'webhook_secret', 'whsec_1', 'api_base', 'http://127.0.0.1:9')))"
        " WHERE id = %s",
        (partner,),
    )

    seen = customer.sends("/pay", way="stripe")

    assert seen.status_code == 503
    assert customer.path in seen.text


@pytest.mark.counterpart
def test_pays_through_stripe_and_its_signed_webhook_settles_the_bill(
    customer: Customer, db: Database, owner: psycopg.Connection, partner: int, site: str
) -> None:
    with LocalStripe() as stripe:
        (slug,) = owner.execute(
            "UPDATE partner SET driver_settings = %s WHERE id = %s RETURNING slug",
            (Jsonb({"payments": {"stripe": stripe.settings}}), partner),
        ).fetchone()
        stripe.send_webhooks_to(f"{site}/webhooks/{slug}/stripe")
        waiting = customer.sends("/pay", way="stripe")
        assert waiting.url.path.endswith("/status")
        assert stage(customer) == "waiting"

        (intent,) = stripe.intents()
        stripe.pay(intent["id"])

        eventually(lambda: stage(customer) == "settled", "settled")
    with db.transaction(partner) as tx:
        assert tx.rows("SELECT ref, state, amount FROM payment") == [(intent["id"], "confirmed", 89900)]


def test_a_form_from_another_site_is_refused(customer: Customer, db: Database, partner: int) -> None:
    answer = customer.browser.post(f"{customer.path}/not-me", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    with db.transaction(partner) as tx:
        assert tx.value("SELECT count(*) FROM hold") == 0


def test_the_details_wait_behind_the_second_check(customer: Customer) -> None:
    question = customer.opens("/details")
    details = customer.sends("/check", answer=" 9008 ")

    assert "Kari" not in question.text
    assert details.url.path.endswith("/details")
    for expected in ("Kari Nordmann", "Storgata 1, 9008 Tromsø", "899,00 kr"):
        assert expected in details.text.replace("\xa0", " ")


def test_the_answer_opens_one_link_only(
    customer: Customer, db: Database, partner: int, now: datetime, site: str
) -> None:
    with db.transaction(partner) as tx:
        neighbour = make_debtor(tx, now, name="Ola Nabo")
    token = make(partner, neighbour.link_id, LinkKey.of(SECRET))
    customer.sends("/check", answer="9008")
    (cookie,) = customer.browser.cookies.jar

    stolen = httpx.get(
        f"{site}/p/{token}/details", headers={"Cookie": f"{cookie.name}={cookie.value}"}, trust_env=False
    )

    assert cookie.path == customer.path
    assert "HttpOnly" in cookie._rest
    assert stolen.status_code == 200
    assert "Ola" not in stolen.text


def test_five_wrong_answers_lock_the_details_for_an_hour_and_paying_stays_open(
    customer: Customer, db: Database, partner: int
) -> None:
    for wrong in ("0001", "0002", "0003", "0004", "0005"):
        assert "Kari" not in customer.sends("/check", answer=wrong).text

    right_too_late = customer.sends("/check", answer="9008")
    still_open = customer.opens()
    with db.transaction(partner) as tx:
        misses = tx.value("SELECT count(*) FROM case_event WHERE code = 'second_check_failed'")

    assert right_too_late.status_code == 422
    assert "Kari" not in right_too_late.text
    assert still_open.status_code == 200
    assert misses == 5


def test_an_hour_later_the_answer_counts_again(customer: Customer, db: Database, partner: int, now: datetime) -> None:
    from relight.flow.payments import queries

    for wrong in ("0001", "0002", "0003", "0004", "0005"):
        customer.sends("/check", answer=wrong)

    with db.transaction(partner) as tx:
        locked = queries.check(tx, customer.debtor.link_id, now)
        later = queries.check(tx, customer.debtor.link_id, now + timedelta(minutes=61))

    assert locked is not None
    assert locked.is_locked
    assert later is not None
    assert not later.is_locked


def test_not_me_and_please_call_end_in_thanks(customer: Customer, db: Database, partner: int) -> None:
    thanks = [customer.sends(f"/{act}").status_code for act in ("more-time", "not-me")]

    assert thanks == [200, 200]
    with db.transaction(partner) as tx:
        codes = [row[0] for row in tx.rows("SELECT code FROM task ORDER BY id")]
    assert codes == ["customer_asks_for_time", "wrong_person"]


def test_looking_is_never_doing(customer: Customer, db: Database, partner: int) -> None:
    answers = [customer.opens(f"/{act}").status_code for act in ("pay", "check", "not-me", "more-time")]

    assert answers == [405] * 4
    with db.transaction(partner) as tx:
        assert tx.value("SELECT count(*) FROM task") == 0
