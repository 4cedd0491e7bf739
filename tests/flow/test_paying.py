"""Paying through a provider: the money counts once and is never lost, whatever the provider says, and in what order."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from relight.drivers.testpay import TestProvider
from relight.flow.database import Database, Tx
from relight.flow.payments import operations, queries
from relight.flow.payments.asking import poll_open_checkouts
from relight.flow.payments.checkouts import link_for, links_for
from relight.flow.payments.errors import LinkNotUsable, NothingToPay
from relight.flow.payments.port import PaymentState, ProviderEvent
from relight.flow.payments.weighing import Verdict
from tests.flow import ledger
from tests.flow.paying import OWED, Debtor, checked_out, make_debtor, said, with_policy, with_testpay


@pytest.fixture
def provider(owner: psycopg.Connection, partner: int, tmp_path: Path) -> TestProvider:
    return with_testpay(owner, partner, tmp_path)


@pytest.fixture
def debtor(db: Database, partner: int, now: datetime) -> Debtor:
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        return make_debtor(tx, now)


def tell(db: Database, partner: int, now: datetime, *events: ProviderEvent) -> list[Verdict]:
    with db.transaction(partner) as tx:
        return operations.record_notices(tx, provider_name="testpay", events=events, now=now)


def owed(db: Database, partner: int, debtor: Debtor) -> int:
    with db.transaction(partner) as tx:
        assert ledger.differences(tx) == []
        return tx.value("SELECT principal + costs FROM claim WHERE id = %(id)s", {"id": debtor.claim_id})


def credit(db: Database, partner: int, debtor: Debtor) -> int:
    with db.transaction(partner) as tx:
        return tx.value("SELECT credit FROM account WHERE id = %(id)s", {"id": debtor.account.id})


def payments(db: Database, partner: int) -> list[tuple[str, int, str, bool]]:
    with db.transaction(partner) as tx:
        return tx.rows("SELECT state, amount, currency, account_id IS NOT NULL FROM payment ORDER BY id")


def checkout_states(db: Database, partner: int) -> list[str]:
    with db.transaction(partner) as tx:
        return [row[0] for row in tx.rows("SELECT state FROM checkout ORDER BY id")]


def tasks(db: Database, partner: int) -> list[tuple[str, bool]]:
    with db.transaction(partner) as tx:
        return tx.rows("SELECT code, account_id IS NOT NULL FROM task WHERE state = 'open' ORDER BY id")


def message_to(tx: Tx, debtor: Debtor, channel: str, now: datetime) -> None:
    given = {
        "p": tx.partner_id,
        "c": debtor.case_id,
        "a": debtor.account.id,
        "party": debtor.account.party_id,
        "ch": channel,
        "now": now,
    }
    tx.run(
        "WITH e AS (INSERT INTO effect (partner_id, case_id, account_id, event_number, key, kind, channel, due_at,"
        " created_at) VALUES (%(p)s, %(c)s, %(a)s, 1, 'k', 'message', %(ch)s, %(now)s, %(now)s) RETURNING id)"
        " INSERT INTO sent_message (partner_id, effect_id, case_id, account_id, party_id, contact_point_id, channel,"
        " template, language, amount, released_at) SELECT %(p)s, e.id, %(c)s, %(a)s, %(party)s, x.id, %(ch)s,"
        " 'reminder', 'nb', 89900, %(now)s FROM e, contact_point x WHERE x.party_id = %(party)s AND x.channel = %(ch)s",
        given,
    )


def test_a_webhook_pays_the_bill_closes_the_checkout_and_wakes_the_case(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)

    verdicts = tell(db, partner, now, said(ref))

    assert verdicts == [Verdict.PAID]
    assert owed(db, partner, debtor) == 0
    assert checkout_states(db, partner) == ["paid"]
    with db.transaction(partner) as tx:
        lane, wakes_at = tx.row("SELECT lane, wakes_at FROM dunning_case WHERE id = %(id)s", {"id": debtor.case_id})
    assert (lane, wakes_at) == ("urgent", now)
    assert tasks(db, partner) == []


def test_the_urgent_loop_hears_of_it_when_the_webhook_commits(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime, owner: psycopg.Connection
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)
    owner.execute("LISTEN relight_urgent")

    tell(db, partner, now, said(ref))

    heard = next(owner.notifies(timeout=10, stop_after=1), None)
    assert heard is not None
    assert heard.channel == "relight_urgent"


def test_the_same_webhook_five_times_counts_once(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)

    verdicts = [tell(db, partner, now + timedelta(seconds=turn), said(ref)) for turn in range(5)]

    assert verdicts == [[Verdict.PAID], [], [], [], []]
    assert payments(db, partner) == [("confirmed", OWED, "NOK", True)]
    assert (owed(db, partner, debtor), credit(db, partner, debtor)) == (0, 0)


def test_the_same_webhook_five_times_at_once_counts_once(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)
    verdicts: list[Sequence[Verdict]] = []
    together = threading.Barrier(5)

    def deliver() -> None:
        together.wait()
        verdicts.append(tell(db, partner, now, said(ref)))

    threads = [threading.Thread(target=deliver) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(verdicts) == [[], [], [], [], [Verdict.PAID]]
    assert payments(db, partner) == [("confirmed", OWED, "NOK", True)]
    assert credit(db, partner, debtor) == 0


@pytest.mark.parametrize(
    "order",
    [
        (PaymentState.CONFIRMED, PaymentState.ORDERED),
        (PaymentState.CONFIRMED, PaymentState.FAILED),
        (PaymentState.CONFIRMED, PaymentState.AUTHORISED),
        (PaymentState.AUTHORISED, PaymentState.FAILED, PaymentState.CONFIRMED),
        (PaymentState.FAILED, PaymentState.CONFIRMED),
        (PaymentState.BOOKED, PaymentState.CONFIRMED, PaymentState.ORDERED),
    ],
    ids="-then-".join,
)
def test_events_out_of_order_do_no_harm(
    order: tuple[PaymentState, ...],
    db: Database,
    partner: int,
    debtor: Debtor,
    provider: TestProvider,
    now: datetime,
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)

    for state in order:
        tell(db, partner, now, said(ref, state))

    assert owed(db, partner, debtor) == 0
    furthest = "booked" if PaymentState.BOOKED in order else "confirmed"
    assert [payment[:2] for payment in payments(db, partner)] == [(furthest, OWED)]
    assert checkout_states(db, partner) == ["paid"]
    assert tasks(db, partner) == []


def test_a_declined_card_leaves_no_payment_and_no_task(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)

    verdicts = tell(db, partner, now, said(ref, PaymentState.FAILED))

    assert verdicts == [Verdict.FAILED]
    assert (payments(db, partner), tasks(db, partner)) == ([], [])
    assert checkout_states(db, partner) == ["failed"]
    assert owed(db, partner, debtor) == OWED


def test_a_payment_on_its_way_that_fails_does_not_stay_on_its_way(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)

    tell(db, partner, now, said(ref, PaymentState.AUTHORISED))
    tell(db, partner, now, said(ref, PaymentState.FAILED))

    assert payments(db, partner) == [("failed", OWED, "NOK", True)]
    assert owed(db, partner, debtor) == OWED


def test_a_returned_payment_opens_the_bill_again(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)

    tell(db, partner, now, said(ref))
    verdicts = tell(db, partner, now, said(ref, PaymentState.RETURNED))

    assert verdicts == [Verdict.RETURNED]
    assert owed(db, partner, debtor) == OWED


def test_a_payment_that_we_never_asked_for_is_kept_and_a_person_is_told(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    verdicts = tell(db, partner, now, said("test_from_elsewhere"))

    assert verdicts == [Verdict.UNKNOWN]
    assert payments(db, partner) == [("confirmed", OWED, "NOK", False)]
    assert tasks(db, partner) == [("payment_unknown", False)]
    assert owed(db, partner, debtor) == OWED


def test_a_wrong_amount_is_booked_as_it_came_and_a_person_is_told(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)

    verdicts = tell(db, partner, now, said(ref, amount=100))

    assert verdicts == [Verdict.MISMATCH]
    assert payments(db, partner) == [("confirmed", 100, "NOK", True)]
    assert owed(db, partner, debtor) == OWED - 100
    assert checkout_states(db, partner) == ["open"]
    assert tasks(db, partner) == [("payment_mismatch", True)]


def test_a_wrong_currency_never_pays_the_bill_and_is_not_lost(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)

    verdicts = tell(db, partner, now, said(ref, currency="SEK"))

    assert verdicts == [Verdict.MISMATCH]
    assert payments(db, partner) == [("confirmed", OWED, "SEK", False)]
    assert owed(db, partner, debtor) == OWED
    assert tasks(db, partner) == [("payment_mismatch", True)]


def test_pays_twice_and_the_second_sum_waits_as_credit(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    first = checked_out(db, partner, debtor, provider, now)
    second = checked_out(db, partner, debtor, provider, now + timedelta(hours=1), beside_others=True)

    tell(db, partner, now, said(first))
    tell(db, partner, now, said(second))

    assert first != second
    assert owed(db, partner, debtor) == 0
    assert credit(db, partner, debtor) == OWED
    assert checkout_states(db, partner) == ["paid", "paid"]


def test_a_double_click_is_the_same_checkout(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    first = checked_out(db, partner, debtor, provider, now)
    second = checked_out(db, partner, debtor, provider, now + timedelta(minutes=2))

    assert first == second
    assert checkout_states(db, partner) == ["open"]


def test_two_clicks_at_once_are_the_same_checkout(db: Database, partner: int, debtor: Debtor, now: datetime) -> None:
    keys: list[str] = []
    together = threading.Barrier(2)

    def click() -> None:
        together.wait()
        with db.transaction(partner) as tx:
            given = {"link_id": debtor.link_id, "provider": "testpay", "amount": OWED, "currency": "NOK"}
            keys.append(operations.start_checkout(tx, **given, now=now).key)

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_money_for_a_second_payment_that_a_careless_provider_made_finds_its_account(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    checked_out(db, partner, debtor, provider, now)
    with db.transaction(partner) as tx:
        (checkout_id,) = tx.row("SELECT id FROM checkout")
        operations.attach(tx, checkout_id=checkout_id, provider_ref="another_for_the_same_key", now=now)

    verdicts = tell(db, partner, now, said("another_for_the_same_key"))

    assert verdicts == [Verdict.PAID]
    assert owed(db, partner, debtor) == 0


def test_a_lost_webhook_is_found_by_asking(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)
    provider.finish(ref, "pay")

    too_soon = poll_open_checkouts(db, now + timedelta(seconds=5))
    found = poll_open_checkouts(db, now + timedelta(seconds=30))
    again = poll_open_checkouts(db, now + timedelta(seconds=60))

    assert (too_soon, found, again) == (0, 1, 0)
    assert owed(db, partner, debtor) == 0
    assert checkout_states(db, partner) == ["paid"]


def test_the_webhook_that_comes_after_all_changes_nothing(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)
    finished = provider.finish(ref, "pay")
    poll_open_checkouts(db, now + timedelta(seconds=30))

    headers, body = provider.webhook_of(finished)
    events = provider.parse_webhook(headers, body, datetime.fromisoformat(finished.at))
    verdicts = tell(db, partner, now + timedelta(seconds=40), *events)

    assert verdicts == []
    assert credit(db, partner, debtor) == 0


def test_a_checkout_that_nobody_paid_expires_and_late_money_counts_all_the_same(
    db: Database, partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)

    poll_open_checkouts(db, now + timedelta(hours=49))
    expired = checkout_states(db, partner)
    tell(db, partner, now + timedelta(hours=50), said(ref))

    assert expired == ["expired"]
    assert owed(db, partner, debtor) == 0
    assert checkout_states(db, partner) == ["paid"]


def test_another_partner_knows_nothing_of_the_checkout(
    db: Database, partner: int, other_partner: int, debtor: Debtor, provider: TestProvider, now: datetime
) -> None:
    ref = checked_out(db, partner, debtor, provider, now)

    verdicts = tell(db, other_partner, now, said(ref))

    assert verdicts == [Verdict.UNKNOWN]
    assert owed(db, partner, debtor) == OWED


def test_a_message_reuses_the_link_until_its_last_month(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        same = link_for(tx, debtor.case_id, debtor.account.id, now + timedelta(days=149))
        fresh = link_for(tx, debtor.case_id, debtor.account.id, now + timedelta(days=151))

    assert same == debtor.link_id
    assert fresh != debtor.link_id


def test_links_are_made_for_many_cases_at_once_and_never_for_another_accounts_case(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        other = make_debtor(tx, now)
        mixed_up = (other.case_id, debtor.account.id)

        found = links_for(tx, [(debtor.case_id, debtor.account.id), mixed_up], now)

        assert found == {debtor.case_id: debtor.link_id}
        with pytest.raises(LinkNotUsable, match="not a case of account"):
            link_for(tx, *mixed_up, now)


def test_the_page_asks_for_what_is_overdue_and_leaves_out_what_is_disputed_or_held(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    from relight.flow.cases.operations import place_hold
    from tests.flow.factories import make_claim

    with db.transaction(partner) as tx:
        make_claim(tx, debtor.account, now, amount=1000, disputed=400)
        held = make_claim(tx, debtor.account, now, amount=5000)
        make_claim(tx, debtor.account, now, amount=700, due_date=datetime(2099, 1, 1).date())  # noqa: DTZ001
        place_hold(
            tx,
            case_id=debtor.case_id,
            account_id=debtor.account.id,
            claim_id=held,
            reason="dispute",
            actor="test",
            now=now,
        )

        facts, _ = queries.facts(tx, debtor.link_id) or pytest.fail("the link is not there")

        assert (facts.overdue, facts.total, facts.amount) == (OWED + 600, OWED + 600 + 700, OWED + 600)
        assert facts.reference == "2345676"


def test_nothing_is_started_when_nothing_is_owed(db: Database, partner: int, debtor: Debtor, now: datetime) -> None:
    with db.transaction(partner) as tx, pytest.raises(NothingToPay):
        operations.start_checkout(tx, link_id=debtor.link_id, provider="testpay", amount=0, currency="NOK", now=now)


def test_whoever_says_not_me_is_left_in_peace_and_a_person_looks(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        operations.not_me(tx, case_id=debtor.case_id, account_id=debtor.account.id, now=now)
        operations.not_me(tx, case_id=debtor.case_id, account_id=debtor.account.id, now=now + timedelta(minutes=1))

        holds = tx.rows("SELECT reason, ends_at FROM hold")
        codes = [row[0] for row in tx.rows("SELECT code FROM task")]

    assert holds == [("wrong_person", now + timedelta(days=14))]
    assert codes == ["wrong_person"]


def test_the_addresses_that_the_last_messages_went_to_are_used_no_more(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        message_to(tx, debtor, "sms", now)

        operations.not_me(tx, case_id=debtor.case_id, account_id=debtor.account.id, now=now)

        points = tx.rows("SELECT channel, ended_because FROM contact_point ORDER BY channel")

    assert points == [("email", ""), ("letter", ""), ("sms", "wrong_person")]


def test_whoever_asks_for_time_gets_a_call_and_is_on_the_timeline(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        operations.ask_for_time(tx, case_id=debtor.case_id, account_id=debtor.account.id, now=now)

        codes = [row[0] for row in tx.rows("SELECT code FROM task")]
        events = tx.rows("SELECT code, actor FROM case_event WHERE code LIKE 'customer%%'")

    assert codes == ["customer_asks_for_time"]
    assert events == [("customer_asks_for_time", "customer")]
