"""Whatever happens in whatever order: each day comes to zero, balances are their transfers, closed months stay."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relight.flow.books import acts, periods, remittance, statement
from relight.flow.books.trial import ageing, trials
from relight.flow.cases.errors import UnableTo
from relight.flow.claims import fees
from relight.flow.claims.operations import receive_payments
from relight.flow.database import Database, Tx
from relight.flow.payments import bank_refunds
from relight.flow.payments.bank_refunds import Wanted
from relight.flow.payments.matching import Act
from tests.flow import ledger
from tests.flow.booking import AGENT, BENTE, add_creditor
from tests.flow.conftest import make_partner
from tests.flow.factories import Account, make_account, make_claim, make_source, payment_row

BEGIN = datetime(2026, 1, 10, 12, tzinfo=UTC)
CREDITORS = ("", "Nett AS")
KINDS = (
    *("claim", "claim", "change", "cancel", "credit_note", "fee", "take_fee_back", "pay", "pay", "pay", "give_back"),
    *("write_off", "forgive", "undo", "refund", "remit", "close"),
)
EVENTS = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, 25),  # days until it happens
    st.integers(0, 7),  # which account, claim, payment or act
    st.integers(1, 40) | st.sampled_from([999, 5000]),  # how much
)


@dataclass
class Town:
    """Accounts in two currencies, and what has happened so far."""

    tx: Tx
    accounts: list[Account]
    currencies: Sequence[str]
    now: datetime = BEGIN
    claims: list[tuple[int, str, int, str]] = field(default_factory=list)  # account, number, id, creditor
    payments: list[tuple[int, str, int]] = field(default_factory=list)  # account, ref, amount
    done: Counter[str] = field(default_factory=Counter[str])

    def happens(self, kind: str, days: int, which: int, amount: int) -> None:
        """One event; what the product refuses is no event."""
        self.now += timedelta(days=days, seconds=1)
        doing: Callable[[int, int], None] = getattr(self, kind)
        try:
            with self.tx.connection.transaction():
                doing(which, amount)
                self.done[kind] += 1
        except UnableTo:
            pass

    def claim(self, which: int, amount: int) -> None:
        at, number = which % len(self.accounts), f"F{len(self.claims)}"
        creditor = CREDITORS[which % 2]
        self.claims.append((at, number, self._bill(at, number, amount, creditor), creditor))

    def change(self, which: int, amount: int) -> None:
        if self.claims:
            at, number, _, creditor = self.claims[which % len(self.claims)]
            self._bill(at, number, amount, creditor, due=timedelta(days=which * 10))

    def cancel(self, which: int, amount: int) -> None:
        if self.claims:
            at, number, _, creditor = self.claims[which % len(self.claims)]
            self._bill(at, number, amount, creditor, cancelled=True)

    def credit_note(self, which: int, amount: int) -> None:
        at, number = which % len(self.accounts), f"K{len(self.claims)}-{self.now:%j%S}-{which}"
        self._bill(at, number, -amount, CREDITORS[which % 2])

    def fee(self, which: int, amount: int) -> None:
        if self.claims:
            claim = self.claims[which % len(self.claims)][2]
            if self.tx.value("SELECT 1 FROM claim WHERE id = %(c)s AND state = 'open'", {"c": claim}):
                fees.post(self.tx, [(claim, amount)], self.now)

    def take_fee_back(self, which: int, amount: int) -> None:
        charged = self.tx.rows("SELECT id FROM transfer WHERE kind = 'fee' AND debit = 'receivable' ORDER BY id")
        if charged:
            fees.reverse(self.tx, [charged[which % len(charged)][0]], now=self.now)

    def pay(self, which: int, amount: int) -> None:
        at, ref = which % len(self.accounts), f"P{len(self.payments)}"
        self.payments.append((at, ref, amount))
        self._told(at, ref, amount, "confirmed")

    def give_back(self, which: int, amount: int) -> None:
        if self.payments:
            at, ref, paid = self.payments[which % len(self.payments)]
            self._told(at, ref, paid, "returned")

    def write_off(self, which: int, amount: int) -> None:
        self._act("write_off", which, amount)

    def forgive(self, which: int, amount: int) -> None:
        self._act("remission", which, amount)

    def undo(self, which: int, amount: int) -> None:
        done = acts.acts(self.tx)
        if done:
            acts.undo(self.tx, done[which % len(done)].id, by=BENTE, now=self.now)

    def refund(self, which: int, amount: int) -> None:
        if self.payments:
            at, ref, _ = self.payments[which % len(self.payments)]
            payment = self.tx.value("SELECT id FROM payment WHERE ref = %(ref)s", {"ref": ref})
            wanted = Wanted(self.accounts[at].id, amount, "Kari Nordmann", "NO9386011117947")
            asked = bank_refunds.ask(self.tx, Act(payment, AGENT, self.now, "too much"), wanted)
            bank_refunds.decide(self.tx, asked, granted=True, by=BENTE, now=self.now)

    def remit(self, which: int, amount: int) -> None:
        creditor = CREDITORS[which % 2] or "Nordlys Kraft AS"
        remittance.remit(self.tx, creditor, self.now.date(), by=BENTE, now=self.now)

    def close(self, which: int, amount: int) -> None:
        closed = periods.closed_months(self.tx)
        month = periods.next_month(closed[-1].month) if closed else BEGIN.date().replace(day=1)
        periods.close(self.tx, month, by=BENTE, now=self.now)

    def _bill(
        self, at: int, number: str, amount: int, creditor: str, *, due: timedelta = timedelta(), cancelled: bool = False
    ) -> int:
        more = {"creditor": creditor, "cancelled": cancelled, "currency": self.currencies[at]}
        day = (BEGIN + due).date()
        return make_claim(
            self.tx, self.accounts[at], self.now, amount=amount, number=number, due_date=day, **more
        )  # fmt: skip

    def _told(self, at: int, ref: str, amount: int, state: str) -> None:
        row = payment_row(amount, BEGIN, account=self.accounts[at], ref=ref, state=state, currency=self.currencies[at])
        receive_payments(self.tx, make_source(self.tx, self.now), [row], now=self.now)

    def _act(self, kind: str, which: int, amount: int) -> None:
        if self.claims:
            _, number, _, creditor = self.claims[which % len(self.claims)]
            asked = acts.ask(
                self.tx, kind, number, by=AGENT, reason="drawn", now=self.now, amount=amount, creditor=creditor
            )
            acts.answer(self.tx, asked.id, by=BENTE, granted=True, now=self.now)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    events=st.lists(EVENTS, min_size=5, max_size=35),
    currencies=st.lists(st.sampled_from(["NOK", "DKK", "EUR", "SEK", "GBP"]), min_size=2, max_size=2),
)
def test_books_come_to_zero_every_day_and_closed_months_stay_whatever_happens(
    db: Database, owner: psycopg.Connection, events: list[tuple[str, int, int, int]], currencies: list[str]
) -> None:
    lived(db, owner, events, currencies)


def test_events_of_each_kind_are_taken(db: Database, owner: psycopg.Connection) -> None:
    """Else the property would be one of nothing."""
    events = [
        *(("claim", 0, 0, 4000), ("claim", 0, 1, 3000), ("claim", 0, 2, 100)),
        *(("fee", 1, 0, 40), ("take_fee_back", 1, 0, 0), ("change", 1, 0, 5000), ("cancel", 1, 2, 100)),
        *(("credit_note", 1, 1, 30), ("write_off", 1, 1, 10), ("undo", 1, 0, 0), ("forgive", 1, 1, 10)),
        *(("pay", 1, 0, 9000), ("refund", 1, 0, 40), ("pay", 1, 1, 40), ("give_back", 1, 1, 0)),
        *(("remit", 1, 0, 0), ("close", 25, 0, 0)),
    ]

    assert set(lived(db, owner, events, ["NOK", "DKK"]).done) == set(KINDS)


def lived(
    db: Database, owner: psycopg.Connection, events: Sequence[tuple[str, int, int, int]], currencies: Sequence[str]
) -> Town:
    """A town with these events, whose books are right."""
    partner = make_partner(owner, BEGIN)
    add_creditor(owner, partner, "Nett AS")
    with db.transaction(partner) as tx:
        accounts = [make_account(tx, BEGIN, currency=currency) for currency in currencies]
        town = Town(tx, accounts, currencies)

        for event in events:
            town.happens(*event)

        last = town.now.date() + timedelta(days=1)
        days = list(trials(tx, date(2026, 1, 1), last))
        owed = dict(tx.rows("SELECT currency, sum(principal + costs + interest)::bigint FROM claim GROUP BY 1"))
        assert ledger.differences(tx) == []
        assert all(one.is_zero() for one in days)
        assert _by_currency(days[-1].balances, "receivable") == {cur: sum_ for cur, sum_ in owed.items() if sum_}
        assert _sums((one.currency, one.owed) for one in ageing(tx, last)) == {c: s for c, s in owed.items() if s}
        assert periods.changes(tx) == []
        for account in accounts:
            stands = tx.value(
                "SELECT coalesce(sum(c.principal + c.costs + c.interest), 0)::bigint - a.credit FROM account a"
                " LEFT JOIN claim c ON c.account_id = a.id WHERE a.id = %(a)s GROUP BY a.id, a.credit",
                {"a": account.id},
            )
            assert statement.read(tx, account.id, date(2026, 1, 1), last).closing == stands
        paid_over = _by_currency(days[-1].balances, "remitted")
        assert paid_over == _sums((one.currency, one.amount) for one in remittance.remittances(tx))
    return town


def _by_currency(balances, name: str) -> dict[str, int]:
    return _sums((one.currency, one.balance) for one in balances if one.ledger == name)


def _sums(pairs) -> dict[str, int]:
    found: dict[str, int] = {}
    for currency, amount in pairs:
        found[currency] = found.get(currency, 0) + amount
    return {currency: amount for currency, amount in found.items() if amount}
