"""What is written about money that is drawn by a mandate, and whether it still is about something when it leaves."""

from relight.core.facts import CaseFacts
from relight.core.standing import Standing

NOTICE, FAILED = "collection_notice", "collection_failed"
TEMPLATES = frozenset({NOTICE, FAILED})
HOLD = "collection"  # the reason of the hold that keeps a bill from being followed up while it is collected


def is_about_something(facts: CaseFacts, at: Standing, template: str) -> bool:
    """Nobody is told of money that is not going to be drawn, or asked about what is paid or at rest by now."""
    if at.held:
        return False
    if template == NOTICE:
        return any(hold.reason == HOLD for hold in facts.holds)
    return any(at.countable[claim.id] > 0 for claim in facts.claims)
