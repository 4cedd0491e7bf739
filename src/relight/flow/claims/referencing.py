"""References of bills that come in: made by the partner's setting where one is missing, and checked where one is given.

A bill whose reference has a wrong check digit stays out: whoever paid by it could not be told from others. A bill for
which none can be made goes in without, and the file's answer says so.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from psycopg.types.json import Jsonb

from relight.core.references.errors import UnableToMakeReference, WrongReference, WrongSetting
from relight.core.references.setting import ReferenceSetting, read_setting
from relight.flow.claims.fields import Problem
from relight.flow.claims.joining import Read
from relight.flow.claims.rows import ClaimRow
from relight.flow.database import Tx, statements

SQL = statements(__package__, "referencing.sql")


def setting_of(tx: Tx) -> ReferenceSetting | None:
    """How this partner's references are made; None where nobody has said."""
    tree = setting_tree(tx)
    return read_setting(tree) if tree else None


def setting_tree(tx: Tx) -> dict[str, Any]:
    """The setting as it was written; empty where nobody has said."""
    return dict(tx.value(SQL.setting, {"partner": tx.partner_id}) or {})


def keep_setting(tx: Tx, tree: object) -> None:
    """Set how this partner's references are made; an empty one stops it. Raises `WrongSetting`."""
    if not isinstance(tree, dict):
        raise WrongSetting("this holds no setting; begin with scheme: kid")
    if tree:
        read_setting(tree)
    tx.run(SQL.keep, {"partner": tx.partner_id, "setting": Jsonb(tree)})


def referenced(found: Iterable[Read], setting: ReferenceSetting | None) -> Iterator[Read]:
    """The same bills, each with its reference. Credit notes and cancelled bills are paid by nobody, and stay as they
    are."""
    for one in found:
        if setting is None or one.row is None or one.row.amount <= 0 or one.row.cancelled:
            yield one
        elif one.row.reference:
            yield _checked(one, one.row, setting)
        else:
            yield _made(one, one.row, setting)


def _checked(found: Read, row: ClaimRow, setting: ReferenceSetting) -> Read:
    try:
        return found._replace(row=row._replace(reference=setting.scheme.check(row.reference)))
    except WrongReference as wrong:
        reason = f"{wrong}. Correct it, or leave it out so that one is made."
        return found._replace(row=None, problems=(*found.problems, Problem(found.line, "reference", reason)))


def _made(found: Read, row: ClaimRow, setting: ReferenceSetting) -> Read:
    try:
        return found._replace(row=row._replace(reference=setting.make(customer=row.account_ref, invoice=row.number)))
    except UnableToMakeReference as wrong:
        told = Problem(found.line, "reference", f"No reference was made: {wrong}.", warning=True)
        return found._replace(problems=(*found.problems, told))
