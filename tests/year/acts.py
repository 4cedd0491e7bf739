"""What is done on a day of the simulated year, through the doors that a company's own systems and people use.

Each act is done once, whatever is killed: one that is a transaction leaves its mark in it; one that takes several is
of a kind that may be repeated, since what was told before changes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from relight.cli.demo.portfolio import Invoice
from relight.flow.cases import operations as cases
from relight.flow.claims.rows import ClaimRow
from relight.flow.database import Database, Tx
from relight.flow.payments.operations import attach, link_for, record_notices, start_checkout
from relight.flow.payments.port import PaymentState, ProviderEvent
from relight.flow.road.intake import import_payments, take_in_claims
from tests.unit.payments.files.written import Giro, Paid, camt, entry, ocr, statement
from tests.year import debits
from tests.year.script import Act

BILLS_AT_ONCE = 1000
AGENT, MANAGER = "bente", "mona"
STRAYS_WAIT = timedelta(days=6)
_KEPT = "SELECT 1 FROM year.done WHERE key = %(key)s"
_KEEP = "INSERT INTO year.done (key) VALUES (%(key)s)"
_BEGUN = "SELECT count(*) FROM year.done WHERE key LIKE %(key)s"
_OPEN = "SELECT principal + costs + interest FROM claim WHERE number = %(number)s AND state = 'open'"
_CLAIM = """
    SELECT c.id, c.account_id, c.principal + c.costs + c.interest, k.id
    FROM claim c LEFT JOIN dunning_case k ON k.account_id = c.account_id AND k.state <> 'closed'
        AND c.service_kind = ANY (k.services)
    WHERE c.number = %(number)s AND c.state = 'open' ORDER BY k.id DESC LIMIT 1
"""
_APPROVALS = "SELECT id FROM approval WHERE state = 'requested' AND requested_at < %(before)s ORDER BY id"
_TASKS = "SELECT id FROM task WHERE state = 'open' AND code <> 'approve' AND created_at < %(before)s ORDER BY id"


class Desk:
    """One partner's doors, with a folder for its bank's files."""

    def __init__(self, db: Database, partner_id: int, folder: Path):
        self.db, self.partner_id, self.folder = db, partner_id, folder

    def once(self, key: str, act: Callable[[Tx], object]) -> None:
        """Do it in one transaction, with its mark; not again when the mark is there."""
        with self.db.transaction(self.partner_id) as tx:
            if tx.value(_KEPT, {"key": key}) is None:
                act(tx)
                tx.run(_KEEP, {"key": key})

    def is_done(self, key: str) -> bool:
        """Whether its mark is there."""
        with self.db.transaction(self.partner_id) as tx:
            return tx.value(_KEPT, {"key": key}) is not None

    def begins(self, key: str) -> int:
        """How often this was begun before, and killed."""
        with self.db.transaction(self.partner_id) as tx:
            before: int = tx.value(_BEGUN, {"key": f"{key}-begun-%"})
            tx.run(_KEEP, {"key": f"{key}-begun-{before}"})
        return before

    # The bank

    def bank(self, day: date, number: int, acts: Sequence[Act], now: datetime) -> None:
        """The morning's files: giros with those that bounced, and a notification of what nobody can place."""
        if self.is_done(f"bank-{day}"):
            return
        giros = self._file(f"{day}.ocr", lambda: self._giros(day, number, acts))
        strays = self._file(f"{day}.xml", lambda: _strays(day, number, acts))
        import_payments(self.db, self.partner_id, strays, format="camt", source="notices", now=now)
        import_payments(self.db, self.partner_id, giros, format="ocr", complete_until=now, now=now)
        self.once(f"bank-{day}", lambda tx: None)

    def _file(self, name: str, write: Callable[[], bytes]) -> Path:
        """The bank writes a file once, whatever we do with it."""
        path = self.folder / name
        if not path.exists():
            draft = path.with_suffix(".draft")
            draft.write_bytes(write())
            draft.replace(path)
        return path

    def _giros(self, day: date, number: int, acts: Sequence[Act]) -> bytes:
        with self.db.transaction(self.partner_id) as tx:
            told = [giro for at, act in enumerate(acts) for giro in self._giro(tx, act, number * 10_000 + at)]
            told += debits.giros(tx, day, number)
        return ocr(told, transmission=number, assignment=number, day=f"{day:%d%m%y}")

    def _giro(self, tx: Tx, act: Act, archive: int) -> Iterable[Giro]:
        row = act.invoice.row
        if act.kind == "giro":
            yield Giro(row.amount * act.percent // 100, row.reference, archive)
        elif act.kind == "giro_open" and (open_ := tx.value(_OPEN, {"number": row.number})):
            yield Giro(open_, row.reference, archive)
        elif act.kind == "bounce":
            yield Giro(row.amount, row.reference, archive, type="18", sign="-")

    # Billing

    def bill(self, day: date, bills: Sequence[Invoice], now: datetime) -> None:
        """The day's invoices, in batches."""
        for at in range(0, len(bills), BILLS_AT_ONCE):
            self._claims(f"bills-{day}-{at}", [bill.row for bill in bills[at : at + BILLS_AT_ONCE]], now)

    def _claims(self, key: str, rows: list[ClaimRow], now: datetime) -> None:
        def post(tx: Tx) -> None:
            posted = take_in_claims(tx, rows, run_id=None, now=now)
            assert not posted.refused, posted.refused

        self.once(key, post)

    def credit(self, act: Act, now: datetime) -> None:
        """Who disputed was right about a part of it."""
        row = act.invoice.row
        note = ClaimRow(
            row.account_ref, f"K{row.number}", -(row.amount * act.percent // 100), row.currency, now.date(), now.date(),
            creditor=row.creditor, service_kind=row.service_kind, credits=row.number, reference=row.reference,
        )  # fmt: skip
        self._claims(act.key, [note], now)

    def cancel(self, act: Act, now: datetime) -> None:
        """The bill was never owed."""
        self._claims(act.key, [act.invoice.row._replace(cancelled=True)], now)

    # Customers

    def card(self, act: Act, now: datetime) -> None:
        """Pay by card what is open, where a case has sent a link; else nothing happens. Who was killed in between goes
        on with the order that was made."""
        if self.is_done(act.key):
            return
        with self.db.transaction(self.partner_id) as tx:
            amount = tx.value("SELECT amount FROM checkout WHERE provider_ref = %(ref)s", {"ref": act.key})
            found = tx.row(_CLAIM, {"number": act.invoice.row.number})
        if amount is None and found is not None and found[3] is not None:
            amount = found[2]
            with self.db.transaction(self.partner_id) as tx:
                cases.lock_accounts(tx, [found[1]])
                link = link_for(tx, found[3], found[1], now)
                order = start_checkout(tx, link_id=link, provider="cards", amount=amount, currency="NOK", now=now)
                attach(tx, checkout_id=order.checkout_id, provider_ref=act.key, now=now)
        if amount is not None:
            self._provider(f"{act.key}-paid", act.key, PaymentState.CONFIRMED, amount, now)
        self.once(act.key, lambda tx: None)

    def charge_back(self, act: Act, now: datetime) -> None:
        """The card's bank takes the money back."""
        ref = act.key.replace("charge_back", "card").rsplit("-", 1)[0] + "-1"
        with self.db.transaction(self.partner_id) as tx:
            amount = tx.value("SELECT amount FROM payment WHERE ref = %(ref)s", {"ref": ref})
        if amount:
            self._provider(act.key, ref, PaymentState.RETURNED, amount, now)

    def _provider(self, event: str, ref: str, state: PaymentState, amount: int, now: datetime) -> None:
        told = ProviderEvent(event, ref, state, amount, "NOK", now)
        with self.db.transaction(self.partner_id) as tx:
            record_notices(tx, provider_name="cards", events=[told], now=now)

    def dispute(self, act: Act, now: datetime) -> None:
        """The customer says that the bill is wrong; it is looked into for twelve days."""

        def hold(tx: Tx) -> None:
            found = tx.row(_CLAIM, {"number": act.invoice.row.number})
            if found is not None and found[3] is not None:
                cases.place_hold(
                    tx, case_id=found[3], account_id=found[1], reason="dispute", actor=AGENT, now=now,
                    ends_at=now + timedelta(days=12), claim_id=found[0],
                )  # fmt: skip

        self.once(act.key, hold)

    # People at desks

    def work(self, day: date, now: datetime, before: datetime) -> None:
        """Approvals and tasks that were there before."""

        def morning(tx: Tx) -> None:
            for (approval_id,) in tx.rows(_APPROVALS, {"before": before}):
                cases.decide_approval(tx, approval_id=approval_id, actor=MANAGER, granted=True, now=now)
            for (task_id,) in tx.rows(_TASKS, {"before": before}):
                cases.finish_task(tx, task_id=task_id, actor=AGENT, now=now)

        self.once(f"desk-{day}", morning)


def _strays(day: date, number: int, acts: Sequence[Act]) -> bytes:
    told = [
        entry(
            Paid(
                amount=f"{act.invoice.row.amount // 100}.{act.invoice.row.amount % 100:02}",
                reference=f"99{act.invoice.row.number[1:]}", bank_ref=f"S{act.invoice.row.number}",
                payer=f"Stranger of {act.invoice.row.account_ref}",
            ),
            day=day.isoformat(),
        )
        for act in acts if act.kind == "stray"
    ]  # fmt: skip
    return camt(statement(told, kind="camt.054", number=number, until=f"{day}T05:00:00+00:00"), kind="camt.054")
