"""What each role may do. An agent reads and acts; a manager also approves, voids, keeps the books and decides about
policies."""

from collections.abc import Mapping

OPERATOR = "operator"  # whoever runs the installation: may look after policies, and decides nothing about customers

_WORK = frozenset({"hold", "note", "task", "money"})
_DECIDE = frozenset({"rates", "approve", "void", "policy", "books", "agency"})
RIGHTS: Mapping[str, frozenset[str]] = {
    "reader": frozenset[str](),
    "agent": _WORK,
    "manager": _WORK | _DECIDE,
    "admin": _WORK | _DECIDE,
    OPERATOR: frozenset({"rates", "policy", "terms", "agency"}),
}


def may(role: str, act: str) -> bool:
    """Whether a role allows an act: hold, note, task, approve, void, policy, books, agency, rates, or terms (what a
    partner pays)."""
    return act in RIGHTS.get(role, frozenset())
