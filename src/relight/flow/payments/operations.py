"""What providers and customers tell us, recorded: one transaction each, and the next turn decides what follows.

Every word of a provider goes through `record_notices`, whether it came by webhook or was asked for by polling. A
notice's unique key makes a replay harmless; a payment's own key makes the same money told twice count once (I1).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from relight.flow.cases import operations as cases
from relight.flow.cases.tasks import add_task
from relight.flow.claims.rows import PaymentRow
from relight.flow.claims.sources import provider_source
from relight.flow.database import Tx, statements
from relight.flow.payments import refunds
from relight.flow.payments.checkouts import Started, attach, link_for, links_for, start_checkout
from relight.flow.payments.port import ProviderEvent
from relight.flow.payments.settle import settle
from relight.flow.payments.weighing import AskedFor, Verdict, Weighed, weigh

__all__ = (
    "Started", "ask_for_time", "attach", "fail_second_check", "link_for", "links_for", "not_me",
    "record_notices", "start_checkout",
)  # fmt: skip

SQL = statements(__package__, "operations.sql")

TASK_DUE = timedelta(days=1)
WRONG_PERSON_HOLD = timedelta(days=14)


_ABOUT_REFUNDS = {Verdict.REFUNDED: refunds.finish, Verdict.REFUND_FAILED: refunds.undo}


def record_notices(tx: Tx, *, provider_name: str, events: Sequence[ProviderEvent], now: datetime) -> list[Verdict]:
    """Keep what a provider said and settle the money in it; the verdicts on what was new, in the events' order.

    An event told before (same id) changes nothing. Wakes the accounts' cases and notifies the urgent loop.
    """
    assert tx.partner_id is not None
    events = list({event.event_id: event for event in events}.values())
    if not events:
        return []
    source_id, zone = _source(tx, provider_name)
    tx.zone = zone
    orders = _orders(tx, provider_name, source_id, events)
    weighed = [(event, weigh(event, orders.get(event.provider_ref))) for event in events]
    new = _keep(tx, provider_name, weighed, now)
    told = [(event, found) for event, found in weighed if event.event_id in new]
    if any(found.verdict in _ABOUT_REFUNDS for _, found in told):
        now = cases.locked_at(tx, sorted({order.account_id for order in orders.values()}), now)
    rows = [_payment(event, orders.get(event.provider_ref), zone) for event, found in told if found.settles]
    if rows:
        settle(tx, source_id, rows, now=now)
    _finish_checkouts(tx, told, orders, now)
    for event, found in told:
        if found.verdict in _ABOUT_REFUNDS:
            about = _ABOUT_REFUNDS[found.verdict]
            about(tx, source_id=source_id, ref=event.provider_ref, amount=event.amount, now=now)
    for event, found in told:
        if found.task:
            _ask_a_person(tx, provider_name, event, orders.get(event.provider_ref), found.task, now)
    return [found.verdict for _, found in told]


def ask_for_time(tx: Tx, *, case_id: int, account_id: int, now: datetime) -> None:
    """The customer cannot pay now and asks to be called: a task for a person, and a line on the timeline."""
    now = cases.locked_at(tx, [account_id], now)
    cases.append_event(tx, case_id=case_id, code="customer_asks_for_time", actor="customer", now=now)
    add_task(
        tx,
        case_id=case_id,
        account_id=account_id,
        code="customer_asks_for_time",
        due_at=now + TASK_DUE,
        dedup=f"asks-for-time-{case_id}",
        now=now,
    )


def not_me(tx: Tx, *, case_id: int, account_id: int, now: datetime) -> None:
    """Whoever got the message says that it was not for them: we stop writing there, pause, and let a person look.

    A link belongs to a case, not to an address, so the last address of each electronic channel ends. Told twice, the
    second time changes nothing. The pause ends by itself: pressing a button must not stop a case for good.
    """
    now = cases.locked_at(tx, [account_id], now)
    if tx.value(SQL.is_held, {"case": case_id, "reason": "wrong_person", "now": now}):
        return
    ended = [row[0] for row in tx.rows(SQL.end_contact_points, {"case": case_id, "now": now})]
    cases.place_hold(
        tx,
        case_id=case_id,
        account_id=account_id,
        reason="wrong_person",
        actor="customer",
        now=now,
        ends_at=now + WRONG_PERSON_HOLD,
        source="pay page",
    )
    add_task(
        tx,
        case_id=case_id,
        account_id=account_id,
        code="wrong_person",
        due_at=now + TASK_DUE,
        dedup=f"wrong-person-{case_id}",
        now=now,
        params={"contact_points": ended},
    )


def fail_second_check(tx: Tx, *, case_id: int, link_id: int, now: datetime) -> None:
    """A wrong answer to the second check, on the log: an hour's wrong answers are counted there (`queries.check`).

    The caller holds the account's lock.
    """
    cases.append_event(
        tx, case_id=case_id, code="second_check_failed", actor="customer", now=now, params={"link": link_id}
    )


def _source(tx: Tx, provider_name: str) -> tuple[int, ZoneInfo]:
    given = {"partner": tx.partner_id, "provider": provider_name}
    found, zone = tx.rows(SQL.source_of, given)[0]
    return found if found is not None else provider_source(tx, provider_name), ZoneInfo(zone)


def _orders(tx: Tx, provider_name: str, source_id: int, events: Sequence[ProviderEvent]) -> dict[str, AskedFor]:
    refs = sorted({event.provider_ref for event in events})
    found = tx.rows(SQL.orders, {"provider": provider_name, "source": source_id, "refs": refs})
    return {ref: AskedFor(*order) for ref, *order in found if order[0] is not None}


def _keep(tx: Tx, provider_name: str, weighed: Sequence[tuple[ProviderEvent, Weighed]], now: datetime) -> set[str]:
    events = [event for event, _ in weighed]
    given = {
        "partner": tx.partner_id,
        "provider": provider_name,
        "event_ids": [event.event_id for event in events],
        "refs": [event.provider_ref for event in events],
        "states": [event.state.value for event in events],
        "amounts": [event.amount for event in events],
        "currencies": [event.currency for event in events],
        "occurred": [event.occurred_at for event in events],
        "outcomes": [found.verdict.value for _, found in weighed],
        "operations": [event.operation for event in events],
        "now": now,
    }
    return {row[0] for row in tx.rows(SQL.keep_notices, given)}


def _payment(event: ProviderEvent, order: AskedFor | None, zone: ZoneInfo) -> PaymentRow:
    return PaymentRow(
        ref=event.provider_ref,
        amount=event.amount,
        currency=event.currency,
        state=event.state.value,
        value_date=event.occurred_at.astimezone(zone).date(),
        account_ref=order.account_ref if order else "",
    )


def _finish_checkouts(
    tx: Tx, told: Sequence[tuple[ProviderEvent, Weighed]], orders: Mapping[str, AskedFor], now: datetime
) -> None:
    # One state for each checkout: when the same call tells of failure and payment, the payment is what stands.
    states: dict[int, str] = {}
    for event, found in told:
        if found.checkout and states.get(orders[event.provider_ref].checkout_id) != "paid":
            states[orders[event.provider_ref].checkout_id] = found.checkout
    if states:
        tx.run(SQL.finish_checkouts, {"checkouts": list(states), "states": list(states.values()), "now": now})


def _ask_a_person(
    tx: Tx, provider_name: str, event: ProviderEvent, order: AskedFor | None, code: str, now: datetime
) -> None:
    params: dict[str, Any] = {
        "provider": provider_name,
        "ref": event.provider_ref,
        "state": event.state.value,
        "amount": event.amount,
        "currency": event.currency,
    }
    dedup = f"{code}-{provider_name}-{event.provider_ref}"
    if order is None:
        given = {"partner": tx.partner_id, "code": code, "params": Jsonb(params), "dedup": dedup, "now": now}
        tx.run(SQL.add_loose_task, {**given, "due_at": now + TASK_DUE})
        return
    add_task(
        tx,
        case_id=order.case_id,
        account_id=order.account_id,
        code=code,
        due_at=now + TASK_DUE,
        dedup=dedup,
        now=now,
        params={**params, "asked": order.amount, "asked_currency": order.currency},
    )
