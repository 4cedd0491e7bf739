"""The queue of payments that wait for a person: what is known of each, and whose it may be."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from relight.flow.cases.errors import UnableToFind
from relight.flow.claims import placing
from relight.flow.claims.placing import Lying
from relight.flow.database import Tx, statements
from relight.flow.payments.suggesting import Loose, Suggestion, suggest

SQL = statements(__package__, "queue.sql")
SHOWS = ("", "unmatched", "names_unknown", "paid_again", "parked", "all")
PAGE = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """A payment of the queue. `rest` of it, in minor units, lies on no account; `why`: `unmatched`, or `names_unknown`
    where it lies on `account` and its payer named a bill that nobody has, or `paid_again` where `rest` is credit there,
    since `bill` was paid already."""

    id: int
    ref: str
    source: str
    amount: int
    rest: int
    currency: str
    value_date: date
    received_at: datetime
    reference: str
    payer_name: str
    payer_account: str
    why: str
    account_id: int | None
    account: str
    parked: bool
    note: str
    bill: str = ""

    @property
    def loose(self) -> Loose:
        """As suggestions want it."""
        return Loose(
            self.id, self.rest or self.amount, self.currency, self.reference, self.payer_name, self.payer_account
        )


class Counts(NamedTuple):
    """How many wait, of each kind."""

    unmatched: int
    names_unknown: int
    paid_again: int
    parked: int


class Bill(NamedTuple):
    """A claim that is owed, in minor units, fees and interest included."""

    id: int
    number: str
    reference: str
    due_date: date
    owed: int
    creditor: str


class Place(NamedTuple):
    """What of a payment lies on an account, in minor units: used for bills, and free. `ref`: the customer's number."""

    account_id: int
    ref: str
    name: str
    used: int
    free: int


class Told(NamedTuple):
    """What somebody did with a payment. `account` is the customer's number."""

    code: str
    at: datetime
    actor: str
    account: str | None
    amount: int
    note: str


@dataclass(frozen=True, slots=True)
class Whole:
    """Any payment, with where it lies and what was done with it."""

    payment: Loose
    ref: str
    source: str
    amount: int
    value_date: date
    received_at: datetime
    state: str
    account_id: int | None
    by_provider: bool
    places: tuple[Place, ...]
    acts: tuple[Told, ...]

    @property
    def free(self) -> int:
        """What of it lies on accounts as credit, in minor units."""
        return sum(one.free for one in self.places)

    @property
    def paid_again(self) -> str:
        """The number of the bill that was paid already, while nobody has said what becomes of the money; else ""."""
        said = [act for act in self.acts if act.code != "parked"]
        return said[-1].note if said and said[-1].code == "paid_again" and self.free else ""


def queue(tx: Tx, *, show: str = "", q: str = "", page: int = 1, payment_id: int | None = None) -> list[Waiting]:
    """A page of what waits, the oldest first. `show` is one of `SHOWS`: without it, what nobody has set aside."""
    assert show in SHOWS
    given = {"show": show, "q": q, "payment": payment_id, "size": PAGE, "offset": (page - 1) * PAGE}
    return [Waiting(*row) for row in tx.rows(SQL.waiting, given)]


def counts(tx: Tx) -> Counts:
    """How much waits."""
    found = tx.row(SQL.counts)
    assert found is not None
    return Counts(*found)


def suggestions(tx: Tx, waiting: list[Waiting], *, thorough: bool = False) -> dict[int, list[Suggestion]]:
    """Whose these payments may be, by payment; `thorough` for one that is looked at by itself."""
    return suggest(tx, [one.loose for one in waiting], thorough=thorough)


def payment(tx: Tx, payment_id: int) -> Whole:
    """One payment. Raises `UnableToFind`."""
    found = tx.row(SQL.payment, {"payment": payment_id})
    if found is None:
        raise UnableToFind("There is no such payment.")
    id_, ref, source, amount, rest, currency, value_date, received_at, reference, name, bank, state, account, kind = (
        found
    )
    return Whole(
        payment=Loose(id_, rest, currency, reference, name, bank),
        ref=ref,
        source=source,
        amount=amount,
        value_date=value_date,
        received_at=received_at,
        state=state,
        account_id=account,
        by_provider=kind == "provider",
        places=tuple(_places(tx, placing.lying(tx, [payment_id]))),
        acts=tuple(Told(*row) for row in tx.rows(SQL.acts, {"payment": payment_id})),
    )


def _places(tx: Tx, lying: list[Lying]) -> list[Place]:
    """Where it lies, with who that is."""
    ids = [one.account_id for one in lying]
    known = {id_: (ref, name) for id_, ref, name in tx.rows(SQL.who, {"accounts": ids})} if ids else {}
    return [Place(one.account_id, *known[one.account_id], one.used, one.free) for one in lying]


def account_by_ref(tx: Tx, ref: str) -> int:
    """The account with this customer's number. Raises `UnableToFind`."""
    found = tx.value(SQL.account, {"ref": ref.strip()})
    if found is None:
        raise UnableToFind(f"There is no account {ref.strip()!r}. Look for the customer's number in the list of cases.")
    return int(found)


def bills(tx: Tx, account_id: int) -> list[Bill]:
    """What an account owes."""
    return [Bill(*row) for row in tx.rows(SQL.bills, {"account": account_id})]


def bill_named(tx: Tx, account_id: int, name: str) -> int:
    """The claim of an account with this number or reference. Raises `UnableToFind`."""
    found = tx.value(SQL.bill, {"account": account_id, "name": name.strip()})
    if found is None:
        raise UnableToFind(f"This account has no bill {name.strip()!r}.")
    return int(found)
