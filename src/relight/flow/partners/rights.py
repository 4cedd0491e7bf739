"""What each role may do. An agent reads and acts; a manager also approves, voids, keeps the books and decides about
policies."""

from collections.abc import Mapping

OPERATOR = "operator"  # whoever runs the installation: may look after policies, and decides nothing about customers

_WORK = frozenset({"hold", "note", "task", "money", "mandate"})
_DECIDE = frozenset({"rates", "approve", "void", "policy", "books", "agency", "collect"})
RIGHTS: Mapping[str, frozenset[str]] = {
    "reader": frozenset[str](),
    "agent": _WORK,
    "manager": _WORK | _DECIDE,
    "admin": _WORK | _DECIDE,
    OPERATOR: frozenset({"rates", "policy", "terms", "agency", "mandate", "collect"}),
}


def may(role: str, act: str) -> bool:
    """Whether a role allows an act: hold, note, task, mandate, approve, void, policy, books, agency, collect
    (direct debit's set-up), rates, or terms (what a partner pays)."""
    return act in RIGHTS.get(role, frozenset())
