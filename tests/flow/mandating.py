"""What tests of mandates share: a partner that collects by a scheme, customers who let it, and the bank's answers."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from relight.flow.cases.people import Person
from relight.flow.database import Database
from relight.flow.payments.mandates import noting, planning, writing
from relight.flow.payments.mandates.noting import Told
from relight.flow.payments.mandates.planning import Planned
from relight.flow.payments.mandates.writing import Written
from tests.flow.banking import Bank
from tests.flow.factories import Account, make_account, make_claim
from tests.unit.payments.files.written import Paid, details, entry

KARI = Person("kari", "manager")
CREDITOR_ID, IBAN, PAYER = "DE98ZZZ09999999999", "NL91ABNA0417164300", "DE89370400440532013000"
OWED = 6150
_PLACES = {
    "avtalegiro": ("NO", "NOK", "Europe/Oslo", "15032080119", "55555555"),
    "sepa": ("NL", "EUR", "Europe/Amsterdam", IBAN, CREDITOR_ID),
    "betalingsservice": ("DK", "DKK", "Europe/Copenhagen", "DK5000400440116243", "01234567"),
}


class Customer(NamedTuple):
    """Somebody whose bill is collected."""

    account: Account
    claim: int
    mandate: str


class Till(Bank):
    """A partner that collects by one scheme, whose clock is `now`."""

    def __init__(self, db: Database, owner: psycopg.Connection, partner: int, now: datetime, folder: Path, scheme: str):
        super().__init__(db, partner, now, folder)
        self.scheme = scheme
        country, self.currency, zone, account, number = _PLACES[scheme]
        owner.execute(
            "UPDATE partner SET country = %s, currency = %s, time_zone = %s WHERE id = %s",
            (country, self.currency, zone, partner),
        )
        owner.execute(
            "UPDATE creditor SET name = 'Duinwater & Søn', bank_account = %s, org_number = '12345678'"
            " WHERE partner_id = %s",
            (account, partner),
        )
        with db.transaction(partner) as tx:
            noting.keep_creditor(
                tx, creditor="Duinwater & Søn", scheme=scheme, number=number, group_number="00001", by=KARI, now=now
            )

    def customer(self, *, due: date | None = None, owed: int = OWED, reference: str = "", **told: Any) -> Customer:  # type: ignore[override]
        """Somebody with a mandate and a bill of today, due in three weeks unless said."""
        with self.db.transaction(self.partner) as tx:
            account = make_account(tx, self.now, currency=self.currency)
            mandate = told.pop("mandate", f"70{account.id}")
            given = {"payer_name": "Jan de Vriès", "payer_account": PAYER, "signed_date": date(2026, 1, 5), **told}
            given.setdefault("starts_on", date(2026, 1, 5))
            noting.by_hand(tx, Told(account.ref, self.scheme, mandate, **given), by=KARI, now=self.now)
            claim = make_claim(
                tx, account, self.now, amount=owed, currency=self.currency, due_date=due or date(2026, 3, 23),
                reference=reference, issued_date=self.now.date(), number=f"F-{account.ref}",
            )  # fmt: skip
        return Customer(account, claim, mandate)

    def bills(self, customer: Customer, *, due: date) -> int:
        """One more bill; its claim."""
        with self.db.transaction(self.partner) as tx:
            return make_claim(
                tx, customer.account, self.now, amount=OWED, currency=self.currency, due_date=due,
                issued_date=self.now.date(), number=f"F-{customer.account.ref}-{due}",
            )  # fmt: skip

    def plan(self) -> Planned:
        """What `relight collect plan` does."""
        return planning.plan(self.db, self.partner, now=self.now)

    def order(self) -> Written | None:
        """What `relight collect file` does."""
        with self.db.transaction(self.partner) as tx:
            return writing.order(tx, self.scheme, now=self.now)

    def recall(self) -> Written | None:
        """What `relight collect recall` does."""
        with self.db.transaction(self.partner) as tx:
            return writing.recall(tx, self.scheme, now=self.now)

    def collected(self, customer: Customer) -> list[tuple[Any, ...]]:
        """The customer's collections: state, day, reason, in order."""
        return self.rows(
            "SELECT state, collect_date::text, reason FROM collection WHERE account_id = %(a)s ORDER BY id",
            a=customer.account.id,
        )

    def ref(self, customer: Customer) -> str:
        """What the bank sends back of the newest collection."""
        found: str = self.value(
            "SELECT ref FROM collection WHERE account_id = %(a)s ORDER BY id DESC LIMIT 1", a=customer.account.id
        )
        return found

    def pays_out(self, customer: Customer, *, day: str = "2026-03-23", amount: str = "61.50") -> None:
        """The bank tells of the collection's money."""
        paid = Paid(amount, "", f"IN{day}", self.ref(customer), currency=self.currency)
        self.tells(entry(paid, day=day), kind="camt.054", account=IBAN)

    def sends_back(self, customer: Customer, reason: str, *, day: str = "2026-03-25", amount: str = "61.50") -> None:
        """The bank tells that it went back, and why."""
        why = f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>"
        paid = Paid(amount, "", f"OUT{day}", self.ref(customer), currency=self.currency)
        self.tells(entry(paid, day=day, mark="DBIT", inside=details(paid, extra=why)), kind="camt.054", account=IBAN)

    def held(self, customer: Customer) -> bool:
        """Whether the customer's bill is kept from being followed up."""
        found: bool = self.value(
            "SELECT EXISTS (SELECT FROM hold WHERE claim_id = %(c)s AND reason = 'collection' AND ends_at > %(now)s)",
            c=customer.claim, now=self.now,
        )  # fmt: skip
        return found
