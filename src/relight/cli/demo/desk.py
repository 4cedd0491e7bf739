"""The demo's people at desks: on working mornings they answer what came in until the evening before."""

from datetime import datetime, timedelta

from relight.flow.cases import operations as cases
from relight.flow.claims.operations import post_claims
from relight.flow.claims.rows import ClaimRow
from relight.flow.database import Database, Tx

AGENT, MANAGER = "bente", "mona"
PLAN_FOR = timedelta(days=30)
DISPUTE_FOR = timedelta(days=12)

_TASKS = """
    SELECT t.id, t.code, t.case_id, t.account_id, coalesce(r.meaning, '') FROM task t
    LEFT JOIN received_message r ON t.code = 'read_message' AND r.id = (t.params ->> 'message')::bigint
    WHERE t.state = 'open' AND t.code <> 'approve' AND t.created_at < %(before)s ORDER BY t.account_id, t.code, t.id
"""
_APPROVALS = """
    SELECT p.id FROM approval p JOIN dunning_case c ON c.partner_id = p.partner_id AND c.id = p.case_id
    WHERE p.state = 'requested' AND p.requested_at < %(before)s ORDER BY c.account_id, p.id
"""
_OPEN_CLAIMS = """
    SELECT c.id FROM claim c JOIN dunning_case k ON k.partner_id = c.partner_id AND k.account_id = c.account_id
        AND c.service_kind = ANY (k.services)
    WHERE k.id = %(case)s AND c.state = 'open' ORDER BY c.due_date, c.id
"""
_ENDED_DISPUTES = """
    SELECT a.ref, c.number, c.principal, cr.name, c.service_kind, c.currency, c.reference FROM hold h
    JOIN claim c ON c.partner_id = h.partner_id AND c.id = h.claim_id
    JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
    JOIN creditor cr ON cr.partner_id = c.partner_id AND cr.id = c.creditor_id
    WHERE h.reason = 'dispute' AND h.ends_at > %(since)s AND h.ends_at <= %(now)s
        AND c.state = 'open' AND c.principal > 1
    ORDER BY c.number
"""


def work(db: Database, partner_id: int, *, now: datetime, before: datetime) -> None:
    """A morning: approvals and tasks that were there `before`, and disputes whose time is up."""
    with db.transaction(partner_id) as tx:
        approvals, tasks = tx.rows(_APPROVALS, {"before": before}), tx.rows(_TASKS, {"before": before})
    for (approval_id,) in approvals:
        with db.transaction(partner_id) as tx:
            cases.decide_approval(tx, approval_id=approval_id, actor=MANAGER, granted=True, now=now)
    for task_id, code, case_id, account_id, meaning in tasks:
        with db.transaction(partner_id) as tx:
            if code == "read_message" and case_id is not None:
                _read(tx, case_id, account_id, meaning, now)
            cases.finish_task(tx, task_id=task_id, actor=AGENT, now=now)
    _credit(db, partner_id, now)


def _read(tx: Tx, case_id: int, account_id: int, meaning: str, now: datetime) -> None:
    """Who cannot pay gets a plan and is left in peace; who disputes gets an answer before anything else happens."""
    if meaning == "help":
        ends = now + PLAN_FOR
        cases.place_hold(tx, case_id=case_id, account_id=account_id, reason="plan", actor=AGENT, now=now, ends_at=ends)
        return
    for (claim_id,) in tx.rows(_OPEN_CLAIMS, {"case": case_id}):
        cases.place_hold(
            tx, case_id=case_id, account_id=account_id, reason="dispute", actor=AGENT, now=now,
            ends_at=now + DISPUTE_FOR, claim_id=claim_id,
        )  # fmt: skip


def _credit(db: Database, partner_id: int, now: datetime) -> None:
    """Who disputed was right about half of it: a credit note, once, on the first morning after the hold has ended."""
    with db.transaction(partner_id) as tx:
        found = tx.rows(_ENDED_DISPUTES, {"now": now, "since": now - timedelta(days=7)})
        rows = [
            ClaimRow(ref, f"K{number}", -(principal // 2), currency, now.date(), now.date(), creditor=creditor,
                     service_kind=kind, credits=number, reference=reference)
            for ref, number, principal, creditor, kind, currency, reference in found
            if not tx.value("SELECT 1 FROM claim WHERE number = %(number)s", {"number": f"K{number}"})
        ]  # fmt: skip
        if rows:
            posted = post_claims(tx, rows, run_id=None, now=now)
            assert not posted.refused, posted.refused
            cases.wake(tx, list(posted.account_ids), now, urgent=True)
