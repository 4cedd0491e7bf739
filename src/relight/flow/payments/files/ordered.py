"""A collection as the files that order it, or call it back, need it. Pure."""

from datetime import date
from typing import NamedTuple


class Ordered(NamedTuple):
    """One collection, in minor units. `ref` is what the bank sends back, `reference` what the payment carries (the
    bill's own), `bill` its number; `creditor_number` and `group_number` are the scheme's names for the creditor,
    `creditor_org` its number in the register of companies.
    `block` is the group of the file that ordered it, `message` that file's id; empty before."""

    ref: str
    amount: int
    currency: str
    collect_date: date
    sequence: str
    instrument: str
    mandate: str
    signed_date: date | None
    payer_name: str
    payer_account: str
    reference: str
    bill: str
    bank_notifies: bool
    creditor: str
    creditor_account: str
    creditor_number: str
    group_number: str
    creditor_org: str = ""
    block: str = ""
    message: str = ""
