"""Who and where accounts are, as their invoices say it: parties, contact points, premises, services, flags.

Everything that changes is kept as a period: what is replaced ends now. An empty text says nothing and changes nothing.
The accounts exist and are locked.
"""

from collections.abc import Sequence
from datetime import datetime

from relight.flow.claims.rows import Customer
from relight.flow.database import Tx, statements

SQL = statements(__package__, "customers.sql")

_TABLES = (SQL.customers_table, SQL.flags_table, SQL.clear)
# In this order: what is pointed at comes first. Some answer with the accounts whose facts they changed.
_QUIET, _TELLING = False, True
_SAVES = (
    (SQL.terms, _TELLING), (SQL.parties, _QUIET), (SQL.leave_role, _TELLING), (SQL.take_role, _TELLING),
    (SQL.end_contact_points, _TELLING), (SQL.add_contact_points, _TELLING), (SQL.premises, _QUIET),
    (SQL.access_points, _QUIET), (SQL.end_devices, _QUIET), (SQL.add_devices, _QUIET), (SQL.services, _TELLING),
    (SQL.end_flags, _TELLING), (SQL.add_flags, _TELLING),
)  # fmt: skip


def save_customers(tx: Tx, customers: Sequence[Customer], *, now: datetime) -> set[int]:
    """Write what rows say of accounts' customers; the accounts whose facts changed. Of two that differ the later
    counts."""
    said = list(dict.fromkeys(customers))
    changed = set[int]()
    if not said:
        return changed
    for statement in _TABLES:
        tx.run(statement)
    with tx.connection.cursor() as cursor:
        with cursor.copy(SQL.copy_customers) as copy:
            for at, customer in enumerate(said):
                copy.write_row((at, *customer[:-1]))
        with cursor.copy(SQL.copy_flags) as copy:
            for at, customer in enumerate(said):
                for name, value in customer.flags:
                    copy.write_row((at, customer.account_ref, name, value))
    for statement, tells in _SAVES:
        params = {"partner": tx.partner_id, "now": now}
        if tells:
            changed.update(row[0] for row in tx.rows(statement, params))
        else:
            tx.run(statement, params)
    return changed
