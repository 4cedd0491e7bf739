"""Agreements come in, AvtaleGiro's by KID and Betalingsservice's by customer number: each finds its account, and a full
list ends those that are not on it."""

from datetime import date, datetime
from pathlib import Path

from relight.core.references.errors import WrongReference
from relight.core.references.setting import ReferenceSetting
from relight.flow.claims.fields import Problem
from relight.flow.claims.referencing import setting_of
from relight.flow.database import Database, Tx
from relight.flow.payments.files.agreements import Agreement, Agreements, read_agreements
from relight.flow.payments.files.bs_agreements import read_bs_agreements
from relight.flow.payments.mandates import noting
from relight.flow.payments.mandates.noting import Told
from relight.flow.payments.mandates.planning import place_of
from relight.flow.payments.mandates.taking import Taken, batches

_UNKNOWN = {
    "avtalegiro": "No bill and no account has this KID. Import their bills, or set how KIDs are made.",
    "betalingsservice": "No account has this customer number. Import its bills, or note the agreement by hand.",
}


def import_agreements(db: Database, partner_id: int, path: Path, *, now: datetime, scheme: str = "avtalegiro") -> Taken:
    """Take in AvtaleGiro's agreements, or Betalingsservice's delivery 0603. A full list ends those that are not on it.
    Raises `UnableToImport`."""
    taken = Taken()
    for assignment in read_agreements(path) if scheme == "avtalegiro" else read_bs_agreements(path):
        taken.read += len(assignment.agreements) + len(assignment.problems)
        taken.reject(assignment.problems)
        with db.transaction(partner_id) as tx:
            setting, today = setting_of(tx), place_of(tx, now).today
            creditor, is_its_all = _creditor(tx, assignment, scheme)
        for batch in batches(assignment.agreements):
            with db.transaction(partner_id) as tx:
                _note_agreements(tx, batch, setting, creditor, scheme=scheme, today=today, now=now, taken=taken)
        if assignment.is_all and creditor is not None and is_its_all:
            with db.transaction(partner_id) as tx:
                _end_others(tx, assignment, creditor, scheme=scheme, today=today, now=now, taken=taken)
    return taken


def _creditor(tx: Tx, assignment: Agreements, scheme: str) -> tuple[int | None, bool]:
    """Whose agreements these are, and whether a full list of them would be of all that it has: Betalingsservice lists
    each debtor group by itself."""
    if scheme == "avtalegiro":
        return tx.value(noting.SQL.creditor_by_bank, {"account": assignment.account}), True
    found = tx.row(noting.SQL.creditor_by_number, {"scheme": scheme, "number": assignment.creditor_number})
    return (found[0], found[1] == assignment.group_number) if found else (None, False)


def _note_agreements(
    tx: Tx,
    batch: list[Agreement],
    setting: ReferenceSetting | None,
    creditor: int | None,
    *,
    scheme: str,
    today: date,
    now: datetime,
    taken: Taken,
) -> None:
    gone = [one.kid for one in batch if one.is_gone]
    ended = "ended by the customer"
    taken.changed += (
        noting.finish(tx, scheme, gone, because=ended, today=today, now=now, creditor=creditor) if gone else 0
    )
    named = dict(tx.rows(noting.SQL.creditors))
    name = next((name for name, id_ in named.items() if id_ == creditor), "")
    standing = [one for one in batch if not one.is_gone]
    accounts = _accounts_of(tx, [one.kid for one in standing], setting, scheme)
    known = [one for one in standing if one.kid in accounts]
    told = [Told(accounts[one.kid], scheme, one.kid, today, creditor=name, bank_notifies=one.bank_notifies)
            for one in known]  # fmt: skip
    noted = noting.note(tx, told, source="file", actor=scheme, now=now)
    taken.changed += len(noted.changed)
    taken.reject(Problem(known[at].line, "kid", why) for at, why in noted.refused.items())
    taken.reject(Problem(one.line, "kid", _UNKNOWN[scheme]) for one in standing if one.kid not in accounts)


def _end_others(
    tx: Tx, assignment: Agreements, creditor: int, *, scheme: str, today: date, now: datetime, taken: Taken
) -> None:
    listed = [one.kid for one in assignment.agreements]
    because = "not on the full list"
    taken.ended += noting.finish(
        tx, scheme, listed, because=because, today=today, now=now, creditor=creditor, others=True
    )


def _accounts_of(tx: Tx, kids: list[str], setting: ReferenceSetting | None, scheme: str) -> dict[str, str]:
    """The accounts that KIDs are of: by their bills, by an earlier mandate, or by the customer's number in them."""
    rows = tx.rows(noting.SQL.by_reference, {"references": kids, "scheme": scheme})
    found = {kid: ref for kid, _, ref, count in rows if count == 1}
    customers = {kid: number for kid in kids if kid not in found and (number := _customer(kid, setting, scheme))}
    rows = tx.rows(noting.SQL.by_customer, {"customers": sorted(set(customers.values()))})
    by_number = {number: ref for number, ref, count in rows if count == 1}
    return found | {kid: by_number[number] for kid, number in customers.items() if number in by_number}


def _customer(kid: str, setting: ReferenceSetting | None, scheme: str) -> str:
    if scheme == "betalingsservice":
        return kid
    try:
        numbers = setting.read(kid) if setting else None
    except WrongReference:
        return ""
    return (numbers or {}).get("customer", "").lstrip("0")
