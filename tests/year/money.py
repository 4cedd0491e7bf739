"""What people at desks do with money in the simulated year: each asked by one person, granted by another.

Who is chosen depends on the books, on account numbers and on services, never on ids: those differ after a kill.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from relight.flow.books import acts as books_acts
from relight.flow.books import periods, remittance
from relight.flow.cases import plans, promises
from relight.flow.cases.errors import UnableTo
from relight.flow.cases.operations import void_step
from relight.flow.cases.people import Person
from relight.flow.claims.placing import Part
from relight.flow.claims.rates import set_rate
from relight.flow.database import Tx
from relight.flow.handover import operations as agencies
from relight.flow.handover.port import read_status
from relight.flow.handover.settlement_file import read_settlement
from relight.flow.payments import bank_refunds, matching
from relight.flow.payments.bank_refunds import Wanted
from relight.flow.payments.matching import Act
from relight.flow.road.agencies import hear_agency, settle_agency

AGENT, MANAGER = Person("bente", "agent"), Person("mona", "manager")
AGENCY = "nordinkasso"
RECALLED = 3  # accounts that end so are called back by a person
_TWO_DAYS = timedelta(days=2)
SECOND_HALF_RATE = Decimal("11.50")

_STRAYS = """
    SELECT p.id, p.amount, a.id, a.ref FROM payment p JOIN account a ON 'Stranger of ' || a.ref = p.payer_name
    WHERE p.account_id IS NULL AND p.state = 'booked' AND p.received_at < %(before)s ORDER BY p.ref
"""
_CREDIT = """
    SELECT a.id, a.ref, t.payment_id, sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END)::bigint
    FROM account a JOIN transfer t ON t.account_id = a.id AND 'customer' IN (t.debit, t.credit)
    JOIN payment p ON p.id = t.payment_id AND p.state = 'booked' AND p.received_at < %(before)s
    WHERE a.credit > 0 AND NOT EXISTS (SELECT FROM claim c WHERE c.account_id = a.id AND c.state = 'open')
    GROUP BY a.id, a.ref, t.payment_id, p.ref
    HAVING sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END) > 0 ORDER BY a.ref, p.ref
"""
_ASKED = "SELECT id FROM bank_refund WHERE state = 'asked' ORDER BY id"
_OLD = """
    SELECT c.number, cr.name FROM claim c JOIN creditor cr ON cr.id = c.creditor_id
    WHERE c.state = 'open' AND c.due_date < %(before)s
        AND NOT EXISTS (SELECT FROM handover_claim h JOIN handover x ON x.id = h.handover_id
            WHERE h.claim_id = c.id AND x.ended_at IS NULL)
        AND right(c.number, 1) IN ('0', '5') ORDER BY c.number
"""
_SMALL = """
    SELECT c.number, cr.name FROM claim c JOIN creditor cr ON cr.id = c.creditor_id
    WHERE c.state = 'open' AND c.principal = 0 AND c.due_date < %(before)s ORDER BY c.number
"""
_ACTS = "SELECT id FROM books_act WHERE state = 'requested' ORDER BY id"
_HELP = """
    SELECT k.id, a.ref FROM dunning_case k JOIN account a ON a.id = k.account_id
    WHERE k.state = 'active' AND k.step = 'reminder' AND right(a.ref, 1) = %(digit)s
    ORDER BY a.ref, k.opened_at, k.services
"""
_WRONG_STEP = """
    SELECT k.id, s.number FROM dunning_case k JOIN account a ON a.id = k.account_id
    JOIN step_taken s ON s.case_id = k.id
    WHERE k.state = 'active' AND s.step = 'reminder' AND s.completed_at IS NOT NULL AND s.voided_at IS NULL
        AND right(a.ref, 2) = '33' ORDER BY a.ref, k.services, s.number
"""
_WITH_AGENCY = """
    SELECT h.ref, a.ref, k.services[1], h.state, h.wanted_back, h.case_id, h.placed_at,
        (SELECT coalesce(sum(c.principal + c.costs + c.interest), 0)::bigint FROM handover_claim x
            JOIN claim c ON c.id = x.claim_id WHERE x.handover_id = h.id)
    FROM handover h JOIN account a ON a.id = h.account_id JOIN dunning_case k ON k.id = h.case_id
    WHERE h.placed_at < %(before)s AND h.ended_at IS NULL ORDER BY a.ref, k.services, h.placed_at
"""
_COLLECTED = """
    SELECT h.ref, n.body ->> 'payment', (n.body ->> 'amount')::bigint FROM agency_notice n
    JOIN handover h ON h.id = n.handover_id JOIN account a ON a.id = h.account_id
    WHERE n.status = 'paid' AND n.said_at >= %(since)s AND n.said_at < %(until)s ORDER BY a.ref, 2
"""


def morning(tx: Tx, day: date, now: datetime) -> None:
    """A working day's money: what lies in the queue, what lies too long, who asks for time."""
    _place_strays(tx, now)
    _send_back(tx, now)
    _write_off(tx, day, now)
    _agree(tx, day, now)
    _void_wrong_steps(tx, now)


def month_end(tx: Tx, day: date, now: datetime) -> None:
    """The first working days of a month: pay creditors, settle with the agency, close what is over."""
    last = day.replace(day=1) - timedelta(days=1)
    for (creditor,) in tx.rows("SELECT name FROM creditor ORDER BY name"):
        try:
            remittance.remit(tx, creditor, last, by=MANAGER, now=now)
        except UnableTo:
            continue  # nothing came in, or more went back
    _settle_agency(tx, last, now)
    periods.close(tx, last.replace(day=1), by=MANAGER, now=now)


def set_summer_rate(tx: Tx, now: datetime) -> None:
    """The half-year's rate, which the law pack does not know: the operator has read it."""
    set_rate(tx, "late_interest", date(2026, 7, 1), SECOND_HALF_RATE, by=MANAGER.name, now=now)


def agency(tx: Tx, day: date, now: datetime) -> None:
    """What the agency says this morning, and who is called back from it."""
    for ref, account, service, state, wanted, case_id, placed_at, owed in tx.rows(
        _WITH_AGENCY, {"before": now - _TWO_DAYS}
    ):
        days, key = (now - placed_at).days, f"{account}-{service}-{placed_at:%Y%m%d}"
        told = {"case": ref, "at": now.isoformat()}
        if wanted:
            _hear(tx, {**told, "id": f"{key}-back", "status": "recall_confirmed"}, now)
            continue
        for said in _says(key, state, int(account[-1]), days, owed, now):
            _hear(tx, {**told, **said}, now)
        if int(account[-1]) == RECALLED and days >= 25 and state == "accepted":
            agencies.recall(tx, case_id=case_id, why="person", actor=AGENT.name, note="settled by phone", now=now)


def _hear(tx: Tx, told: dict[str, Any], now: datetime) -> None:
    hear_agency(tx, AGENCY, [read_status(told)], way="file", now=now)


def _says(key: str, state: str, digit: int, days: int, owed: int, now: datetime) -> Iterable[dict[str, Any]]:
    """By the account's last digit: most pay, some in the end not."""
    if state == "placed":
        yield {"id": f"{key}-yes", "status": "accepted"}
    elif state == "accepted" and days >= 14 and digit < 8 and digit != RECALLED and owed > 0:
        money = {"amount": owed, "currency": "NOK", "date": now.date().isoformat(), "payment": f"NI-{key}"}
        yield {"id": f"{key}-paid", "status": "paid", **money}
    elif state == "accepted" and days >= 40 and digit >= 8:
        yield {"id": f"{key}-no", "status": "uncollectable"}


def _place_strays(tx: Tx, now: datetime) -> None:
    for payment, amount, account, ref in tx.rows(_STRAYS, {"before": now - timedelta(days=5)}):
        if ref[-1] == "7":
            matching.park(tx, Act(payment, AGENT, now, "waits for the payer's answer"))
        else:
            matching.assign(tx, Act(payment, AGENT, now, "the payer's name"), [Part(account, amount)])


def _send_back(tx: Tx, now: datetime) -> None:
    for account, ref, payment, free in tx.rows(_CREDIT, {"before": now - timedelta(days=30)}):
        wanted = Wanted(account, free, f"Owner of {ref}", "86011117947")
        bank_refunds.ask(tx, Act(payment, AGENT, now, "paid too much"), wanted)
    for (refund,) in tx.rows(_ASKED):
        bank_refunds.decide(tx, refund, granted=True, by=MANAGER, now=now)
    bank_refunds.order(tx, now=now)


def _write_off(tx: Tx, day: date, now: datetime) -> None:
    for kind, found, days, reason in (("write_off", _OLD, 150, "old"), ("remission", _SMALL, 75, "only fees are left")):
        for number, creditor in tx.rows(found, {"before": day - timedelta(days=days)}):
            books_acts.ask(tx, kind, number, by=AGENT, reason=reason, now=now, creditor=creditor)
        for (act,) in tx.rows(_ACTS):
            books_acts.answer(tx, act, by=MANAGER, granted=True, now=now)


def _agree(tx: Tx, day: date, now: datetime) -> None:
    """Some get a plan, some name a day; whether they keep to it is up to their fate."""
    for case_id, _ in tx.rows(_HELP, {"digit": "1"}):
        _try(partial(plans.agree, tx, case_id=case_id, months=3, actor=AGENT.name, now=now, source="console"))
    week = day + timedelta(days=7)
    for case_id, _ in tx.rows(_HELP, {"digit": "2"}):
        _try(partial(promises.promise, tx, case_id=case_id, until=week, actor=AGENT.name, now=now, source="console"))


def _void_wrong_steps(tx: Tx, now: datetime) -> None:
    for case_id, number in tx.rows(_WRONG_STEP):
        void_step(tx, case_id=case_id, step_number=number, actor=AGENT.name, now=now, note="sent by mistake")


def _settle_agency(tx: Tx, last: date, now: datetime) -> None:
    span = {"since": last.replace(day=1), "until": last + timedelta(days=1)}
    rows = tx.rows(_COLLECTED, span)
    if rows:
        lines = [
            ",".join((ref, payment, _kr(paid), _kr(paid // 10), _kr(paid - paid // 10))) for ref, payment, paid in rows
        ]
        table = "\n".join(["case,payment,received,fee,paid_over", *lines]) + "\n"
        found = read_settlement(table.encode(), ref=f"{last:%Y-%m}", day=last, currency="NOK")
        settle_agency(tx, AGENCY, found, file_name=f"{last:%Y-%m}.csv", now=now)


def _kr(ore: int) -> str:
    return f"{ore // 100}.{ore % 100:02}"


def _try(act: Callable[[], object]) -> None:
    try:
        act()
    except UnableTo:
        return  # the policy does not let them, and nothing was changed
