"""People who act on policies and money: a user with a role at the partner, or the installation's operator."""

from dataclasses import dataclass

from relight.flow.cases.errors import UnableTo, UnableToFind
from relight.flow.database import Tx, statements
from relight.flow.partners.rights import OPERATOR, may

SQL = statements(__package__, "people.sql")

_REFUSED = {
    "policy": ("decide about policies", "a manager"),
    "books": ("keep the books", "a manager"),
    "agency": ("look after agencies", "a manager"),
    "hold": ("do this", "an agent, or say with --as which user does it"),
    "rates": ("answer for rates", "a manager"),
    "approve": ("approve", "a manager"),
    "void": ("undo what was done", "a manager, or say with --as which user does it"),
    "task": ("ask for it", "an agent"),
    "money": ("place payments", "an agent, or say with --as which user does it"),
    "mandate": ("note mandates", "an agent"),
    "collect": ("set up direct debit", "a manager"),
    "terms": ("agree about what a partner pays", "whoever runs the installation"),
}


class UnableToAct(UnableTo):
    """The person's role does not allow it; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: the name that goes on record, and the role that allows it."""

    name: str
    role: str

    def must(self, act: str) -> None:
        """Raise `UnableToAct` unless the role allows an act."""
        if not may(self.role, act):
            what, whom = _REFUSED.get(act, ("do this", "a manager"))
            raise UnableToAct(f"{self.name} is {self.role} here, and may not {what}. Ask {whom}.")


def member(tx: Tx, user: str) -> Person:
    """The user of that name with their role at this transaction's partner. Raises `UnableToFind`."""
    role = tx.value(SQL.role, {"partner": tx.partner_id, "user": user})
    if role is None:
        raise UnableToFind(f"{user!r} is no user at this partner. Let them in: relight user add {user} --role manager")
    return Person(user, role)


def operator(account: str, name: str = "") -> Person:
    """Whoever runs the installation, by the host's account, and `name` where they say it. No user can be called so:
    user names have no spaces."""
    return Person(f"{name} (operator {account})" if name else f"operator {account}", OPERATOR)
