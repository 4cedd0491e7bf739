"""Mandates are noted: told by a file, an interface or a person. What changes makes a new row; nothing is overwritten.

The caller owns the transaction.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from relight.flow.cases.errors import UnableTo, UnableToFind
from relight.flow.cases.operations import locked_at, wake
from relight.flow.cases.people import Person
from relight.flow.database import Tx, statements
from relight.flow.payments.files.pain001 import as_account
from relight.flow.payments.mandates.rules import schemes

SQL = statements(__package__, "noting.sql")
_REFERENCE_MAX = {"avtalegiro": 25, "betalingsservice": 15, "sepa": 35}
_SEPA_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
_LISTED_MAX = 200


class UnableToCollect(UnableTo):
    """The mandate or the collection cannot be so; the text says why and what to do."""


class Told(NamedTuple):
    """A mandate as it was told. `creditor` is a name; empty: who the account owes. `ends_on`: it ends on that day."""

    account_ref: str
    scheme: str
    reference: str
    starts_on: date
    creditor: str = ""
    payer_name: str = ""
    payer_account: str = ""
    instrument: str = ""
    is_once: bool = False
    bank_notifies: bool = True
    signed_date: date | None = None
    ends_on: date | None = None


class Noted(NamedTuple):
    """What became of the mandates told: their places that changed something, and why others were refused."""

    changed: frozenset[int]
    refused: dict[int, str]


class Listed(NamedTuple):
    """A mandate as people read it."""

    id: int
    account: str
    scheme: str
    reference: str
    payer_name: str
    payer_account: str
    instrument: str
    is_once: bool
    bank_notifies: bool
    signed_date: date | None
    starts_on: date
    ends_on: date | None
    ended_because: str
    source: str
    noted_by: str


class _Good(NamedTuple):
    at: int
    told: Told
    account_id: int
    creditor_id: int


def note(tx: Tx, told: Sequence[Told], *, source: str, actor: str, now: datetime) -> Noted:
    """Note mandates; the same ones again change nothing. `source` is file, api or hand."""
    accounts = {row[0]: row[1:] for row in tx.rows(SQL.accounts, {"refs": [one.account_ref for one in told]})}
    creditors = dict(tx.rows(SQL.creditors))
    refused: dict[int, str] = {}
    good: dict[tuple[int, str, str], _Good] = {}  # of the same one told twice, the last word counts
    for at, one in enumerate(told):
        wrong = _wrong(one)
        account = accounts.get(one.account_ref)
        creditor = creditors.get(one.creditor) if one.creditor else account[1] if account else None
        if account is None:
            refused[at] = f"There is no account {one.account_ref!r}. Import its bills first."
        elif creditor is None:
            refused[at] = f"There is no creditor called {one.creditor!r}."
        elif not wrong and account[2] != schemes()[one.scheme].currency:
            refused[at] = f"Account {one.account_ref} is kept in {account[2]}, and {one.scheme} collects in another."
        elif wrong:
            refused[at] = wrong
        else:
            good[creditor, one.scheme, one.reference] = _Good(at, _tidied(one), account[0], creditor)
    return Noted(_take(tx, list(good.values()), source=source, actor=actor, now=now), refused)


def by_hand(tx: Tx, told: Told, *, by: Person, now: datetime) -> None:
    """A person notes one mandate. Raises `UnableToCollect`, and `UnableToAct` where the role does not allow it."""
    by.must("mandate")
    noted = note(tx, [told], source="hand", actor=by.name, now=now)
    if noted.refused:
        raise UnableToCollect(noted.refused[0])


def end(tx: Tx, *, scheme: str, reference: str, by: Person, today: date, now: datetime) -> None:
    """The customer, or a person, ends a mandate: nothing more is collected by it. Raises `UnableToFind`."""
    by.must("mandate")
    if not finish(tx, scheme, [reference], because=f"ended by {by.name}", today=today, now=now):
        raise UnableToFind(f"There is no {scheme} mandate {reference!r} in force.")


def finish(
    tx: Tx,
    scheme: str,
    references: Sequence[str],
    *,
    because: str,
    today: date,
    now: datetime,
    creditor: int | None = None,
    others: bool = False,
) -> int:
    """End mandates by their references; with `others` all those of a creditor that are not among them. How many."""
    given = {"scheme": scheme, "references": list(references), "creditor": creditor, "others": others}
    accounts = [row[0] for row in tx.rows(SQL.accounts_of, given)]
    now = locked_at(tx, accounts, now)
    done = tx.run(SQL.finish, {**given, "today": today, "because": because})
    wake(tx, accounts, now, urgent=False)
    return done


def listed(tx: Tx, account: str = "") -> list[Listed]:
    """Mandates of an account, or the newest of all."""
    return [Listed(*row) for row in tx.rows(SQL.list, {"account": account, "limit": _LISTED_MAX})]


def keep_creditor(
    tx: Tx,
    *,
    creditor: str,
    scheme: str,
    number: str,
    group_number: str,
    by: Person,
    now: datetime,
    announced_by: str = "bill",
) -> None:
    """Note what a scheme calls a creditor, and whether the bill or a message of ours announces what is collected.
    Raises `UnableToCollect`."""
    by.must("collect")
    found = dict(tx.rows(SQL.creditors))
    if creditor not in found:
        raise UnableToFind(f"There is no creditor called {creditor!r}. There are: {', '.join(sorted(found))}.")
    number = number.replace(" ", "").upper()
    if scheme == "avtalegiro" and not (number.isdigit() and len(number) == 8):
        raise UnableToCollect("AvtaleGiro's sender number has eight digits; it stands in the agreement.")
    if scheme == "sepa" and not _is_creditor_identifier(number):
        raise UnableToCollect(f"{number!r} is no SEPA creditor identifier: look for a slip.")
    given = {"partner": tx.partner_id, "creditor": found[creditor], "scheme": scheme, "number": number}
    given["announced_by"] = announced_by
    tx.run(SQL.keep_creditor, {**given, "group": group_number, "actor": by.name, "now": now})


def complete_creditor(tx: Tx, creditor: str, *, bank_account: str, org_number: str, by: Person) -> None:
    """Note a creditor's bank account and its number in the register of companies, where nothing is noted yet: whoever
    could change an account could lead customers' money elsewhere. Raises `UnableToCollect`."""
    by.must("collect")
    given = {"name": creditor, "account": bank_account.replace(" ", ""), "number": org_number.replace(" ", "")}
    if (bank_account or org_number) and not tx.run(SQL.complete_creditor, given):
        raise UnableToCollect(
            f"{creditor} has another bank account or number already, or there is no such creditor. Nothing was changed."
        )


def _take(tx: Tx, good: Sequence[_Good], *, source: str, actor: str, now: datetime) -> frozenset[int]:
    """Write what is new or changed; their places among those told."""
    if not good:
        return frozenset()
    accounts = [one.account_id for one in good]
    now = locked_at(tx, sorted(set(accounts)), now)
    given = {
        "partner": tx.partner_id,
        "accounts": accounts,
        "creditors": [one.creditor_id for one in good],
        "schemes": [one.told.scheme for one in good],
        "references": [one.told.reference for one in good],
        "names": [one.told.payer_name for one in good],
        "payer_accounts": [one.told.payer_account for one in good],
        "instruments": [one.told.instrument for one in good],
        "once": [one.told.is_once for one in good],
        "notifies": [one.told.bank_notifies for one in good],
        "signed": [one.told.signed_date for one in good],
        "starts": [one.told.starts_on for one in good],
        "ends": [one.told.ends_on for one in good],
    }
    ended = tx.rows(SQL.end_changed, given)
    made = tx.rows(SQL.make, {**given, "source": source, "actor": actor, "now": now})
    wake(tx, accounts, now, urgent=False)
    return frozenset(good[turn - 1].at for (turn,) in (*ended, *made))


def _wrong(told: Told) -> str:
    """Why a mandate cannot be as it was told; empty when it can."""
    scheme = told.scheme
    if scheme not in schemes():
        return f"{scheme!r} is no scheme; write {', '.join(schemes())}."
    if not 0 < len(told.reference) <= _REFERENCE_MAX[scheme]:
        return f"A reference of {scheme} has at most {_REFERENCE_MAX[scheme]} signs."
    if told.ends_on is not None and told.ends_on < told.starts_on:
        return "It ends before it begins."
    if scheme != "sepa":
        return "" if told.reference.removesuffix("-").isdigit() else f"A reference of {scheme} has digits only."
    if not set(told.reference) <= _SEPA_SIGNS:
        return "A mandate reference has letters, digits and /-?:().,'+ only."
    if told.signed_date is None:
        return "Say when the mandate was signed: the customer's bank asks for it."
    if not told.payer_name:
        return "Say whose account it is."
    try:
        account = as_account(told.payer_account)
    except ValueError as wrong:
        return f"{wrong}."
    return "" if account[:2].isalpha() else f"{account} is no IBAN; SEPA collects from those only."


def _tidied(told: Told) -> Told:
    if told.scheme != "sepa":
        return told
    return told._replace(payer_account=as_account(told.payer_account), instrument=told.instrument or "CORE")


def _is_creditor_identifier(number: str) -> bool:
    """Country, two check digits (modulus 97 without the business code), three signs of its own, then the number."""
    if not (8 <= len(number) <= 35 and number[:2].isalpha() and number[2:4].isdigit() and number.isalnum()):
        return False
    turned = number[7:] + number[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1
