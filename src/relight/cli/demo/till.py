"""How the demo's customers pay: by card at the test provider, or by transfer. Both enter where money always does."""

import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from relight.cli.demo.partner import BANK
from relight.drivers.testpay import TestProvider
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Database, Tx
from relight.flow.payments import queries
from relight.flow.payments.links import LinkKey, read
from relight.flow.payments.operations import attach, record_notices, start_checkout
from relight.flow.payments.port import Order
from relight.flow.payments.settle import settle

LINK = re.compile(r"https?://[^\s\"'<>]+/p/([0-9A-Za-z]{22})")
_OPEN = """
    SELECT c.reference, c.principal + c.costs FROM claim c
    JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
    WHERE a.ref = %(ref)s AND c.state = 'open' AND c.due_date <= %(today)s::date + 5 ORDER BY c.due_date, c.id
"""
_LAST_PAID = """
    SELECT c.reference, c.amount FROM claim c JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
    WHERE a.ref = %(ref)s AND c.state = 'settled' AND c.amount > 0 ORDER BY c.settled_at DESC, c.id DESC LIMIT 1
"""


@dataclass(slots=True)
class Till:
    """The partner's money. `accepted` keeps, by account, the monotonic moment of its last accepted payment."""

    db: Database
    partner_id: int
    provider: TestProvider
    key: LinkKey
    zone: ZoneInfo
    accepted: dict[str, float] = field(default_factory=dict[str, float])
    _ordered: dict[str, PaymentRow] = field(default_factory=dict[str, PaymentRow])
    _transfers: int = 0

    def card(self, url: str, now: datetime) -> bool:
        """Follow a pay link and pay what the page asks for, all of it; False when it asks for nothing."""
        found = LINK.search(url)
        if found is None:
            return False
        _, link_id = read(found[1], self.key)
        with self.db.transaction(self.partner_id) as tx:
            page = _page(tx, link_id, now)
            if page is None or not page["asked"]:
                return False
            order = start_checkout(
                tx,
                link_id=link_id,
                provider=self.provider.name,
                amount=page["asked"],
                currency=page["currency"],
                now=now,
            )
        checkout = self.provider.create(
            Order(
                order.key, order.amount, order.currency, page["creditor"], page["reference"] or page["account_ref"], url
            )
        )
        with self.db.transaction(self.partner_id) as tx:
            attach(tx, checkout_id=order.checkout_id, provider_ref=checkout.provider_ref, now=now)
        headers, body = self.provider.webhook_of(self.provider.finish(checkout.provider_ref, "pay"))
        events = self.provider.parse_webhook(headers, body, now)
        with self.db.transaction(self.partner_id) as tx:
            record_notices(tx, provider_name=self.provider.name, events=events, now=now)
        self.accepted[page["account_ref"]] = time.monotonic()
        return True

    def order(self, account_ref: str, percent: int, now: datetime, *, again: bool = False) -> None:
        """Order transfers for what is open, by KID; they are booked at the next bank run."""
        today = now.astimezone(self.zone).date()
        with self.db.transaction(self.partner_id) as tx:
            wanted = tx.rows(_LAST_PAID if again else _OPEN, {"ref": account_ref, "today": today})
        for reference, owed in wanted:
            if reference in self._ordered or not (amount := owed * percent // 100):
                continue
            self._transfers += 1
            ref = f"{today:%Y%m%d}-{self._transfers:06d}"
            self._ordered[reference] = PaymentRow(ref, amount, "NOK", "booked", today, account_ref, reference)

    def bank_run(self, now: datetime, *, books: bool) -> int:
        """The bank's morning file: on banking days everything ordered; how many. Money data is complete until now."""
        rows = sorted(self._ordered.values(), key=lambda row: row.ref) if books else []
        with self.db.transaction(self.partner_id) as tx:
            tx.run("UPDATE source SET complete_until = %(now)s WHERE name = %(bank)s", {"now": now, "bank": BANK})
            if rows:
                settle(tx, tx.value("SELECT id FROM source WHERE name = %(bank)s", {"bank": BANK}), rows, now=now)
        self.accepted |= {row.account_ref: time.monotonic() for row in rows}
        if books:
            self._ordered.clear()
        return len(rows)


def _page(tx: Tx, link_id: int, now: datetime) -> dict[str, Any] | None:
    """What the pay page would show at this moment of the story."""
    tx.run("SELECT set_config('relight.now', %(now)s, true)", {"now": now.isoformat()})
    cursor = tx.connection.execute(queries.SQL.page, {"link": link_id})
    row = cursor.fetchone()
    if row is None:
        return None
    page = dict(zip([column.name for column in cursor.description or ()], row, strict=True))
    return {**page, "asked": page["overdue"] or page["total"]}
