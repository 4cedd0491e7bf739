"""I8: no message in quiet hours, over the contact cap, or without a lawful channel.

Receipts and "you are back" may go at once and do not count; to an address that has ended nothing goes.
"""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from relight.audit.asking import Question, ask
from relight.audit.days import Days
from relight.audit.policies import Policy, published
from relight.audit.reading import Reading, Row, statements
from relight.audit.report import Violation
from relight.audit.rules import COMMON, days_of

SQL = statements("messages.sql")
UNCOUNTED = ("apology",)  # keeps its hours, and is no contact that counts: what it makes good did
ENDED = Question(
    "ended",
    "Message {template} went to an address by {channel}, and {wrong}.",
    "Apologise to whoever got it, and find out why the address was still used.",
)
_SLOW_DOWN = "Look at the policy's contact hours and cap, and at what let the message leave."


def look(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many attempts at messages were looked at, and which of them should not have left."""
    return reading.count(SQL.count), _look(reading)


def _look(reading: Reading) -> Iterator[Violation]:
    policies = Versions(reading)
    yield from _quiet(reading, policies, days_of(reading.partner.country))
    yield from _often(reading, policies)
    yield from ask(reading, SQL, "I8", (ENDED,))


class Versions:
    """A partner's policies, found for a row: the version that the decision names, else the case's own."""

    def __init__(self, reading: Reading):
        self.by_id, self.ids = published(reading)

    def of(self, row: Row) -> Policy:
        """The policy that a row's decision was made under."""
        return self.by_id[self.ids.get(row["policy_hash"]) or row["policy_version_id"]]


def _quiet(reading: Reading, policies: Versions, days: Days) -> Iterator[Violation]:
    partner = reading.partner
    for row in reading.stream(SQL.left, exempt=COMMON.exempt_templates):
        hours = policies.of(row).contact
        if not hours.lets(row["started_at"], partner.zone, days, partner.closed_dates):
            why = (
                f"Message {row['template']} ({row['channel']}) left on {shown(row['started_at'], partner.zone)},"
                f" outside the contact hours ({hours}) or on a day off."
            )
            yield _wrong(reading, row, "quiet_hours", why)


def _often(reading: Reading, policies: Versions) -> Iterator[Violation]:
    if not policies.by_id:
        return
    least = min(policy.contacts_max for policy in policies.by_id.values())
    for row in reading.stream(SQL.often, exempt=[*COMMON.exempt_templates, *UNCOUNTED], least_cap=least):
        cap = policies.of(row).contacts_max
        if row["n"] > cap:
            when = shown(row["released_at"], reading.partner.zone)
            what = f"Message {row['template']} ({row['channel']}) of {when}"
            why = f"{what} was number {row['n']} in seven days; {cap} may go."
            yield _wrong(reading, row, "contact_cap", why)


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as the partner's clock shows it."""
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"


def _wrong(reading: Reading, row: Row, code: str, why: str) -> Violation:
    return Violation("I8", row["case"], row["event"], why, code, _SLOW_DOWN, reading.partner.slug)
