"""A small portfolio as it would stand in the tables: people, their cases, and what has happened to them.

The road itself is not run: pages read rows, and rows can be written. What operations would have written takes their
shape.
"""

import base64
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from relight.core.policy_reader import packaged_text
from relight.flow.claims.rows import LineRow
from relight.flow.database import Database, Tx
from tests.flow import factories
from tests.flow.factories import Account

PASSWORD = "korrekt hest batteri stift"
_SALT, _ROUNDS = "relightsamplesalt12345", 1_000_000  # Django 5.2's
_numbers = itertools.count(1)
_DRIVERS = {"sms": "smpp", "email": "smtp", "letter": "print_folder"}


@dataclass(frozen=True)
class Portfolio:
    """Case ids by story."""

    kari: int  # limited, a cut waits for approval
    ola: int  # was cut, paid, is back
    amina: int  # held for a debt adviser
    per: int  # a business that is only watched
    lars: int  # closed long ago


def add_user(owner: psycopg.Connection, partner_id: int | None, role: str = "agent", *, name: str = "") -> str:
    """A user who may sign in with `PASSWORD`; the user name."""
    name = name or f"{role}-{next(_numbers)}"
    found = owner.execute(
        "INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff, is_active,"
        " date_joined) VALUES (%s, %s, false, 'Ingrid', 'Berg', %s, false, true, now()) RETURNING id",
        (name, _hashed(), f"{name}@nordlys.example"),
    ).fetchone()
    assert found is not None
    if partner_id is not None:
        join(owner, name, partner_id, role)
    return name


@cache
def _hashed() -> str:
    """`PASSWORD` as Django stores it (PBKDF2, RFC 8018), with as many rounds, so that no sign-in stores it anew."""
    made = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), _SALT.encode(), _ROUNDS)
    return f"pbkdf2_sha256${_ROUNDS}${_SALT}${base64.b64encode(made).decode()}"


def join(owner: psycopg.Connection, name: str, partner_id: int, role: str) -> None:
    """Make a user a member of a partner."""
    owner.execute(
        "INSERT INTO membership (partner_id, user_id, role) SELECT %s, id, %s FROM auth_user WHERE username = %s",
        (partner_id, role, name),
    )


def add_policy(tx: Tx, now: datetime, name: str = "broadband-no") -> int:
    """A published policy version; its id."""
    return tx.value(
        "INSERT INTO policy_version (partner_id, name, version, text, hash, services, debtor, published_at)"
        " VALUES (%(partner)s, %(name)s, 1, %(text)s, repeat('a', 64), ARRAY['broadband', 'electricity_grid'],"
        " 'consumer', %(now)s) ON CONFLICT (partner_id, name, version) DO UPDATE SET share = excluded.share"
        " RETURNING id",
        {"partner": tx.partner_id, "name": name, "text": packaged_text(name), "now": now},
    )


def add_case(tx: Tx, account: Account, now: datetime, *, policy: int, **fields: Any) -> int:
    """An open case unless `state` says otherwise; other columns by name. Its id."""
    state = fields.pop("state", "active")
    row = {
        "partner_id": tx.partner_id, "account_id": account.id, "policy_version_id": policy, "services": ["broadband"],
        "state": state, "wakes_at": None if state == "closed" else now + timedelta(days=2), "turned_at": now,
        "opened_at": now - timedelta(days=40), "closed_at": now if state == "closed" else None, **fields,
    }  # fmt: skip
    names = ", ".join(row)
    places = ", ".join(f"%({name})s" for name in row)
    return tx.value(f"INSERT INTO dunning_case ({names}) VALUES ({places}) RETURNING id", row)  # noqa: S608 - own names


def log(
    tx: Tx,
    case_id: int,
    at: datetime,
    code: str,
    params: Mapping[str, Any] | None = None,
    *,
    reasons: Sequence[Mapping[str, Any]] = (),
    actor: str = "relight",
    facts: Mapping[str, Any] | None = None,
) -> int:
    """Put an event on a case's log; its number."""
    return tx.value(
        "WITH bumped AS (UPDATE dunning_case SET version = version + 1 WHERE id = %(case)s RETURNING version)"
        " INSERT INTO case_event (partner_id, case_id, number, code, params, reasons, actor, at, policy_hash, facts)"
        " SELECT %(partner)s, %(case)s, version, %(code)s, %(params)s, %(reasons)s, %(actor)s, %(at)s, repeat('a', 64),"
        " %(facts)s FROM bumped RETURNING number",
        {
            "partner": tx.partner_id, "case": case_id, "code": code, "params": Jsonb(dict(params or {})),
            "reasons": Jsonb(list(reasons)), "actor": actor, "at": at, "facts": Jsonb(facts) if facts else None,
        },
    )  # fmt: skip


def take_step(
    tx: Tx, case_id: int, at: datetime, step: str, claims: Mapping[int, int], *, number: str, done: bool = True
) -> int:
    """A step with its event, taken for claims (id to principal); the step's number."""
    taken = log(
        tx,
        case_id,
        at,
        "step_taken",
        {"step": step, "claims": [number], "arrears": sum(claims.values())},
        reasons=[{"code": "policy.step_due", "params": {"step": step}}],
        facts={"arrears": sum(claims.values())},
    )
    step_id = tx.value(
        "INSERT INTO step_taken (partner_id, case_id, number, step, decided_at, completed_at, pay_by_date)"
        " VALUES (%(partner)s, %(case)s, %(number)s, %(step)s, %(at)s, %(done)s, %(term)s) RETURNING id",
        {
            "partner": tx.partner_id, "case": case_id, "number": taken, "step": step, "at": at,
            "done": at + timedelta(minutes=4) if done else None, "term": (at + timedelta(days=14)).date(),
        },
    )  # fmt: skip
    for claim_id, principal in claims.items():
        tx.run(
            "INSERT INTO step_claim (partner_id, step_id, claim_id, principal)"
            " VALUES (%(partner)s, %(step)s, %(claim)s, %(principal)s)",
            {"partner": tx.partner_id, "step": step_id, "claim": claim_id, "principal": principal},
        )
    return taken


def send(
    tx: Tx,
    case_id: int,
    account: Account,
    event: int,
    at: datetime,
    channel: str,
    template: str,
    text: str,
    *,
    part: int = 0,
) -> int:
    """A message that was delivered, with its effect, attempt and body; the message's id."""
    effect = add_effect(tx, case_id, account, event, at, kind="message", channel=channel, template=template, part=part)
    value = factories.CONTACTS[channel]
    message = tx.value(
        "INSERT INTO sent_message (partner_id, effect_id, case_id, account_id, party_id, contact_point_id, channel,"
        " template, language, amount, released_at, sent_at, delivered_at) SELECT %(partner)s, %(effect)s, %(case)s,"
        " %(account)s, p.party_id, p.id, %(channel)s, %(template)s, 'nb', 89900, %(at)s, %(at)s, %(seen)s"
        " FROM contact_point p WHERE p.party_id = %(party)s AND p.channel = %(channel)s RETURNING id",
        {
            "partner": tx.partner_id, "effect": effect, "case": case_id, "account": account.id, "channel": channel,
            "template": template, "at": at, "seen": at + timedelta(seconds=9), "party": account.party_id,
        },
    )  # fmt: skip
    subject = "Vi mangler en betaling fra deg" if channel == "email" else ""
    tx.run(
        "INSERT INTO message_body (partner_id, message_id, recipient, subject, text, pdf)"
        " VALUES (%(partner)s, %(message)s, %(recipient)s, %(subject)s, %(text)s, %(pdf)s)",
        {
            "partner": tx.partner_id, "message": message, "recipient": value.replace("\n", ", "), "subject": subject,
            "text": text, "pdf": b"%PDF-1.7 sample" if channel == "letter" else None,
        },
    )  # fmt: skip
    return message


def add_effect(tx: Tx, case_id: int, account: Account, event: int, at: datetime, **fields: Any) -> int:
    """An effect that ended well after one attempt, unless `state` says otherwise; its id."""
    state = fields.pop("state", "done")
    took = timedelta(seconds=fields.pop("took", 2))
    row = {
        "partner_id": tx.partner_id, "case_id": case_id, "account_id": account.id, "event_number": event,
        "step_number": event, "key": f"{case_id}-{event}-{next(_numbers)}", "state": state, "due_at": at,
        "created_at": at, "finished_at": at + took if state not in ("pending", "in_flight") else None, **fields,
    }  # fmt: skip
    names, places = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    effect = tx.value(f"INSERT INTO effect ({names}) VALUES ({places}) RETURNING id", row)  # noqa: S608 - own names
    if state == "pending":
        return effect
    tx.run(
        "INSERT INTO attempt (partner_id, effect_id, number, driver, started_at, send_before, finished_at, result,"
        " code) VALUES (%(partner)s, %(effect)s, 1, %(driver)s, %(at)s, %(at)s, %(done)s, %(result)s, 'simulated')",
        {
            "partner": tx.partner_id, "effect": effect, "at": at, "done": at + took,
            "driver": _DRIVERS.get(fields.get("channel", ""), "radius"),
            "result": "done" if state == "done" else "refused",
        },
    )  # fmt: skip
    return effect


def ask_approval(tx: Tx, case_id: int, at: datetime, step: str, claims: Sequence[int], *, needs: int = 1) -> int:
    """A step that waits for a yes, with its task; the approval's id."""
    log(tx, case_id, at, "approval_requested", {"step": step, "needs": needs})
    tx.run(
        "INSERT INTO task (partner_id, account_id, case_id, code, params, created_at, due_at, dedup)"
        " SELECT %(partner)s, account_id, id, 'approve', %(params)s, %(at)s, %(due)s, %(dedup)s"
        " FROM dunning_case WHERE id = %(case)s",
        {
            "partner": tx.partner_id, "case": case_id, "params": Jsonb({"step": step}), "at": at,
            "due": at + timedelta(days=3), "dedup": f"approve-{case_id}-{step}",
        },
    )  # fmt: skip
    return tx.value(
        "INSERT INTO approval (partner_id, kind, case_id, step, claims, needs, requested_at, requested_by)"
        " VALUES (%(partner)s, 'step', %(case)s, %(step)s, %(claims)s, %(needs)s, %(at)s, 'relight') RETURNING id",
        {
            "partner": tx.partner_id, "case": case_id, "step": step, "claims": list(claims), "needs": needs, "at": at,
        },
    )  # fmt: skip


def add_task(tx: Tx, case_id: int, at: datetime, code: str, *, urgent: bool = False, **params: Any) -> int:
    """Work for a person; its id."""
    return tx.value(
        "INSERT INTO task (partner_id, account_id, case_id, code, params, urgent, created_at, due_at, dedup)"
        " SELECT %(partner)s, account_id, id, %(code)s, %(params)s, %(urgent)s, %(at)s, %(due)s, %(dedup)s"
        " FROM dunning_case WHERE id = %(case)s RETURNING id",
        {
            "partner": tx.partner_id, "case": case_id, "code": code, "params": Jsonb(params), "urgent": urgent,
            "at": at, "due": at + timedelta(days=2), "dedup": f"{code}-{next(_numbers)}",
        },
    )  # fmt: skip


def fill(db: Database, partner_id: int, now: datetime, *, more: int = 0) -> Portfolio:
    """The stories, and `more` plain cases behind them."""
    with db.transaction(partner_id) as tx:
        policy = add_policy(tx, now)
        factories.make_source(tx, now - timedelta(hours=3), name="Nordlys bankkonto")
        portfolio = Portfolio(
            kari=_kari(tx, now, policy),
            ola=_ola(tx, now, policy),
            amina=_amina(tx, now, policy),
            per=_per(tx, now, policy),
            lars=_lars(tx, now, policy),
        )
        for index in range(more):
            plain_case(tx, now, policy, index)
        return portfolio


def _kari(tx: Tx, now: datetime, policy: int) -> int:
    account = factories.make_account(tx, now, name="Kari Nordmann")
    service = factories.make_service(tx, account, now, observed="walled_garden")
    claim = factories.make_claim(
        tx, account, now, amount=89900, due_date=(now - timedelta(days=52)).date(), number=f"F-{account.ref}",
        reference="12345678903", lines=[LineRow(79900, text="Fiber 500, oktober"), LineRow(10000, text="Ruter")],
    )  # fmt: skip
    case = add_case(
        tx, account, now, policy=policy, arrears=89900, step="limit", next_step="cut", waits_for="approval",
        next_at=now + timedelta(days=1),
    )  # fmt: skip
    log(tx, case, now - timedelta(days=40), "opened", {"arrears": 89900})
    friendly = take_step(tx, case, now - timedelta(days=40), "friendly", {claim: 89900}, number=f"F-{account.ref}")
    text = (
        "Hei Kari! Vi mangler 899,00 kr for bredbånd. Det er fort gjort å glemme. Betal her: nordlys.example/p/Xq3fKz7T"
    )
    send(tx, case, account, friendly, now - timedelta(days=40), "sms", "friendly_reminder", text)
    reminder = take_step(tx, case, now - timedelta(days=35), "reminder", {claim: 89900}, number=f"F-{account.ref}")
    add_effect(
        tx, case, account, reminder, now - timedelta(days=35), kind="message", channel="email", template="reminder"
    )
    letter = "Hei Kari,\n\nvi mangler fortsatt 899,00 kr. Betaler du ikke, kan bredbåndet bli stengt.\n\nHilsen Nordlys"
    send(tx, case, account, reminder, now - timedelta(days=35), "email", "disconnect_notice", letter, part=1)
    send(tx, case, account, reminder, now - timedelta(days=35), "letter", "disconnect_notice", letter, part=1)
    window = {
        "code": "guard.window",
        "params": {"opens": (now - timedelta(days=2)).isoformat()},
        "law": "ekomloven § 4-11",
    }
    log(
        tx, case, now - timedelta(days=4), "deferred",
        {"step": "limit", "until": (now - timedelta(days=2)).isoformat()}, reasons=[window],
    )  # fmt: skip
    limit = take_step(tx, case, now - timedelta(days=2), "limit", {claim: 89900}, number=f"F-{account.ref}")
    add_effect(
        tx, case, account, limit, now - timedelta(days=2), kind="supply", service_id=service, level="walled_garden",
        generation=1,
    )  # fmt: skip
    block(tx, service, case, limit, "walled_garden", now - timedelta(days=2))
    ask_approval(tx, case, now - timedelta(hours=5), "cut", [claim])
    return case


def _ola(tx: Tx, now: datetime, policy: int) -> int:
    account = factories.make_account(tx, now, name="Ola Hansen")
    service = factories.make_service(tx, account, now, kind="electricity_grid")
    claim = factories.make_claim(
        tx, account, now, amount=234550, due_date=(now - timedelta(days=60)).date(), number=f"F-{account.ref}",
        service_kind="electricity_grid",
    )  # fmt: skip
    case = add_case(tx, account, now, policy=policy, arrears=0, step="restore", services=["electricity_grid"])
    log(tx, case, now - timedelta(days=30), "opened", {"arrears": 234550})
    cut = take_step(tx, case, now - timedelta(days=1), "cut", {claim: 234550}, number=f"F-{account.ref}")
    add_effect(
        tx, case, account, cut, now - timedelta(days=1), kind="supply", service_id=service, level="off", generation=1
    )
    factories.pay(tx, account, 234550, now - timedelta(minutes=30))
    seen = now - timedelta(minutes=30)
    log(tx, case, seen, "payment_seen", {"payments": [1], "amount": 234550, "arrears": 0})
    decided = log(
        tx, case, seen, "restore_decided", {"services": [service]},
        reasons=[{"code": "restore.cured", "params": {"rule": "zero"}}],
    )  # fmt: skip
    add_effect(
        tx, case, account, decided, seen, kind="supply", service_id=service, level="full", generation=2, lane="urgent",
        took=8,
    )  # fmt: skip
    log(tx, case, seen + timedelta(seconds=9), "restored", {"step": decided, "services": [service]})
    add_task(tx, case, now - timedelta(hours=1), "cannot_reach", template="restored")
    return case


def _amina(tx: Tx, now: datetime, policy: int) -> int:
    account = factories.make_account(tx, now, name="Amina Yusuf", profile="careful")
    factories.make_service(tx, account, now)
    claim = factories.make_claim(tx, account, now, amount=412300, due_date=(now - timedelta(days=70)).date())
    case = add_case(
        tx, account, now, policy=policy, arrears=412300, step="reminder", next_step="limit", waits_for="guard.hold"
    )
    log(tx, case, now - timedelta(days=38), "opened", {"arrears": 412300})
    take_step(tx, case, now - timedelta(days=30), "reminder", {claim: 412300}, number="F")
    hold = tx.value(
        "INSERT INTO hold (partner_id, account_id, case_id, reason, note, starts_at, ends_at, placed_by)"
        " VALUES (%(partner)s, %(account)s, %(case)s, 'debt_help', 'Får hjelp av NAV. Ring tilbake etter jul.', %(at)s,"
        " %(until)s, 'ingrid') RETURNING id",
        {
            "partner": tx.partner_id, "account": account.id, "case": case, "at": now - timedelta(days=12),
            "until": now + timedelta(days=30),
        },
    )  # fmt: skip
    until = (now + timedelta(days=30)).isoformat()
    log(
        tx,
        case,
        now - timedelta(days=12),
        "hold_placed",
        {"hold": hold, "reason": "debt_help", "until": until},
        actor="ingrid",
    )
    log(
        tx, case, now - timedelta(days=3), "refused", {"step": "limit", "until": until},
        reasons=[{"code": "guard.hold", "params": {"holds": ["debt_help"]}}],
    )  # fmt: skip
    add_task(tx, case, now - timedelta(hours=2), "given_up", urgent=True, detail="The SMS centre did not answer.")
    return case


def _per(tx: Tx, now: datetime, policy: int) -> int:
    account = factories.make_account(tx, now, name="Per Pettersen Elektro AS", debtor="business", profile="vip")
    factories.make_service(tx, account, now)
    factories.make_claim(tx, account, now, amount=1250000, due_date=(now + timedelta(days=3)).date())
    return add_case(
        tx, account, now, policy=policy, state="watching", next_step="friendly", next_at=now + timedelta(days=5)
    )


def _lars(tx: Tx, now: datetime, policy: int) -> int:
    account = factories.make_account(tx, now, name="Lars Lunde")
    case = add_case(tx, account, now, policy=policy, state="closed")
    log(tx, case, now - timedelta(days=200), "opened", {"arrears": 50000})
    log(tx, case, now - timedelta(days=190), "closed")
    return case


_FIRST = ("Anne", "Bjørn", "Camilla", "Dag", "Eva", "Fredrik", "Grete", "Håkon", "Ida", "Jonas", "Maja", "Nils")
_LAST = ("Haugen", "Dahl", "Berg", "Lie", "Solberg", "Moen", "Bakke", "Strand", "Åsen", "Ødegård")


def plain_case(tx: Tx, now: datetime, policy: int, index: int, *, level: str = "full") -> int:
    """A case among many."""
    name = f"{_FIRST[index % len(_FIRST)]} {_LAST[index % len(_LAST)]}"
    account = factories.make_account(tx, now, name=name, contacts={"sms": f"+4795{index:06}"})
    factories.make_service(tx, account, now, observed=level)
    step = ("friendly", "reminder", "notice", "")[index % 4]
    return add_case(
        tx, account, now, policy=policy, arrears=39900 + 1700 * index, step=step,
        next_step=("reminder", "limit", "cut", "friendly")[index % 4],
        next_at=now + timedelta(days=index % 20, hours=3),
        opened_at=now - timedelta(days=5 + index % 50),
    )  # fmt: skip


def block(tx: Tx, service: int, case: int, step: int, level: str, at: datetime) -> None:
    """A service that is wanted at a level because of arrears, and was seen there."""
    tx.run(
        "INSERT INTO block (partner_id, service_id, case_id, step_number, reason, level, starts_at)"
        " VALUES (%(partner)s, %(service)s, %(case)s, %(step)s, 'arrears', %(level)s, %(at)s)",
        {"partner": tx.partner_id, "service": service, "case": case, "step": step, "level": level, "at": at},
    )
    tx.run(
        "UPDATE supply SET desired = %(level)s, generation = 1, desired_at = %(at)s, observed = %(level)s,"
        " observed_at = %(at)s, proof = 're-authentication' WHERE service_id = %(service)s",
        {"service": service, "level": level, "at": at},
    )
