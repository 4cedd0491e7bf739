"""The same contract end to end: webhooks over HTTP, asking, refunds and settlements, down to the ledger."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Database
from relight.flow.payments import refunds
from relight.flow.payments.asking import poll_open_checkouts
from relight.flow.payments.links import LinkKey, make
from relight.flow.payments.reconciling import reconcile_day
from relight.flow.payments.settle import settle
from tests.counterparts.tills import OLD, StripeTill, Till, Webhook
from tests.flow import ledger
from tests.flow.factories import make_source
from tests.flow.paying import OWED, Debtor, checked_out, make_debtor, order_of, with_policy
from tests.web.conftest import SECRET

pytestmark = pytest.mark.counterpart

OVERPAID = 10100
DAY = date(2026, 3, 2)


class Counter(NamedTuple):
    """A customer with an open checkout at a provider, and the way in for that provider's webhooks."""

    db: Database
    owner: psycopg.Connection
    partner: int
    client: httpx.Client
    path: str
    till: Till
    debtor: Debtor
    ref: str
    now: datetime

    def hears(self, webhook: Webhook) -> int:
        headers, body = webhook
        return self.client.post(self.path, content=body, headers=headers).status_code

    def is_set_up(self, settings: dict[str, Any]) -> None:
        given = Jsonb({"payments": {self.till.name: settings}})
        self.owner.execute("UPDATE partner SET driver_settings = %s WHERE id = %s", (given, self.partner))

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.db.transaction(self.partner) as tx:
            assert ledger.differences(tx) == []
            return tx.rows(statement)

    @property
    def owes(self) -> int:
        return self.rows("SELECT sum(principal + costs)::bigint FROM claim")[0][0]

    @property
    def credit(self) -> int:
        return self.rows("SELECT sum(credit)::bigint FROM account")[0][0]

    @property
    def payments(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT state, amount, currency, account_id IS NOT NULL FROM payment ORDER BY id")

    @property
    def tasks(self) -> list[str]:
        return [code for (code,) in self.rows("SELECT code FROM task WHERE state = 'open' ORDER BY id")]

    @property
    def notices(self) -> int:
        return self.rows("SELECT count(*) FROM provider_notice")[0][0]


@pytest.fixture
def counter(
    till: Till, site: str, db: Database, owner: psycopg.Connection, partner: int, now: datetime
) -> Iterator[Counter]:
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        debtor = make_debtor(tx, now)
        slug = tx.value("SELECT slug FROM partner WHERE id = %(id)s", {"id": partner})
    ref = checked_out(db, partner, debtor, till.provider, now)
    with httpx.Client(base_url=site, trust_env=False, timeout=30) as client:
        made = Counter(db, owner, partner, client, f"/webhooks/{slug}/{till.name}", till, debtor, ref, now)
        made.is_set_up(till.settings)
        yield made


def test_told_five_times_a_payment_counts_once(counter: Counter) -> None:
    counter.till.pays(counter.ref)
    webhook = counter.till.webhook(counter.ref)

    statuses = [counter.hears(webhook) for _ in range(5)]

    assert statuses == [200] * 5
    assert (counter.owes, counter.credit) == (0, 0)
    assert counter.payments == [("confirmed", OWED, "NOK", True)]
    assert (counter.notices, counter.tasks) == (1, [])


def test_a_provider_reads_the_answer_that_it_wants(counter: Counter) -> None:
    counter.till.pays(counter.ref)
    headers, body = counter.till.webhook(counter.ref)

    answer = counter.client.post(counter.path, content=body, headers=headers)

    assert answer.text == (counter.till.provider.webhook_answer or '{"recorded": ["paid"]}')


def test_what_is_forged_changed_or_stale_leaves_no_trace(counter: Counter) -> None:
    counter.till.pays(counter.ref)
    bad = [*counter.till.forged(counter.ref), counter.till.changed(counter.ref, OWED)]
    if counter.till.dates:
        bad += [counter.till.webhook(counter.ref, at=datetime.now(UTC) + age) for age in (OLD, -OLD)]

    statuses = {counter.hears(webhook) for webhook in bad}

    assert statuses == {400}
    assert (counter.notices, counter.payments, counter.owes) == (0, [], OWED)


def test_words_out_of_order_do_no_harm(counter: Counter) -> None:
    counter.till.pays(counter.ref)
    paid = counter.till.webhook(counter.ref)

    statuses = [counter.hears(paid), counter.hears(counter.till.webhook(counter.ref, what="declined"))]

    assert statuses == [200, 200]
    assert counter.owes == 0
    assert counter.payments == [("confirmed", OWED, "NOK", True)]
    assert counter.rows("SELECT state FROM checkout") == [("paid",)]


def test_a_payment_that_nobody_asked_for_waits_for_a_person(counter: Counter) -> None:
    stranger = counter.till.provider.create(order_of(counter.debtor, "not-from-here")).provider_ref
    counter.till.pays(stranger)

    status = counter.hears(counter.till.webhook(stranger))

    assert status == 200
    assert counter.payments == [("confirmed", OWED, "NOK", False)]
    assert (counter.owes, counter.tasks) == (OWED, ["payment_unknown"])


def test_another_sum_is_booked_as_it_came_and_a_person_looks(counter: Counter) -> None:
    counter.till.becomes(counter.ref, amount=100)
    counter.till.pays(counter.ref)
    counter.till.becomes(counter.ref, amount=100)

    status = counter.hears(counter.till.webhook(counter.ref))

    assert status == 200
    assert counter.payments == [("confirmed", 100, "NOK", True)]
    assert (counter.owes, counter.tasks) == (OWED - 100, ["payment_mismatch"])


def test_another_currency_pays_no_bill_and_is_not_lost(counter: Counter) -> None:
    counter.till.pays(counter.ref)
    counter.till.becomes(counter.ref, currency="DKK")

    status = counter.hears(counter.till.webhook(counter.ref))

    assert status == 200
    assert counter.payments == [("confirmed", OWED, "DKK", False)]
    assert (counter.owes, counter.tasks) == (OWED, ["payment_mismatch"])


def test_a_payment_that_went_back_is_owed_again_and_its_replay_changes_nothing(counter: Counter) -> None:
    counter.till.pays(counter.ref)
    paid = counter.till.webhook(counter.ref)
    counter.hears(paid)
    counter.hears(counter.till.webhook(counter.ref, what="refunded", amount=OWED))

    status = counter.hears(paid)

    assert status == 200
    assert counter.payments == [("returned", OWED, "NOK", True)]
    assert (counter.owes, counter.credit) == (OWED, 0)


def test_a_lost_webhook_is_found_by_asking_within_a_minute(counter: Counter) -> None:
    counter.till.pays(counter.ref)

    poll_open_checkouts(counter.db, counter.now + timedelta(seconds=40))
    found = counter.payments

    assert found == [("confirmed", OWED, "NOK", True)]
    assert counter.owes == 0
    counter.hears(counter.till.webhook(counter.ref))
    assert (counter.payments, counter.credit) == ([("confirmed", OWED, "NOK", True)], 0)


def test_what_was_paid_too_much_goes_back_and_is_booked_once(counter: Counter) -> None:
    bank = PaymentRow("B1", OVERPAID, "NOK", "booked", DAY, account_ref=counter.debtor.account.ref)
    with counter.db.transaction(counter.partner) as tx:
        settle(tx, make_source(tx, counter.now, name="bank"), [bank], now=counter.now)
    counter.till.pays(counter.ref)
    counter.hears(counter.till.webhook(counter.ref))
    before = (counter.owes, counter.credit)

    with counter.db.transaction(counter.partner) as tx:
        given = {"provider_name": counter.till.name, "ref": counter.ref, "amount": None, "now": counter.now}
        ordered = refunds.order_refund(tx, **given, by="kari")
    sent = refunds.send_refunds_of(counter.db, counter.partner, {counter.till.name: counter.till.settings}, counter.now)
    statuses = [counter.hears(counter.till.webhook(counter.ref, what="refunded", amount=OVERPAID)) for _ in range(2)]

    assert (before, ordered, sent, statuses) == ((0, OVERPAID), OVERPAID, 1, [200, 200])
    assert (counter.owes, counter.credit, counter.tasks) == (0, 0, [])
    assert counter.rows("SELECT state, amount FROM provider_refund") == [("done", OVERPAID)]
    with counter.db.transaction(counter.partner) as tx:
        assert (ledger.balance(tx, "refund"), ledger.balance(tx, "settlement")) == (0, OWED)


def test_a_settlement_finds_what_nobody_told_and_puts_it_in_the_bank(counter: Counter) -> None:
    counter.till.pays(counter.ref)
    counter.till.provider.poll(counter.ref, counter.now, *_handle(counter))
    counter.till.settles(counter.ref, DAY)
    settings = dict(counter.till.settings)
    if isinstance(counter.till, StripeTill):
        settings["api_base"] = counter.till.prism
    given = (counter.db, counter.partner, {counter.till.name: settings}, counter.till.name, DAY, counter.now)

    first, again = reconcile_day(*given), reconcile_day(*given)

    assert (first.told, first.found, first.differing) == (1, 1, 0)
    assert (again.told, again.found, again.differing) == (1, 0, 0)
    assert (counter.owes, counter.payments) == (0, [("booked", OWED, "NOK", True)])


def test_a_provider_that_is_away_is_said_kindly_and_the_next_click_goes_through(counter: Counter) -> None:
    counter.owner.execute("DELETE FROM checkout WHERE partner_id = %s", (counter.partner,))
    link = f"/p/{make(counter.partner, counter.debtor.link_id, LinkKey.of(SECRET))}/pay"
    counter.is_set_up(counter.till.unreachable)

    away = counter.client.post(link, data={"way": counter.till.name})
    counter.is_set_up(counter.till.settings)
    back = counter.client.post(link, data={"way": counter.till.name})

    assert (away.status_code, back.status_code) == (503, 303)
    assert "trukket fra kontoen din" in away.text
    assert counter.rows("SELECT state, provider_ref <> '' FROM checkout ORDER BY id") == [
        ("failed", False),
        ("open", True),
    ]


def _handle(counter: Counter) -> tuple[str]:
    return (counter.rows("SELECT handle FROM checkout")[0][0],)
