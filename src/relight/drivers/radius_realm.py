"""On the road: how one customer is set to a level and how it is proven; the blocking part, run in a thread.

Group first, then sessions, then proof. The group decides every later log-in; a CoA or Disconnect carries it to the
sessions already open; an ACK is only a promise, so the level is read back by logging in as the customer would.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from relight.core.levels import Level, is_lower
from relight.drivers.radius_settings import LEVELS, LOWERED, Address, Attributes, Method, RadiusSettings
from relight.drivers.radius_sql import GroupStore, Session
from relight.drivers.radius_wire import NOT_FOR_SESSIONS, Answer, Login, NoAnswer, NotSent, Unsendable, Wire
from relight.flow.effects.port import Result

# RFC 5176, 3.5. The access server cannot change a session in place, but may well be able to end it.
TRY_DISCONNECT = frozenset({401, 405, 406, 407, 508})
# Asking again will not help: missing or invalid request, wrong server, prohibited, not removable.
FOR_GOOD = frozenset({401, 402, 403, 404, 405, 406, 407, 501, 504, 508})
SESSION_NOT_FOUND = 503

_ROUNDS_MAX = 3
_POLL_SECONDS = 0.02


class Trouble(Exception):
    """The sessions or the proof did not come about; carries how the attempt ends."""

    def __init__(self, result: Result, code: str, detail: str) -> None:
        super().__init__(detail)
        self.result = result
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Order:
    """One customer, the level wanted, and what full means for this customer."""

    address: Address
    level: Level
    profile: str


@dataclass(slots=True)
class Trail:
    """What was sent to which session and what came back, for the record."""

    answers: list[dict[str, object]] = field(default_factory=list)
    obeyed: list[Session] = field(default_factory=list)

    def note(self, session: Session, sent: str, answer: str, cause: int | None = None) -> None:
        """Add one exchange."""
        self.answers.append({"session": session.session_id, "sent": sent, "answer": answer, "error_cause": cause})


@dataclass(frozen=True, slots=True)
class Sight:
    """What a read-back saw: `level` None when it cannot be told; `proof` is how it was seen."""

    level: Level | None
    proof: str


@dataclass(frozen=True, slots=True)
class Realm:
    """One realm's settings, database and wire. Methods block; they raise DatabaseOut besides what they name."""

    settings: RadiusSettings
    store: GroupStore
    wire: Wire

    def move(self, order: Order, before_write: Callable[[], None]) -> str:
        """Move the customer to the level's group; returns the group from before. Raises UnableToMove."""
        lowered = [self.settings.groups[level] for level in LOWERED]
        return self.store.move(
            order.address.username,
            to=self.settings.group(order.level, order.profile),
            ours=lowered,
            profile=order.profile,
            before_write=before_write,
        )

    def settle_sessions(self, order: Order, trail: Trail) -> None:
        """Bring every open session to the level. All are asked; then the worst answer is raised as Trouble.

        A session that logged in just before the move shows up in accounting a moment later: hence the rounds.
        """
        method = self.settings.methods[order.level]
        attributes = self._session_attributes(order) if method is Method.COA else {}
        handled: set[str] = set()
        troubles: list[Trouble] = []
        for _ in range(_ROUNDS_MAX):
            fresh = [s for s in self.store.sessions(order.address.username) if s.is_open and s.unique_id not in handled]
            for session in fresh:
                handled.add(session.unique_id)
                try:
                    self._command(order, session, method, attributes, trail)
                except Trouble as trouble:
                    troubles.append(trouble)
            if not fresh or (method is Method.DISCONNECT and order.level is not Level.OFF):
                break  # who logs in again after a disconnect already has the new group
        if troubles:
            raise min(troubles, key=lambda t: (Result.REFUSED, Result.UNKNOWN, Result.BUSY).index(t.result))

    def prove(self, order: Order, trail: Trail) -> Sight:
        """See that the level holds. Raises Trouble (UNKNOWN) when it does not or cannot be told."""
        proofs = []
        if trail.obeyed and (order.level is Level.OFF or not self._can_log_in(order.address)):
            self._wait_for_accounting(order, trail)
            proofs.append("accounting")
        try:
            sight = self.look(order.address, order.profile)
        except NoAnswer:
            raise Trouble(Result.UNKNOWN, "timeout", "no answer to the log-in that should prove the level") from None
        except NotSent as error:
            raise Trouble(Result.UNKNOWN, "not_sent", f"the log-in could not be sent ({error})") from error
        if sight.level is not order.level:
            seen = sight.level or "something that is none of the levels"
            raise Trouble(Result.UNKNOWN, "not_enforced", f"asked for {order.level}, the read-back shows {seen}")
        return Sight(sight.level, ", ".join([sight.proof, *proofs]))

    def look(self, address: Address, profile: str) -> Sight:
        """What the next log-in gets: by logging in or, without a password, by the group. Raises NoAnswer, NotSent."""
        group = self.store.first_group(address.username)
        if not self._can_log_in(address):
            return Sight(self._level_of_group(group, profile), "group")
        login = self.wire.log_in(address.username, address.password)
        return Sight(self._level_of_login(login, group, profile), "re-authentication")

    def restore_former(self, order: Order, former: str, trail: Trail) -> bool:
        """After a refusal: give back the former group, also to sessions that had followed. True if all is back.

        Only when the command would have lowered the level: a refused cut must leave nothing behind, while a refused
        restore keeps the better group for the next log-in.
        """
        former_level = self._level_of_group(former, order.profile) or Level.FULL
        if not is_lower(order.level, former_level):
            return False
        group = self.settings.group(order.level, order.profile)
        self.store.put_back(order.address.username, group=group, former=former)
        back = Order(order.address, former_level, order.profile)
        try:
            attributes = self._session_attributes(back)
            for session in tuple(trail.obeyed):
                self._command(back, session, self.settings.methods[former_level], attributes, trail)
        except Trouble:
            return False
        return True

    def _command(self, order: Order, session: Session, method: Method, attributes: Attributes, trail: Trail) -> None:
        answer = self._send(order, session, method, attributes, trail)
        if not answer.acknowledged and method is Method.COA and answer.error_cause in TRY_DISCONNECT:
            answer = self._send(order, session, Method.DISCONNECT, {}, trail)
        if answer.acknowledged:
            trail.obeyed.append(session)
        else:
            self._judge_refusal(order, session, answer.error_cause)

    def _send(self, order: Order, session: Session, method: Method, attributes: Attributes, trail: Trail) -> Answer:
        address = order.address
        host = address.nas or self.settings.coa_host or session.nas_address
        sent = "CoA-Request" if method is Method.COA else "Disconnect-Request"
        try:
            if method is Method.COA:
                answer = self.wire.change(session, address.username, attributes, host)
            else:
                answer = self.wire.disconnect(session, address.username, host)
        except NoAnswer:
            trail.note(session, sent, "none")
            raise Trouble(Result.UNKNOWN, "timeout", f"no answer to the {sent}: away, or secrets differ") from None
        except NotSent as error:
            trail.note(session, sent, "not sent")
            raise Trouble(Result.BUSY, "not_sent", f"the {sent} could not be sent ({error})") from error
        except Unsendable as error:
            trail.note(session, sent, "not sent")
            raise Trouble(Result.REFUSED, "bad_attribute", str(error)) from error
        trail.note(session, sent, "ACK" if answer.acknowledged else "NAK", answer.error_cause)
        return answer

    def _judge_refusal(self, order: Order, session: Session, cause: int | None) -> None:
        sessions = self.store.sessions(order.address.username, [session.unique_id])
        now = next((found for found in sessions if found.unique_id == session.unique_id), None)
        if now is None or not now.is_open:
            return  # it ended meanwhile; the next log-in gets the new group
        stale = timedelta(seconds=self.settings.session_stale_seconds)
        if cause == SESSION_NOT_FOUND and (now.heard_at is None or datetime.now(UTC) - now.heard_at > stale):
            return  # left open in accounting by a restart of the access server
        code = str(cause) if cause is not None else "nak"
        if cause in FOR_GOOD:
            raise Trouble(Result.REFUSED, code, f"the access server refused, Error-Cause {code}")
        raise Trouble(Result.BUSY, code, f"the access server could not now, Error-Cause {code}")

    def _wait_for_accounting(self, order: Order, trail: Trail) -> None:
        before = {session.unique_id: session.version for session in trail.obeyed}
        deadline = time.monotonic() + self.settings.accounting_seconds
        while True:
            sessions = self.store.sessions(order.address.username, list(before))
            if order.level is Level.OFF:
                waiting = [s for s in sessions if s.unique_id in before and s.is_open]
            else:
                waiting = [s for s in sessions if before.get(s.unique_id) == s.version]
            if not waiting:
                return
            if time.monotonic() >= deadline:
                raise Trouble(Result.UNKNOWN, "no_accounting", "acknowledged, but accounting has not shown it yet")
            time.sleep(_POLL_SECONDS)

    def _session_attributes(self, order: Order) -> Attributes:
        attributes = self._attributes(order.profile)[order.level]
        return {k: v for k, v in attributes.items() if self.wire.knows(k) and k not in NOT_FOR_SESSIONS}

    def _attributes(self, profile: str) -> Mapping[Level, Attributes]:
        """What each level gives: the setting if there is one, else the group's own replies in FreeRADIUS."""
        groups = {level: self.settings.group(level, profile) for level in LEVELS}
        replies = self.store.replies([group for group in groups.values() if group])
        return {level: self.settings.attributes.get(level) or replies.get(groups[level], {}) for level in LEVELS}

    def _level_of_group(self, group: str, profile: str) -> Level | None:
        names = {self.settings.group(level, profile): level for level in LEVELS}
        return names.get(group) if group else None

    def _level_of_login(self, login: Login, group: str, profile: str) -> Level | None:
        attributes = self._attributes(profile)
        of_group = self._level_of_group(group, profile)
        if login.accepted is None:
            return None
        if not login.accepted:
            # A wrong password is rejected too: only the off group's own rejection counts.
            said = attributes[Level.OFF].get("Reply-Message", ())
            is_ours = of_group is Level.OFF and set(said) <= set(login.attributes.get("Reply-Message", ()))
            return Level.OFF if is_ours else None
        filters = set(login.attributes.get("Filter-Id", ()))
        marks = {level: attributes[level].get("Filter-Id") for level in LEVELS if level is not Level.OFF}
        matches = {level for level, mark in marks.items() if mark and set(mark) <= filters}
        if not matches and not marks[Level.FULL] and of_group is Level.FULL:
            return Level.FULL
        if len(matches) > 1 and of_group in matches:
            return of_group
        return matches.pop() if len(matches) == 1 else None

    def _can_log_in(self, address: Address) -> bool:
        return bool(address.password and self.settings.auth_host)
