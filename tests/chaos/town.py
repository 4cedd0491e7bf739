"""The partner whose customers live through it: homes that are limited today, their payments, and new bills.

Everything comes in by production's own doors. The partner's clock shows the middle of a morning wherever this runs, so
that what only happens in working hours happens.
"""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from relight.core.policy_reader import packaged_text
from relight.drivers.testpay import TestProvider
from relight.flow.cases.people import operator
from relight.flow.claims.operations import post_claims
from relight.flow.claims.rows import ClaimRow
from relight.flow.database import Database, Tx
from relight.flow.payments.operations import attach, link_for, start_checkout
from relight.flow.payments.port import Order
from relight.flow.road.intake import import_cases, import_invoices
from relight.flow.road.publishing import publish_at_once
from tests.chaos import relay
from tests.chaos.hosted import POISON
from tests.flow.factories import make_account, make_service, make_source
from tests.flow.importing import write_csv

SLUG = "nordlys"
OWED = 89900
_HOUR = 9
_CUTS = 10_000_000
_LIMITED = """
    SELECT c.id, c.account_id, a.ref FROM dunning_case c
    JOIN account a ON a.id = c.account_id
    JOIN service s ON s.account_id = a.id JOIN supply u ON u.service_id = s.id
    WHERE u.observed = 'walled_garden' AND c.state <> 'closed'
        AND NOT EXISTS (SELECT FROM checkout k WHERE k.account_id = a.id) ORDER BY c.id LIMIT %(limit)s
"""
_ATTACHED = """
    SELECT k.provider_ref FROM checkout k WHERE k.provider_ref <> '' ORDER BY k.id
"""


class Town:
    """One partner. Every act may be begun again after it was interrupted."""

    def __init__(self, db: Database, folder: Path, partner: int):
        self.db, self.folder, self.partner = db, folder, partner
        self.provider = TestProvider(_testpay(folder))
        self.waves = len(list(folder.glob("wave-*.done")))
        self._one_orders = threading.Lock()

    def wave(self, homes: int, *, poisoned: int = 0) -> None:
        """Homes move in that have had their notices and not paid, in the old system: today they are limited.

        Their cases come with the notices: a worker that saw them without would send the first one itself."""
        number = self.waves
        names = [f"{POISON if at < poisoned else 'home'}-{number}-{at}" for at in range(homes)]
        now = self.db.clock()
        with self.db.transaction(self.partner) as tx:
            if not tx.rows("SELECT 1 FROM account WHERE ref = %(ref)s", {"ref": names[0]}):
                self._move_in(tx, names, now)
        steps = [
            (name, step, now.date() - timedelta(days=done), now.date() - timedelta(days=20), f"F-{name}", "taken over")
            for name in names
            for step, done in (("friendly", 66), ("reminder", 60))
        ]
        header = ("account", "step", "completed_date", "pay_by_date", "claims", "proof")
        report = import_cases(
            self.db, self.partner, write_csv(self.folder / "cases.csv", header, steps), now=now, clock=self.db.clock
        )
        assert not report.rejected, report.errors[:3]
        (self.folder / f"wave-{number}.done").touch()
        self.waves += 1

    def is_half_in(self) -> bool:
        """Whether homes of a wave moved in, and their cases have not come: the wave was interrupted between the two."""
        firsts = [f"{kind}-{self.waves}-0" for kind in (POISON, "home")]
        with self.db.transaction(self.partner) as tx:
            return bool(tx.rows("SELECT 1 FROM account WHERE ref = ANY (%(refs)s)", {"refs": firsts}))

    def bill(self, number: int, bills: int) -> None:
        """A file of invoices, of customers whom nobody knew; a file that was read in part is read again."""
        due = self.db.clock().date() - timedelta(days=10)
        rows = [(f"B-{number}-{at}", f"billed-{number}-{at}", "499.00", due) for at in range(bills)]
        path = write_csv(self.folder / f"bills-{number}.csv", ("number", "account", "amount", "due_date"), rows)
        report = import_invoices(self.db, self.partner, path, now=self.db.clock(), clock=self.db.clock)
        assert report.accepted + report.unchanged == bills, report

    def order(self, count: int) -> list[str]:
        """Some of the limited go to the card page, none of them twice; the provider's names for their payments."""
        now = self.db.clock()
        with self._one_orders, self.db.transaction(self.partner) as tx:
            return [self._check_out(tx, *row, now) for row in tx.rows(_LIMITED, {"limit": count})]

    def ordered(self) -> list[str]:
        """All payments that were ordered, by the provider's names."""
        with self.db.transaction(self.partner) as tx:
            return [row[0] for row in tx.rows(_ATTACHED)]

    def bank_is_heard(self) -> None:
        """The bank's payments are complete until now."""
        with self.db.transaction(self.partner) as tx:
            tx.run("UPDATE source SET complete_until = %(now)s", {"now": self.db.clock()})

    def _move_in(self, tx: Tx, names: list[str], now: datetime) -> None:
        due = now.date() - timedelta(days=70)
        for at, name in enumerate(names):
            phone, mail = f"+47{40_000_000 + 1000 * self.waves + at}", f"{name}@kunde.example"
            account = make_account(tx, now, ref=name, contacts={"email": mail} if at % 2 else {"sms": phone})
            make_service(tx, account, now, driver="sim", address={"device": name}, ref=f"S-{name}")
        rows = [ClaimRow(name, f"F-{name}", OWED, "NOK", due, service_kind="broadband") for name in names]
        assert not post_claims(tx, rows, run_id=None, now=now).refused

    def _check_out(self, tx: Tx, case_id: int, account_id: int, ref: str, now: datetime) -> str:
        link = link_for(tx, case_id, account_id, now)
        started = start_checkout(tx, link_id=link, provider="testpay", amount=OWED, currency="NOK", now=now, beside=[])
        order = Order(started.key, OWED, "NOK", "Nordlys", ref, "https://betal.example/p/token/status")
        made = self.provider.create(order)
        attach(
            tx, checkout_id=started.checkout_id, provider_ref=made.provider_ref, redirect_url=made.redirect_url,
            handle=made.handle, now=now,
        )  # fmt: skip
        return made.provider_ref


def settings(folder: Path, relay_at: str) -> dict[str, Any]:
    """The partner's drivers: simulated devices, the test provider, and two ways to half of the homes each. The inbox
    for text messages knows a key again, and whoever does not know what became of a message sends it once more. The
    mail relay at this address takes whatever comes, so nothing may be sent there again of which that is not known."""
    return {
        "supply": {"sim": {"driver": "simulator", "folder": str(folder / "devices")}},
        "messages": {
            "sms": {"driver": "inbox", "channel": "sms", "folder": str(folder / "inbox"), "receipts": False},
            "email": {"driver": "smtp", "host": relay_at, "port": relay.PORT, "tls": "none", "timeout_seconds": 5.0,
                      "bounce_address": "bounce@nordlys.example"},
        },
        "payments": {"testpay": _testpay(folder)},
    }  # fmt: skip


def _testpay(folder: Path) -> dict[str, Any]:
    return {"secret": "only-in-this-test", "folder": str(folder / "testpay")}


def found(owner: psycopg.Connection, db: Database, folder: Path, relay_at: str) -> Town:
    """The partner, made when it is not there yet."""
    row = owner.execute("SELECT id FROM partner WHERE slug = %s", (SLUG,)).fetchone()
    return Town(db, folder, row[0] if row else _make(owner, db, settings(folder, relay_at)))


def _make(owner: psycopg.Connection, db: Database, drivers: dict[str, Any]) -> int:
    now = db.clock()
    with owner.transaction():
        made = owner.execute(
            "INSERT INTO partner (slug, name, country, currency, language, time_zone, mode, created_at, site,"
            " cuts_per_hour, cuts_per_day, driver_settings)"
            " VALUES (%s, 'Nordlys', 'NO', 'NOK', 'nb', %s, 'live', %s, 'nordlys.example', %s, %s, %s) RETURNING id",
            (SLUG, morning(now), now, _CUTS, _CUTS, Jsonb(drivers)),
        ).fetchone()
        assert made is not None
        owner.execute(
            "INSERT INTO creditor (partner_id, name, bank_account) VALUES (%s, 'Nordlys AS', '15032080119')", made
        )
        owner.execute(
            "INSERT INTO brand (partner_id, name, sms_sender, email_sender, phone, site)"
            " VALUES (%s, 'Nordlys', 'Nordlys', 'hei@nordlys.example', '77 00 00 00', 'nordlys.example')",
            made,
        )
    partner: int = made[0]
    with db.transaction(partner) as tx:
        make_source(tx, now)
        publish_at_once(tx, _every_day(packaged_text("broadband-no")), by=operator("test"), now=now)
    return partner


def morning(now: datetime) -> str:
    """A time zone in which it is the middle of the morning."""
    ahead = (_HOUR - now.astimezone(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"


def _every_day(text: str) -> str:
    """The policy with every day a working day, holidays too, for as long as the law of this one lets it be."""
    week = "weekdays: [mon, tue, wed, thu, fri, sat, sun], holidays: true"
    changes = (
        ("weekdays: [mon, tue, wed, thu], hours: [9, 14]", f"{week}, hours: [0, 24]"),
        ("weekdays: [mon, tue, wed, thu, fri], hours: [9, 20]", f"{week}, hours: [8, 21]"),
        (", before_holidays: false", ""),
    )
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text
