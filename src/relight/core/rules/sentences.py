"""Sentences for a credit manager: acts by their everyday names, days and sums in full."""

from datetime import date

from relight.core.money import to_decimal
from relight.core.rules.acts import FEE

# (one, several)
_NAMES = {
    "reminder": ("reminder", "reminders"),
    "collection_warning": ("collection warning", "collection warnings"),
    "payment_demand": ("demand for payment", "demands for payment"),
    "fourteen_day_letter": ("fourteen-day letter", "fourteen-day letters"),
    "disconnect_notice": ("notice of disconnection", "notices of disconnection"),
    "disconnect_announcement": ("announcement of the disconnection", "announcements of the disconnection"),
    "termination_notice": ("notice that the contract ends", "notices that the contract ends"),
    "disconnect": ("disconnection", "disconnections"),
    "throttle": ("slowing down", "slowings down"),
    "contract_terminate": ("end of the contract", "ends of the contract"),
    "end_of_supply": ("end of supply", "ends of supply"),
    "contact_attempt": ("contact attempt", "contact attempts"),
    "personal_contact": ("personal contact", "personal contacts"),
    "plan_offer": ("offer of a payment plan", "offers of a payment plan"),
    "security_demand": ("demand for security", "demands for security"),
    "early_signal": ("early signal to the municipality", "early signals to the municipality"),
    "end_supply_signal": ("signal to the municipality before the end", "signals to the municipality before the end"),
    "authority_notice": ("notice to the social board", "notices to the social board"),
    "agency_handoff": ("handing over to an agency", "handings over to an agency"),
    "legal_action": ("court action", "court actions"),
    "prepayment_meter": ("prepayment meter", "prepayment meters"),
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def name_of(act: str, count: int = 1) -> str:
    """An act's everyday name, for one or several."""
    if act.startswith(FEE):
        plain = act.removeprefix(FEE).replace("_", " ")
        return f"{plain} fee" if count == 1 else f"{plain} fees"
    one, several = _NAMES.get(act, (act.replace("_", " "), f"{act.replace('_', ' ')}s"))
    return one if count == 1 else several


def a(act: str) -> str:
    """An act's everyday name with its article."""
    name = name_of(act)
    return name if act == "personal_contact" else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def said(day: date) -> str:
    """2 March 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def money(minor: int, currency: str) -> str:
    """NOK 35.00."""
    return f"{currency} {to_decimal(minor, currency):,}"
