"""Explaining a case: its log, its facts and its policy are read, and the words are put together for one reader.

Nothing is written, and nothing is decided: what comes next is what the engine would say of today's facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relight.core.explain.ahead import Ahead, Case, look_ahead
from relight.core.explain.customer import QUIET
from relight.core.explain.entries import Entry, Told, Why
from relight.core.explain.speech import Speech
from relight.core.explain.stops import Stop, stops
from relight.core.explain.tell import Next, told_entry, told_next, told_stops
from relight.core.explain.words import Reader, language_for
from relight.core.facts import CaseFacts
from relight.core.policy import Policy
from relight.core.rules.lawbook import packaged_law
from relight.core.windows import local_date
from relight.flow.cases.errors import UnableToFind
from relight.flow.cases.policies import PolicyShelf, UnusablePolicy
from relight.flow.database import Tx, statements
from relight.flow.messages.catalog import help_contacts
from relight.flow.road.gather import gather

SQL = statements(__package__, "explaining.sql")
LOG_MAX = 2000
_SHELF = PolicyShelf()


@dataclass(frozen=True, slots=True)
class Head:
    """The case's own row, and whom it is between. `arrears` in minor units, as of the last decision."""

    case_id: int
    account_id: int
    account: str
    currency: str
    state: str
    arrears: int
    next_step: str
    next_at: datetime | None
    waits_for: str
    wakes_at: datetime | None
    policy: str
    policy_version: int
    policy_version_id: int
    creditor: str
    phone: str
    country: str
    partner_language: str
    customer: str
    customer_language: str

    def language(self, reader: Reader, wanted: str = "") -> str:
        """The wanted language, else the customer's own, or the partner's for an agent."""
        own = self.customer_language if reader == "customer" else self.partner_language
        return language_for(wanted, own, self.partner_language)


@dataclass(frozen=True, slots=True)
class Known:
    """All that an explanation is made of. `ahead` and `stops` are None where the policy cannot be read any more."""

    head: Head
    entries: tuple[Entry, ...]
    facts: CaseFacts
    policy: Policy | None
    ahead: Ahead | None
    stops: tuple[Stop, ...]
    services: Mapping[int, str]
    now: datetime

    def speech(self, reader: Reader, language: str) -> Speech:
        """How a reader is spoken to about this case."""
        zone = self.facts.partner.zone
        return Speech(
            language, reader, zone, self.head.currency, local_date(self.now, zone), self.services, self.policy
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """A case in words, for one reader in one language. `help` is for customers: whom to call."""

    language: str
    reader: Reader
    lead: tuple[str, ...]
    told: tuple[Told, ...]
    next: Next
    stops: tuple[Why, ...]
    help: tuple[str, ...]


def read_case(tx: Tx, case_id: int, *, now: datetime, limit: int = LOG_MAX) -> Known:
    """Everything about a case that there is to tell, of the newest `limit` entries. Raises `UnableToFind`."""
    row = tx.row(SQL.head, {"case": case_id, "now": now})
    if row is None:
        raise UnableToFind(f"There is no case {case_id} at this partner.")
    head = Head(*row)
    log = tx.rows(SQL.log, {"case": case_id, "limit": limit})
    services = dict(tx.rows(SQL.services, {"account": head.account_id}))
    facts = gather(tx, [case_id], now)[1][0].facts
    policy = _policy(tx, head.policy_version_id)
    case = Case(policy, packaged_law(), facts, now) if policy else None
    ahead = look_ahead(case) if case else None
    return Known(
        head=head,
        entries=tuple(_entry(one) for one in log),
        facts=facts,
        policy=policy,
        ahead=ahead,
        stops=stops(case, ahead) if case and ahead else (),
        services=services,
        now=now,
    )


def _policy(tx: Tx, version_id: int) -> Policy | None:
    """The case's policy; None for a text that this release cannot read: the log is told all the same."""
    try:
        return _SHELF.get(tx, version_id)
    except UnusablePolicy:
        return None


def _entry(row: tuple[Any, ...]) -> Entry:
    number, at, code, params, reasons, actor, voided, services = row
    return Entry(number, at, code, params or {}, tuple(reasons or ()), actor, bool(voided), tuple(services or ()))


def explain(known: Known, reader: Reader, language: str = "") -> Explanation:
    """A case in words; in the reader's own language unless another is wanted."""
    speech = known.speech(reader, known.head.language(reader, language))
    of_step = speech.about(known.ahead.services) if known.ahead else speech
    return Explanation(
        language=speech.language,
        reader=reader,
        lead=_lead(known, speech),
        told=tuple(told_entry(speech, entry) for entry in known.entries if not _is_quiet(entry, reader)),
        next=told_next(of_step, known.ahead, known.now) if known.ahead else Next((speech.say("next.unreadable"),)),
        stops=told_stops(of_step, known.stops),
        help=_help(known.head, speech) if reader == "customer" and known.head.state != "closed" else (),
    )


def _is_quiet(entry: Entry, reader: Reader) -> bool:
    return reader == "customer" and entry.code in QUIET


def _lead(known: Known, speech: Speech) -> tuple[str, ...]:
    """Whose case it is and what is owed, to begin with."""
    head = known.head
    if speech.reader == "customer":
        owed = "frame.owed" if head.arrears else "frame.nothing_owed"
        return (
            speech.say("frame.case", creditor=head.creditor, name=head.customer),
            speech.say(owed, arrears=speech.money(head.arrears)),
        )
    return (
        speech.say(
            "frame.case",
            case=head.case_id,
            customer=head.customer,
            account=head.account,
            state=speech.name("state", head.state),
            arrears=speech.money(head.arrears),
            policy=head.policy,
            version=head.policy_version,
        ),
    )


def _help(head: Head, speech: Speech) -> tuple[str, ...]:
    """Whom to call when paying is hard: us, and those who advise free of charge."""
    ours = (speech.say("frame.help", phone=head.phone),) if head.phone else ()
    names = [contact.name + (f" ({contact.phone})" if contact.phone else "")
             for contact in help_contacts(head.country, speech.language)]  # fmt: skip
    return (*ours, speech.say("frame.advice", names=speech.listed(names, last="or"))) if names else ours
