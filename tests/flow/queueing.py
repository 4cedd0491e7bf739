"""What tests of the queue share: a partner with customers, payments nobody knows, and people who place them."""

from datetime import datetime
from pathlib import Path

from relight.flow.cases.people import Person
from relight.flow.claims.placing import Part
from relight.flow.database import Database
from relight.flow.payments import matching
from relight.flow.payments.matching import Act
from relight.flow.payments.queue import Waiting, queue
from relight.flow.payments.settle import settle
from relight.flow.payments.suggesting import Suggestion, suggest
from tests.flow import ledger
from tests.flow.banking import Bank
from tests.flow.factories import Account, make_source, payment_row

ANNE, BENTE = Person("anne", "agent"), Person("bente", "manager")


class Desk(Bank):
    """Somebody at work on one partner's queue; the books must add up after everything that is done."""

    def __init__(self, db: Database, partner: int, now: datetime, folder: Path):
        super().__init__(db, partner, now, folder)

    def comes(self, amount: int, *, reference: str = "", payer: str = "", ref: str = "", state: str = "booked",
              account: Account | None = None) -> int:  # fmt: skip
        """A payment as a source tells it; its id."""
        row = payment_row(amount, self.now, reference=reference, ref=ref, state=state, account=account)
        with self.db.transaction(self.partner) as tx:
            source = make_source(tx, self.now)
            told = settle(tx, source, [row._replace(payer_name=payer)], now=self.now)
        self.adds_up()
        return told.received[0].payment_id

    def assigns(self, payment: int, *parts: Part, by: Person = ANNE, note: str = "") -> None:
        """Place a payment."""
        with self.db.transaction(self.partner) as tx:
            matching.assign(tx, Act(payment, by, self.now, note), parts)
        self.adds_up()

    def takes_away(self, payment: int, account: Account | None = None, *, note: str = "") -> None:
        """Undo it."""
        with self.db.transaction(self.partner) as tx:
            matching.take_away(tx, Act(payment, ANNE, self.now, note), account.id if account else None)
        self.adds_up()

    def moves(self, payment: int, account: Account, *parts: Part, note: str = "") -> None:
        """Correct a booking."""
        with self.db.transaction(self.partner) as tx:
            matching.move(tx, Act(payment, ANNE, self.now, note), from_account=account.id, parts=parts)
        self.adds_up()

    def waiting(self, show: str = "") -> list[Waiting]:
        """The queue."""
        with self.db.transaction(self.partner) as tx:
            return queue(tx, show=show)

    def suggests(self, payment: int) -> list[Suggestion]:
        """Whose a payment may be."""
        with self.db.transaction(self.partner) as tx:
            return suggest(tx, [queue(tx, show="all", payment_id=payment)[0].loose])[payment]

    def adds_up(self) -> None:
        """Nothing is lost and nothing counts twice."""
        with self.db.transaction(self.partner) as tx:
            assert ledger.differences(tx) == []
