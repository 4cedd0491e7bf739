"""Tables of mandates come in (CSV): what is wrong is listed, the rest goes in, and the same again changes nothing."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from relight.flow.claims.fields import Problem
from relight.flow.database import Database
from relight.flow.payments.mandates import noting
from relight.flow.payments.mandates.noting import Told
from relight.flow.payments.mandates.taking import Taken, batches, table

COLUMNS = ("account", "scheme", "reference", "starts")
_YES = frozenset({"yes", "ja", "true", "1"})


def import_mandates(db: Database, partner_id: int, path: Path, *, now: datetime) -> Taken:
    """Take in a table of mandates (CSV). Raises `UnableToImport`."""
    taken = Taken()
    for batch in batches(table(path, COLUMNS)):
        taken.read += len(batch)
        good: list[tuple[int, Told]] = []
        for line, row in batch:
            try:
                good.append((line, _told(row)))
            except ValueError as wrong:
                taken.reject([Problem(line, "row", str(wrong))])
        with db.transaction(partner_id) as tx:
            noted = noting.note(tx, [one for _, one in good], source="file", actor=path.name, now=now)
        taken.changed += len(noted.changed)
        taken.reject(Problem(good[at][0], "row", why) for at, why in noted.refused.items())
    return taken


def _told(row: Mapping[str, str]) -> Told:
    """A row as a mandate. Raises ValueError with a sentence."""
    starts = _day(row, "starts")
    if starts is None:
        raise ValueError("Say from which day it holds (starts).")
    kind = row.get("type", "").upper() or "CORE"
    return Told(
        row["account"],
        row["scheme"].lower(),
        row["reference"],
        starts,
        creditor=row.get("creditor", ""),
        payer_name=row.get("name", ""),
        payer_account=row.get("iban", ""),
        instrument=kind if row["scheme"].lower() == "sepa" else "",
        is_once=row.get("once", "").lower() in _YES,
        bank_notifies=row.get("bank_notifies", "yes").lower() in (*_YES, ""),
        signed_date=_day(row, "signed"),
        ends_on=_day(row, "ends"),
    )


def _day(row: Mapping[str, str], name: str) -> date | None:
    text = row.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"There is no such day as {text[:20]!r} ({name}); write 2026-03-02.") from None
