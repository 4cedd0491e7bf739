"""Collections that are withdrawn from Betalingsservice, as a table for whoever deletes them on its pages. Pure.

How a delivery deletes payments is not established, so none is written for it.
"""

import csv
from collections.abc import Sequence
from io import StringIO

from relight.flow.payments.files.ordered import Ordered
from relight.flow.payments.files.pain001 import decimal

COLUMNS = (
    "ref", "creditor_number", "debtor_group", "customer_number", "payment_date", "amount", "currency", "reference",
    "bill", "name", "action",
)  # fmt: skip


def withdrawn(collections: Sequence[Ordered]) -> bytes:
    """One line a collection that is not to be drawn. Raises ValueError for none."""
    if not collections:
        raise ValueError("a file without collections asks for nothing")
    written = StringIO()
    table = csv.writer(written, delimiter=";", lineterminator="\r\n")
    table.writerow(COLUMNS)
    for one in sorted(collections, key=lambda one: (one.creditor_number, one.collect_date, one.ref)):
        amount = decimal(one.amount, one.currency)
        table.writerow(
            (
                one.ref, one.creditor_number, one.group_number, one.mandate, one.collect_date.isoformat(), amount,
                one.currency, one.reference, one.bill, one.payer_name, "delete",
            )
        )  # fmt: skip
    return written.getvalue().encode("utf-8-sig")
