"""What people note of agencies and ask of them, and how attempts at hand-overs end.

Each writes its facts and wakes the cases that they concern; none decides. All lock the account first.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from relight.flow.cases.errors import UnableToFind
from relight.flow.cases.operations import append_event, lock_accounts, locked_at, wake, wake_case
from relight.flow.cases.tasks import add_task
from relight.flow.database import Tx, statements
from relight.flow.handover.errors import UnableToFindAgency, UnableToNote, UnableToRecall

SQL = statements(__package__, "operations.sql")
WANTED_BACK = ("person", "creditor")
CONFIRM_WITHIN = timedelta(days=3)
_NEVER_HAD = "unknown_case"


def add_agency(tx: Tx, *, name: str, title: str, kind: str, org_number: str, now: datetime) -> int:
    """Note an agency or attorney under the name that policies use; its id. Raises `UnableToNote`."""
    params = {"partner": tx.partner_id, "name": name, "title": title, "kind": kind, "org_number": org_number}
    found = tx.value(SQL.add_agency, {**params, "now": now})
    if found is None:
        raise UnableToNote(f"There is an agency {name!r} already. End it, or choose another name.")
    return found


def agency_id(tx: Tx, name: str) -> int:
    """The agency of that name; raises `UnableToFindAgency`."""
    found = tx.value(SQL.agency, {"name": name})
    if found is None:
        raise UnableToFindAgency(f"There is no agency {name!r}. `relight agency list` names them.")
    return found


def note_check(
    tx: Tx,
    name: str,
    *,
    register: str,
    number: str,
    source: str,
    checked: date,
    until: date,
    by: str,
    now: datetime,
) -> None:
    """Keep what somebody saw in a register; cases that waited for it think again."""
    if until < checked:
        raise UnableToNote("The check would end before it was made.")
    if not number.strip() or not source.strip():
        raise UnableToNote("A check needs the number in the register, and where it was seen.")
    params = {"agency": agency_id(tx, name), "register": register, "number": number, "source": source}
    tx.run(SQL.add_check, {
        **params, "partner": tx.partner_id, "checked": checked, "until": until, "by": by, "now": now,
    })  # fmt: skip
    _wake_waiting(tx, now)


def note_fee(
    tx: Tx,
    name: str,
    *,
    from_date: date,
    least: int,
    basis_points: int | None,
    amount: int | None,
    by: str,
    now: datetime,
) -> None:
    """Keep what was agreed: from a day on, of payments of `least` minor units and more, a share or an amount."""
    if (basis_points is None) == (amount is None):
        raise UnableToNote("A fee is a share or an amount, one of the two.")
    params = {"agency": agency_id(tx, name), "from": from_date, "least": least, "basis_points": basis_points}
    if tx.value(SQL.add_fee, {**params, "partner": tx.partner_id, "amount": amount, "by": by, "now": now}) is None:
        raise UnableToNote(f"A fee from {from_date} for payments of this size is there already; agree on a later day.")


def end_agency(tx: Tx, name: str, now: datetime) -> None:
    """Give it nothing more; what it has goes on until it is called back."""
    tx.run(SQL.end_agency, {"agency": agency_id(tx, name), "now": now})


def recall(
    tx: Tx, *, case_id: int, why: str, actor: str, note: str, now: datetime, steps: Sequence[int] | None = None
) -> None:
    """Ask for a case's claims back, or for what these steps of it (their numbers) handed over. The next turn decides
    the recall, which leaves at once. Raises `UnableToRecall`."""
    account_id = tx.value(SQL.account_of, {"case": case_id})
    if account_id is None:
        raise UnableToFind("There is no such case.")
    now = locked_at(tx, [account_id], now)
    asked = tx.rows(SQL.want_back, {
        "case": case_id, "why": why, "actor": actor, "steps": None if steps is None else list(steps),
    })  # fmt: skip
    if not asked:
        raise UnableToRecall("No agency has this case, or it was called back already.")
    for id_, title in asked:
        params = {"agency": title, "handover": id_, "why": why, "note": note}
        append_event(tx, case_id=case_id, code="recall_asked", actor=actor, now=now, params=params)
    wake_case(tx, case_id, now, urgent=True)


def went(tx: Tx, effect_id: int, *, what: str, now: datetime) -> None:
    """The agency has a package. A recall still has to be confirmed: a person sees to it."""
    if what == "place":
        tx.run(SQL.went, {"effect": effect_id, "now": now})
        return
    found = tx.row(SQL.of_effect, {"effect": effect_id})
    if what != "recall" or found is None:
        return
    id_, case_id, account_id, title = found
    add_task(
        tx,
        case_id=case_id,
        account_id=account_id,
        code="agency_recall",
        due_at=now + CONFIRM_WITHIN,
        dedup=f"agency_recall-{id_}",
        now=now,
        params={"agency": title},
    )


def did_not_go(tx: Tx, effect_id: int, *, what: str, now: datetime) -> None:
    """A package was given up: claims that never arrived are with nobody."""
    if what == "place":
        tx.run(SQL.failed, {"effect": effect_id, "now": now})


def never_had(tx: Tx, effect_id: int, *, what: str, code: str, now: datetime) -> bool:
    """Whether a refusal says that the agency knows nothing of what is called back: then it is back."""
    if what != "recall" or code != _NEVER_HAD:
        return False
    found: Any = tx.row(SQL.of_effect, {"effect": effect_id})
    tx.run(SQL.never_had, {"handover": found[0], "now": now})
    return True


def _wake_waiting(tx: Tx, now: datetime) -> None:
    accounts = sorted(row[0] for row in tx.rows(SQL.wake_with))
    lock_accounts(tx, accounts)
    wake(tx, accounts, now, urgent=False)
