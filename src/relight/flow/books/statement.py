"""A statement of an account: what was owed before, every posting in words, what is owed after each, and at the end.

What is owed is what stands open on claims less what is in credit; below zero is in the customer's favour. Amounts are
minor units of the account's currency.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

import yaml
from babel.dates import format_date

from relight.core.money import format_amount, to_decimal
from relight.flow.cases.errors import UnableToFind
from relight.flow.database import Tx, statements

SQL = statements(__package__, "statement.sql")
LANGUAGES = ("nb", "da", "nl", "en", "de")
_LOCALES = {"nb": "nb_NO", "da": "da_DK", "nl": "nl_NL", "en": "en_GB", "de": "de_DE"}
_CSV_HEADS = ("booked", "value_date", "kind", "text", "moved", "change", "balance", "currency")


@dataclass(frozen=True, slots=True)
class Head:
    """Whose account it is, and who keeps it."""

    account_id: int
    account: str
    currency: str
    creditor: str
    brand: str
    colour: str
    phone: str
    site: str
    return_address: str
    country: str
    zone: str
    customer: str
    language: str
    street: str
    postcode: str
    city: str


@dataclass(frozen=True, slots=True)
class Line:
    """A posting: its booking day and value date, how much it moved, what it changed, and what is owed after it."""

    day: date
    value_date: date
    kind: str
    part: str
    amount: int
    change: int
    balance: int
    claim: str
    due_date: date | None
    payer: str
    to_credit: bool

    @property
    def key(self) -> str:
        """What happened, for its words: the kind, and whether more or less is owed by it."""
        if self.change:
            return f"{self.kind}.{'more' if self.change > 0 else 'less'}"
        return f"{self.kind}.{'freed' if self.to_credit else 'within'}"


@dataclass(frozen=True, slots=True)
class Statement:
    """An account's postings from `first` to `last`, with what was owed before and after."""

    head: Head
    first: date
    last: date
    opening: int
    lines: tuple[Line, ...]

    @property
    def closing(self) -> int:
        """What is owed at the end of the last day."""
        return self.lines[-1].balance if self.lines else self.opening


def account_id(tx: Tx, ref: str) -> int:
    """The account of that reference. Raises `UnableToFind`."""
    found: int | None = tx.value(SQL.account, {"ref": ref})
    if found is None:
        raise UnableToFind(f"There is no account {ref!r} at this partner.")
    return found


def read(tx: Tx, account: int, first: date, last: date) -> Statement:
    """The statement of an account for a span of booking days, both included. Raises `UnableToFind`."""
    row = tx.row(SQL.head, {"account": account})
    if row is None:
        raise UnableToFind("There is no such account.")
    head = Head(*row)
    params = {"account": account, "first": first, "last": last, "zone": head.zone}
    opening = balance = tx.value(SQL.opening, params)
    lines = []
    for day, value_date, kind, part, amount, change, *rest in tx.rows(SQL.lines, params):
        balance += change
        lines.append(Line(day, value_date, kind, part, amount, change, balance, *rest))
    return Statement(head, first, last, opening, tuple(lines))


@dataclass(frozen=True, slots=True)
class Wording:
    """How a statement is said in one language (nb, da, nl, en, de; another is said in English)."""

    language: str

    @classmethod
    def of(cls, language: str) -> "Wording":
        """The wording for a language."""
        return cls(language if language in LANGUAGES else "en")

    def say(self, key: str, **params: str) -> str:
        """A text by its name."""
        return words(self.language)[key].format(**params)

    def line(self, one: Line) -> str:
        """What happened, in words. A kind that has no words of its own is told as a posting."""
        texts = words(self.language)
        text = texts.get(one.key) or texts["posting"]
        part = texts.get(f"part.{one.part}", "")
        due = self.day(one.due_date) if one.due_date else ""
        return text.format(claim=one.claim, due=due, part=part, kind=one.kind)

    def day(self, day: date) -> str:
        """ "03.12.2026", "3 Dec 2026": for tables."""
        return format_date(day, "medium", locale=_LOCALES[self.language])

    def money(self, minor: int, currency: str) -> str:
        """ "1 234,50 kr" """
        return format_amount(minor, currency, self.language)


@cache
def words(language: str) -> Mapping[str, str]:
    """The texts of a language, by name."""
    found: dict[str, str] = yaml.safe_load((files(__package__) / "words" / f"{language}.yaml").read_text("utf-8"))
    return found


def as_csv(statement: Statement, language: str) -> str:
    """The statement as CSV, a line a posting, between its opening and its closing balance."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_CSV_HEADS)
    wording, currency = Wording.of(language), statement.head.currency

    def number(minor: int) -> str:
        return str(to_decimal(minor, currency))

    writer.writerow(
        (statement.first, "", "opening", wording.say("opening"), "", "", number(statement.opening), currency)
    )
    for one in statement.lines:
        row = (one.day, one.value_date, one.kind, wording.line(one), number(one.amount), number(one.change))
        writer.writerow((*row, number(one.balance), currency))
    writer.writerow(
        (statement.last, "", "closing", wording.say("closing"), "", "", number(statement.closing), currency)
    )
    return out.getvalue()
