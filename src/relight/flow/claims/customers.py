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
# In this order: what is pointed at comes first.
_SAVES = (
    SQL.terms, SQL.parties, SQL.leave_role, SQL.take_role, SQL.end_contact_points, SQL.add_contact_points,
    SQL.premises, SQL.access_points, SQL.end_devices, SQL.add_devices, SQL.services, SQL.end_flags, SQL.add_flags,
)  # fmt: skip


def save_customers(tx: Tx, customers: Sequence[Customer], *, now: datetime) -> None:
    """Write what rows say of accounts' customers; of two that differ the later one counts."""
    said = list(dict.fromkeys(customers))
    if not said:
        return
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
    for statement in _SAVES:
        tx.run(statement, {"partner": tx.partner_id, "now": now})
