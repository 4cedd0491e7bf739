"""The timeline: a case's log as a person reads it, with what each event sent and what became of that."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from relight.core.explain import agent
from relight.core.explain.entries import Why
from relight.core.levels import Level, is_lower
from relight.web.console.queries.case_rows import CaseFile, Effect, Event, Message
from relight.web.console.voice import Voice

_GOOD = frozenset({"payment_seen", "restore_decided", "restored", "restored_told", "cured", "closed"})
_CAREFUL = frozenset(
    {"refused", "channel_failed", "step_withdrawn", "step_voided", "stays_blocked", "payment_returned", "overpaid",
     "command_repeated"}
)  # fmt: skip
_ICONS = {
    "opened": "folder", "step_taken": "forward", "step_completed": "check", "deferred": "clock", "refused": "shield",
    "approval_requested": "hand", "approval_given": "check", "approval_denied": "cross", "payment_seen": "coins",
    "payment_returned": "coins", "overpaid": "coins", "restore_decided": "sun", "restored": "sun",
    "restored_told": "message", "press_button_told": "message", "stays_blocked": "shield", "command_repeated": "repeat",
    "part_started": "forward", "channel_failed": "message", "step_withdrawn": "undo", "step_voided": "undo",
    "taken_back_by_hand": "undo",
    "cured": "check", "closed": "check", "hold_placed": "pause", "hold_ended": "play", "task_finished": "check",
    "note": "note", "customer_asks_for_time": "hand", "second_check_failed": "shield",
    "claim_written_off": "coins", "claim_forgiven": "coins", "claim_owed_again": "undo",
    "payment_assigned": "coins", "payment_taken_away": "undo",
    "plan_offered": "hand", "plan_agreed": "check", "plan_confirmed": "message", "plan_started": "forward",
    "plan_reminded": "message", "plan_broken": "cross", "plan_lapsed": "cross", "plan_paid": "check",
    "plan_ended": "undo", "promise_made": "hand", "promise_broken": "cross",
    "collection_planned": "clock", "collection_announced": "message", "collection_told": "message",
    "collection_failed": "cross", "collection_called_back": "undo",
}  # fmt: skip
_SHORT_CODES = frozenset({"note"})
_ROW_NUMBERS = frozenset({"hold", "task", "payment", "payments", "link"})  # of our tables: they tell a reader nothing


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `tone` is good, careful, cut or plain; `can_void` where a step still counts."""

    number: int
    code: str
    title: str
    icon: str
    tone: str
    actor: str
    at: datetime
    reasons: tuple[Why, ...]
    params: tuple[tuple[str, str], ...]
    messages: tuple[Message, ...]
    commands: tuple[Effect, ...]
    keeps_facts: bool
    policy_hash: str
    step: str | None
    completed_at: datetime | None
    pay_by_date: date | None
    voided_at: datetime | None
    can_void: bool

    @property
    def has_details(self) -> bool:
        """Whether there is something to unfold."""
        return bool(self.reasons or self.params or self.messages or self.commands or self.step)


@dataclass(frozen=True, slots=True)
class Day:
    """One day's entries, the newest first."""

    day: date
    entries: tuple[Entry, ...]


def days(case: CaseFile, voice: Voice, *, may_void: bool) -> tuple[Day, ...]:
    """The log by local days."""
    messages, commands = defaultdict(list), defaultdict(list)
    for message in case.messages:
        messages[message.event_number].append(message)
    for effect in case.effects:
        if effect.kind == "supply":
            commands[effect.event_number].append(effect)
    entries = [_entry(event, voice, messages, commands, may_void=may_void) for event in case.events]
    by_day = groupby(entries, key=lambda entry: entry.at.astimezone(voice.zone).date())
    return tuple(Day(day, tuple(told)) for day, told in by_day)


def _entry(
    event: Event,
    voice: Voice,
    messages: Mapping[int, list[Message]],
    commands: Mapping[int, list[Effect]],
    *,
    may_void: bool,
) -> Entry:
    sent = tuple(commands.get(event.number, ()))
    return Entry(
        number=event.number,
        code=event.code,
        title=agent.event(voice.speech, event.code, event.params),
        icon=_ICONS.get(event.code, "dot"),
        tone=_tone(event, sent),
        actor=voice.name("actor", event.actor) if event.actor in ("relight", "customer") else event.actor,
        at=event.at,
        reasons=tuple(agent.reason(voice.speech, reason) for reason in event.reasons),
        params=() if event.code in _SHORT_CODES else _params(event, voice),
        messages=tuple(messages.get(event.number, ())),
        commands=sent,
        keeps_facts=event.keeps_facts,
        policy_hash=event.policy_hash[:12],
        step=event.step,
        completed_at=event.completed_at,
        pay_by_date=event.pay_by_date,
        voided_at=event.voided_at,
        can_void=may_void and event.may_be_voided,
    )


def _tone(event: Event, sent: tuple[Effect, ...]) -> str:
    if event.code in _GOOD:
        return "good"
    if any(is_lower(Level(effect.level), Level.FULL) for effect in sent if effect.level):
        return "cut"
    return "careful" if event.code in _CAREFUL else "plain"


def _params(event: Event, voice: Voice) -> tuple[tuple[str, str], ...]:
    told = (
        (name, voice.param(name, value, event.code)) for name, value in event.params.items() if name not in _ROW_NUMBERS
    )
    return tuple((voice.name("param", name), value) for name, value in told if value)
