"""A bill that will be collected: the customer is told when and may pay all the same, and the agent sees how it goes."""

import re
from datetime import date, timedelta

import psycopg
import pytest

from relight.flow.database import Database
from relight.flow.payments.mandates import noting, planning
from relight.flow.payments.mandates.noting import Told
from tests.flow.mandating import KARI
from tests.web.console_sample import Portfolio
from tests.web.console_visitor import SignIn
from tests.web.test_paypage import Customer, customer, eventually, pays, stage

__all__ = ["customer"]


def collects(db: Database, partner: int, account_ref: str) -> date:
    """The account's bills are planned to be collected; the day."""
    with db.transaction(partner) as tx:
        told = Told(account_ref, "avtalegiro", "2345676", date(2020, 1, 1))
        noting.by_hand(tx, told, by=KARI, now=db.clock())
    planning.plan(db, partner, now=db.clock())
    with db.transaction(partner) as tx:
        found: date = tx.value("SELECT collect_date FROM collection")
        return found


@pytest.mark.parametrize(("language", "said"), [("nb", "trekker"), ("nl", "schrijven"), ("en", "collect")])
def test_the_customer_is_told_when_the_bill_is_collected_and_can_pay_now(
    customer: Customer, db: Database, partner: int, language: str, said: str
) -> None:
    day = collects(db, partner, customer.debtor.account.ref)

    seen = customer.opens(lang=language).text.replace("\xa0", " ")

    assert said in seen
    assert "899" in seen
    (told,) = [one for one in re.findall(r'<p class="state">(.*?)</p>', seen, re.DOTALL) if said in one]
    assert re.search(rf"\b{day.day}\b.*\b{day.year}\b", told, re.DOTALL)
    assert 'name="way"' in seen


def test_who_pays_before_the_day_is_not_collected_from(customer: Customer, db: Database, partner: int) -> None:
    collects(db, partner, customer.debtor.account.ref)

    pays(customer)
    eventually(lambda: stage(customer) != "waiting", "the money is there")
    told = planning.plan(db, partner, now=db.clock())

    assert told.called_back == 1
    with db.transaction(partner) as tx:
        assert tx.rows("SELECT state, reason FROM collection") == [("called_back", "not_sent")]
        assert tx.value("SELECT credit FROM account WHERE id = %(a)s", {"a": customer.debtor.account.id}) == 0


def test_the_agent_sees_the_mandate_and_how_each_collection_went(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, owner: psycopg.Connection
) -> None:
    (account, claim) = owner.execute(
        "SELECT c.account_id, max(m.id) FROM dunning_case c JOIN claim m ON m.account_id = c.account_id"
        " WHERE c.id = %s GROUP BY c.account_id", (portfolio.kari,)
    ).fetchone() or (0, 0)  # fmt: skip
    with db.transaction(partner) as tx:
        ref = tx.value("SELECT ref FROM account WHERE id = %(a)s", {"a": account})
        noting.by_hand(tx, Told(ref, "avtalegiro", "2345676", date(2026, 1, 1)), by=KARI, now=db.clock())
        tx.run(
            "INSERT INTO collection (partner_id, mandate_id, account_id, claim_id, amount, currency, state,"
            " collect_date, until, ref, planned_at, reason, retry_date) SELECT partner_id, id, account_id, %(claim)s,"
            " 89900, 'NOK', 'refused', '2026-03-16', %(now)s, 'RLC1', %(now)s, 'AM04', '2026-04-13' FROM mandate",
            {"claim": claim, "now": db.clock() - timedelta(days=1)},
        )

    seen = seat("agent").opens(f"cases/{portfolio.kari}/")

    for told in ("Automatisk trekk", "AvtaleGiro", "2345676", "Avvist", "AM04", "på nytt fra 13"):
        assert seen.has(told), told


def test_the_desk_sees_what_is_coming_and_finds_a_customer_in_it(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, owner: psycopg.Connection
) -> None:
    (account,) = owner.execute("SELECT account_id FROM dunning_case WHERE id = %s", (portfolio.kari,)).fetchone() or (
        0,
    )
    with db.transaction(partner) as tx:
        ref = tx.value("SELECT ref FROM account WHERE id = %(a)s", {"a": account})
        noting.by_hand(tx, Told(ref, "avtalegiro", "2345676", date(2026, 1, 1)), by=KARI, now=db.clock())
        tx.run(
            "INSERT INTO collection (partner_id, mandate_id, account_id, claim_id, amount, currency, state,"
            " collect_date, until, ref, planned_at) SELECT m.partner_id, m.id, m.account_id, c.id, 89900, 'NOK',"
            " 'planned', '2026-12-14', %(now)s, 'RLC1', %(now)s FROM mandate m JOIN claim c"
            " ON c.account_id = m.account_id ORDER BY c.id LIMIT 1",
            {"now": db.clock() + timedelta(days=1)},
        )
        tx.run(
            "INSERT INTO collection_file (partner_id, scheme, kind, number, message, count, amount, written_at)"
            " SELECT id, 'avtalegiro', 'order', 1, 'RL1C1-260302', 3, 1, %(now)s FROM partner WHERE id = %(p)s",
            {"now": db.clock(), "p": partner},
        )
    agent = seat("agent")

    seen = agent.opens("collections/?q=")
    found = agent.opens("collections/?q=2345676")
    other = agent.opens("collections/?q=nobody+of+that+name")
    failed = agent.opens("collections/?show=failed")
    as_left = agent.opens("collections/")

    for told in ("Filer som kommer", "14. des.", "fil 30. nov.", "senest 1. des.", "RL1C1-260302", "3 trekk"):
        assert seen.has(told), told
    assert found.has("Kari")
    assert other.has("Ingenting her")
    assert failed.has("Ingenting her")
    assert as_left.has("Gikk ikke")


def test_the_desk_sees_whom_nobody_has_told_yet(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, owner: psycopg.Connection
) -> None:
    (account,) = owner.execute(
        "SELECT account_id FROM dunning_case WHERE id = %s", (portfolio.kari,)
    ).fetchone() or (0,)  # fmt: skip
    with db.transaction(partner) as tx:
        ref = tx.value("SELECT ref FROM account WHERE id = %(a)s", {"a": account})
        told = Told(ref, "avtalegiro", "2345676", date(2026, 1, 1), bank_notifies=False)
        noting.by_hand(tx, told, by=KARI, now=db.clock())
        name = tx.value("SELECT name FROM creditor")
        noting.keep_creditor(
            tx, creditor=name, scheme="avtalegiro", number="55555555", group_number="", by=KARI, now=db.clock(),
            announced_by="message",
        )  # fmt: skip
        tx.run(
            "INSERT INTO collection (partner_id, mandate_id, account_id, claim_id, amount, currency, state,"
            " collect_date, until, ref, planned_at) SELECT m.partner_id, m.id, m.account_id, c.id, 89900, 'NOK',"
            " 'planned', '2026-12-14', %(now)s, 'RLC1', %(now)s FROM mandate m JOIN claim c"
            " ON c.account_id = m.account_id ORDER BY c.id LIMIT 1",
            {"now": db.clock()},
        )

    seen = seat("agent").opens("collections/?q=")

    assert seen.has("Ikke varslet ennå")
