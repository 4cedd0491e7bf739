"""One customer has one open checkout: a second tab, link or way meets the first, and nobody is charged twice."""

import threading
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb

from relight.drivers.testpay import TestProvider
from relight.flow.database import Database
from relight.flow.payments.checkouts import start_checkout
from relight.flow.payments.clearing import clear_the_way
from relight.flow.payments.errors import PaymentOnItsWay
from relight.flow.payments.operations import record_notices
from relight.flow.payments.port import PaymentState
from tests.flow.paying import OWED, Debtor, checked_out, make_debtor, said, with_policy


@pytest.fixture
def settings(owner: psycopg.Connection, partner: int, tmp_path: Path) -> dict[str, dict[str, str]]:
    """Two ways to pay: the test provider twice, as two accounts of a partner."""
    given = {
        "testpay": {"secret": "one", "folder": str(tmp_path / "one")},
        "other": {"driver": "testpay", "secret": "two", "folder": str(tmp_path / "two")},
    }
    owner.execute("UPDATE partner SET driver_settings = %s WHERE id = %s", (Jsonb({"payments": given}), partner))
    return given


@pytest.fixture
def debtor(db: Database, partner: int, now: datetime) -> Debtor:
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        return make_debtor(tx, now)


def clear(
    db: Database,
    partner: int,
    settings: dict[str, dict[str, str]],
    debtor: Debtor,
    now: datetime,
    *,
    wanted: str = "other",
) -> list[int]:
    order = {"link_id": debtor.link_id, "amount": OWED, "currency": "NOK", "now": now}
    return list(clear_the_way(db, partner, settings, wanted=wanted, **order))  # type: ignore[arg-type]


def states(db: Database, partner: int) -> list[str]:
    with db.transaction(partner) as tx:
        return [row[0] for row in tx.rows("SELECT state FROM checkout ORDER BY id")]


def test_another_way_ends_the_checkout_that_was_left_open(
    db: Database, partner: int, settings: dict[str, dict[str, str]], debtor: Debtor, now: datetime
) -> None:
    first = TestProvider(settings["testpay"])
    ref = checked_out(db, partner, debtor, first, now)

    beside = clear(db, partner, settings, debtor, now + timedelta(minutes=2))

    assert beside == []
    assert states(db, partner) == ["failed"]
    assert first.finish(ref, "pay").state == "closed"


def test_the_same_way_again_keeps_its_checkout(
    db: Database, partner: int, settings: dict[str, dict[str, str]], debtor: Debtor, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, TestProvider(settings["testpay"]), now)

    beside = clear(db, partner, settings, debtor, now + timedelta(minutes=2), wanted="testpay")

    assert beside == []
    assert checked_out(db, partner, debtor, TestProvider(settings["testpay"]), now + timedelta(minutes=2)) == ref


def test_a_second_link_of_the_customer_leads_to_the_same_page(
    db: Database, partner: int, settings: dict[str, dict[str, str]], debtor: Debtor, now: datetime
) -> None:
    checked_out(db, partner, debtor, TestProvider(settings["testpay"]), now)
    with db.transaction(partner) as tx:
        second = tx.value(
            "INSERT INTO pay_link (partner_id, account_id, case_id, created_at, expires_at)"
            " SELECT partner_id, account_id, case_id, created_at, expires_at FROM pay_link RETURNING id"
        )

        again = start_checkout(tx, link_id=second, provider="testpay", amount=OWED, currency="NOK", now=now)

    assert again.link_id == debtor.link_id
    assert "/testpay/" in again.redirect_url


def test_who_has_paid_in_another_tab_is_not_charged_again_and_the_money_counts(
    db: Database, partner: int, settings: dict[str, dict[str, str]], debtor: Debtor, now: datetime
) -> None:
    first = TestProvider(settings["testpay"])
    first.finish(checked_out(db, partner, debtor, first, now), "pay")

    with pytest.raises(PaymentOnItsWay, match="was paid"):
        clear(db, partner, settings, debtor, now + timedelta(minutes=1))

    assert states(db, partner) == ["paid"]


def test_money_on_its_way_keeps_a_second_charge_from_being_started(
    db: Database, partner: int, settings: dict[str, dict[str, str]], debtor: Debtor, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, TestProvider(settings["testpay"]), now)
    with db.transaction(partner) as tx:
        record_notices(tx, provider_name="testpay", events=[said(ref, PaymentState.AUTHORISED)], now=now)

    with db.transaction(partner) as tx, pytest.raises(PaymentOnItsWay):
        start_checkout(tx, link_id=debtor.link_id, provider="other", amount=OWED, currency="NOK", now=now)


def test_whose_provider_is_away_may_pay_another_way(
    db: Database, partner: int, settings: dict[str, dict[str, str]], debtor: Debtor, now: datetime
) -> None:
    checked_out(db, partner, debtor, TestProvider(settings["testpay"]), now)
    away = {**settings, "testpay": {**settings["testpay"], "folder": "/dev/null/nowhere"}}

    beside = clear(db, partner, away, debtor, now + timedelta(minutes=1))

    with db.transaction(partner) as tx:
        order = {"link_id": debtor.link_id, "amount": OWED, "currency": "NOK", "now": now, "beside": beside}
        started = start_checkout(tx, provider="other", **order)  # type: ignore[arg-type]
    assert beside
    assert started.amount == OWED


def test_two_tabs_with_two_ways_at_once_start_one_charge(
    db: Database, partner: int, settings: dict[str, dict[str, str]], debtor: Debtor, now: datetime
) -> None:
    together = threading.Barrier(2)
    ends: list[str] = []

    def click(way: str) -> None:
        together.wait()
        try:
            with db.transaction(partner) as tx:
                start_checkout(tx, link_id=debtor.link_id, provider=way, amount=OWED, currency="NOK", now=now)
            ends.append("started")
        except PaymentOnItsWay:
            ends.append("on its way")

    threads = [threading.Thread(target=click, args=(way,)) for way in settings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(ends) == ["on its way", "started"]
    assert states(db, partner) == ["created"]
