"""I6: each reader of a partner's feed sees every event exactly once by position, in order per case."""

from collections.abc import Iterator

from relight.audit.asking import Question, ask
from relight.audit.reading import Reading, statements
from relight.audit.report import Violation

SQL = statements("feeds.sql")
_TELL_READERS = "Tell the feed's readers to read again from before this place, and find out what changed the feed."
QUESTIONS = (
    Question("gap", "After position {before} of the feed comes {position}.", _TELL_READERS),
    Question("head", "The feed's head says {head}, and its last entry is {last}.", _TELL_READERS),
    Question(
        "missing",
        "Event {code} is on the log, and neither in the feed nor waiting for its position.",
        "Put it into feed_pending, and see that the table's trigger is there.",
    ),
    Question("twice", "The feed has this event {times} times.", _TELL_READERS),
    Question("of_nothing", "Position {position} tells of {topic}, and the log does not have it.", _TELL_READERS),
    Question("disorder", "At position {position} the feed tells this event after event {before}.", _TELL_READERS),
    Question(
        "ahead",
        "Reader {name} has acknowledged position {position}, and the feed ends at {head}.",
        "Ask the reader what it has really read, and set it back.",
    ),
    Question(
        "payment_untold",
        "Payment {ref} is {state}, and the feed says so {times} times instead of once.",
        "Tell the feed's readers, and see that the table's triggers are there.",
    ),
    Question(
        "log_gap",
        "The case is at version {version}, and its log has {n} events, the last numbered {last}.",
        "Restore the log from a backup or a reader of the feed; events are never deleted.",
    ),
)


def look(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many entries were looked at, and what is wrong with the feed, its readers and the log behind it."""
    return reading.count(SQL.count), ask(reading, SQL, "I6", QUESTIONS)
