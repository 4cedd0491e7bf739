"""What others do while the workers work, through production's doors: customers, agents, billing, the bank, readers.

Each act is a process of its own: a web request, or an import. One that was killed is tried again, as customers,
providers and people do.
"""

import csv
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from relight.flow.cases import operations as cases
from relight.flow.cases import plans, promises
from relight.flow.cases.errors import UnableTo
from relight.flow.database import AWAY
from relight.flow.feeds.operations import pull
from relight.flow.partners import stopping
from relight.flow.payments.errors import LinkNotUsable, NothingToPay, PaymentOnItsWay
from relight.flow.payments.operations import attach, link_for, record_notices, start_checkout
from relight.flow.payments.port import PaymentState, ProviderEvent
from relight.flow.road.intake import import_invoices, import_payments
from tests.simulation.connection import Room, StagedDatabase
from tests.simulation.invariants import Violated
from tests.simulation.stage import Process, Stage
from tests.simulation.story import Happening

_OWED = "SELECT coalesce(sum(principal + costs), 0)::bigint FROM claim WHERE account_id = %(a)s AND state = 'open'"
_CASE = "SELECT max(id) FROM dunning_case WHERE account_id = %(a)s AND state <> 'closed'"
_REFUSALS = (UnableTo, LinkNotUsable, NothingToPay, PaymentOnItsWay)
_TRIES = 6


class People:
    """Everybody but the workers, of one history. `accounts` are (id, ref)."""

    def __init__(self, stage: Stage, room: Room, partner: int, accounts: Sequence[tuple[int, str]], folder: Path):
        self.stage, self.room, self.partner, self.accounts, self.folder = stage, room, partner, accounts, folder
        self.count = 0
        self.read_to = 0
        self.approving = False

    def happen(self, happening: Happening) -> None:
        """Let it begin."""
        self.start(happening.kind, partial(getattr(self, happening.kind), happening))

    def start(self, name: str, act: Callable[[StagedDatabase], None]) -> None:
        """A process that does this, and tries again when it was killed or the database was away."""
        self.count += 1
        self._try(f"{name} {self.count}", act, _TRIES)

    def _try(self, name: str, act: Callable[[StagedDatabase], None], tries_left: int) -> None:
        process = Process(f"{name} try {_TRIES - tries_left + 1}")

        def play() -> None:
            done = False
            try:
                act(StagedDatabase(self.stage, process, self.room).by_its_own_clock())
                done = True
            except _REFUSALS as refused:
                self.stage.note(f"refused: {type(refused).__name__}")
                done = True
            except AWAY as lost:
                self.stage.note(f"not done: {type(lost).__name__}")
            finally:
                if not done and not self.stage.ended and tries_left > 1:
                    self._try(name, act, tries_left - 1)

        self.stage.enter(process.name, process, play)

    # -- customers

    def card(self, one: Happening, db: StagedDatabase) -> None:
        """Pays what is owed on the provider's page; the provider tells us, often more than once."""
        account, _ = self.accounts[one.account]
        with db.transaction(self.partner) as tx:
            case, owed = tx.value(_CASE, {"a": account}), tx.value(_OWED, {"a": account})
            if case is None or not owed:
                return
            link = link_for(tx, case, account, db.clock())
            started = start_checkout(tx, link_id=link, provider="testpay", amount=owed, currency="NOK", now=db.clock())
            ref = f"T{started.checkout_id}"
            attach(tx, checkout_id=started.checkout_id, provider_ref=ref, now=db.clock())
        paid = ProviderEvent(f"{ref}-paid", ref, PaymentState.CONFIRMED, owed, "NOK", db.clock())
        first = ProviderEvent(f"{ref}-held", ref, PaymentState.AUTHORISED, owed, "NOK", db.clock())
        told = ([paid], [paid], [first, paid], [first])[: 1 + one.value % 4]
        for events in told:
            self.start("webhook", partial(self._webhook, events))

    def _webhook(self, events: list[ProviderEvent], db: StagedDatabase) -> None:
        with db.transaction(self.partner) as tx:
            record_notices(tx, provider_name="testpay", events=events, now=db.clock())

    # -- the bank and billing

    def giro(self, one: Happening, db: StagedDatabase) -> None:
        """Everything that is owed, in the bank's file."""
        self._bank(db, f"G{one.day}-{one.nth}-{one.value}", one.account, 100)

    def part(self, one: Happening, db: StagedDatabase) -> None:
        """A part of it, or more than it."""
        self._bank(db, f"P{one.day}-{one.value}", one.account, (30, 60, 99, 150)[one.value % 4])

    def burst(self, one: Happening, db: StagedDatabase) -> None:
        """Three of a family pay at once, each a part."""
        for nth in range(3):
            name = f"B{one.day}-{one.nth}-{one.value}-{nth}"
            self.start("import", partial(self._bank_part, name, one))

    def _bank_part(self, name: str, one: Happening, db: StagedDatabase) -> None:
        self._bank(db, name, one.account, (34, 50, 100)[one.value % 3])

    def raced(self, one: Happening, db: StagedDatabase) -> None:
        """The same file is read by two at once."""
        name = f"R{one.day}-{one.nth}-{one.value}"
        for _ in range(2):
            self.start("import", lambda again: self._bank(again, name, one.account, 100))

    def bounce(self, one: Happening, db: StagedDatabase) -> None:
        """The account's last giro goes back."""
        account, ref = self.accounts[one.account]
        with db.transaction(self.partner) as tx:
            rows = tx.rows(
                "SELECT ref, amount FROM payment WHERE account_id = %(a)s AND state IN ('confirmed', 'booked')"
                " AND source_id IN (SELECT id FROM source WHERE name = 'bank') ORDER BY id DESC LIMIT 1",
                {"a": account},
            )
        if rows:
            self._read(db, f"back-{rows[0][0]}", [(rows[0][0], ref, rows[0][1], "returned")])

    def _bank(self, db: StagedDatabase, name: str, who: int, percent: int) -> None:
        account, ref = self.accounts[who]
        path = self.folder / f"{name}.csv"
        if path.exists():  # the bank writes a file once
            self._import(db, path)
            return
        with db.transaction(self.partner) as tx:
            owed = tx.value(_OWED, {"a": account})
        if path.exists():  # meanwhile
            self._import(db, path)
        else:
            self._read(db, name, [(name, ref, max(100, owed * percent // 100), "booked")])

    def _read(self, db: StagedDatabase, name: str, payments: Sequence[tuple[Any, ...]]) -> None:
        path = self.folder / f"{name}.csv"
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("ref", "account", "amount", "state", "value_date"))
            day = db.clock().date().isoformat()
            for ref, account, amount, state in payments:
                rows.writerow((ref, account, f"{amount // 100}.{amount % 100:02}", state, day))
        self._import(db, path)

    def _import(self, db: StagedDatabase, path: Path) -> None:
        report = import_payments(db, self.partner, path, now=db.clock(), clock=db.clock)
        assert not report.rejected, report.errors

    def invoice(self, one: Happening, db: StagedDatabase) -> None:
        """A new bill for one, and the known ones of all once more."""
        day = db.clock().date() + timedelta(days=14)
        rows = [(f"N{one.day}-{one.value}-{one.account}", self.accounts[one.account][1], "499.00", day.isoformat())]
        self._bills(db, rows)

    def credit(self, one: Happening, db: StagedDatabase) -> None:
        """The first bill was too high: half of it stands, or nothing."""
        _, ref = self.accounts[one.account]
        with db.transaction(self.partner) as tx:
            due = tx.value("SELECT due_date FROM claim WHERE number = %(n)s", {"n": f"F-{ref}"})
        self._bills(db, [(f"F-{ref}", ref, ("449.50", "10.00")[one.value % 2], due.isoformat())])

    def danger(self, one: Happening, db: StagedDatabase) -> None:
        """With a new bill comes word that somebody there depends on the line; sometimes word later that nobody does."""
        _, ref = self.accounts[one.account]
        for says in ("yes", "no")[: 1 + one.value % 2]:
            day = db.clock().date() + timedelta(days=14)
            row = (f"D{one.day}-{one.nth}-{one.value}-{says}", ref, "59.00", day.isoformat(), says)
            self._bills(db, [row], flag="danger_life")
            self.stage.sleep(3600 * (1 + one.value % 72), away=True)

    def _bills(self, db: StagedDatabase, rows: Sequence[tuple[str, ...]], *, flag: str = "") -> None:
        self.count += 1
        path = self.folder / f"bills-{self.count}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(
                ("number", "account", "amount", "due_date", *([f"flag:{flag}"] if flag else []), "service_kind")
            )
            writer.writerows((*row, "broadband") for row in rows)
        report = import_invoices(db, self.partner, path, now=db.clock(), clock=db.clock)
        assert not report.rejected, report.errors

    # -- agents

    def hold(self, one: Happening, db: StagedDatabase) -> None:
        """An agent pauses the case."""
        account, _ = self.accounts[one.account]
        with db.transaction(self.partner) as tx:
            if case := tx.value(_CASE, {"a": account}):
                now = db.clock()
                ends_at = now + timedelta(days=1 + one.value % 9)
                cases.place_hold(
                    tx, case_id=case, account_id=account, reason="complaint", actor="bente", now=now, ends_at=ends_at
                )

    def unhold(self, one: Happening, db: StagedDatabase) -> None:
        """And lets go of it."""
        account, _ = self.accounts[one.account]
        with db.transaction(self.partner) as tx:
            held = tx.value("SELECT max(id) FROM hold WHERE account_id = %(a)s AND ended_by = ''", {"a": account})
            if held:
                cases.end_hold(tx, hold_id=held, actor="bente", now=db.clock())

    def plan(self, one: Happening, db: StagedDatabase) -> None:
        """Agrees with the customer on two or three months."""
        account, _ = self.accounts[one.account]
        with db.transaction(self.partner) as tx:
            if case := tx.value(_CASE, {"a": account}):
                plans.agree(tx, case_id=case, months=2 + one.value % 2, actor="bente", now=db.clock(), source="desk")

    def promise(self, one: Happening, db: StagedDatabase) -> None:
        """Writes down until when the customer will pay."""
        account, _ = self.accounts[one.account]
        with db.transaction(self.partner) as tx:
            if case := tx.value(_CASE, {"a": account}):
                promises.promise_last(tx, case_id=case, actor="bente", now=db.clock(), source="desk")

    def void(self, one: Happening, db: StagedDatabase) -> None:
        """The last step was wrong."""
        account, _ = self.accounts[one.account]
        with db.transaction(self.partner) as tx:
            rows = tx.rows(
                "SELECT s.case_id, s.number FROM step_taken s JOIN dunning_case c ON c.id = s.case_id"
                " WHERE c.account_id = %(a)s AND s.voided_at IS NULL AND c.state <> 'closed'"
                " ORDER BY s.id DESC LIMIT 1",
                {"a": account},
            )
            for case, number in rows:
                cases.void_step(tx, case_id=case, step_number=number, actor="bente", now=db.clock(), note="wrong")

    def tasks(self, one: Happening, db: StagedDatabase) -> None:
        """Does what is asked of people."""
        with db.transaction(self.partner) as tx:
            rows = tx.rows("SELECT id FROM task WHERE state = 'open' AND code <> 'approve' ORDER BY id")
        for (task,) in rows:
            with db.transaction(self.partner) as tx:
                cases.finish_task(tx, task_id=task, actor="bente", now=db.clock())

    def approve(self, db: StagedDatabase) -> None:
        """Says yes to what is asked."""
        self.approving = True
        try:
            with db.transaction(self.partner) as tx:
                rows = tx.rows("SELECT id FROM approval WHERE state = 'requested' ORDER BY id")
                for (approval,) in rows:
                    cases.decide_approval(tx, approval_id=approval, actor="bente", granted=True, now=db.clock())
        finally:
            self.approving = False

    def stop(self, one: Happening, db: StagedDatabase) -> None:
        """The switch that stops everything but restores; somebody lets go of it half a day later."""
        self._switch(db, stopped=True)
        self.stage.sleep(3600 * (1 + one.value % 24), away=True)
        self._switch(db, stopped=False)

    def _switch(self, db: StagedDatabase, *, stopped: bool) -> None:
        with db.transaction(self.partner) as tx:
            if stopped:
                stopping.stop(tx, db.clock(), "kari")
            else:
                stopping.resume(tx, "kari")

    # -- the rest

    def clock(self, one: Happening, db: StagedDatabase) -> None:
        """The database's clock is set: forwards, or a little back."""
        self.stage.faults["clock step"] += 1
        self.room.clock_is_off += timedelta(seconds=(5, 60, 600, -1, -3)[one.value % 5])

    def reader(self, one: Happening, db: StagedDatabase) -> None:
        """The partner reads its feed."""
        for entry in pull(db, self.partner, "billing", db.clock()):
            if entry.position > self.read_to + 1:
                raise Violated("feed_skips", f"position {entry.position} after {self.read_to}")
            self.read_to = max(self.read_to, entry.position)
