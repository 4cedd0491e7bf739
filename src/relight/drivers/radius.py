"""On the road: broadband supply over RADIUS: the customer's group, the open sessions, and a log-in as proof.

Works with FreeRADIUS 3 and its SQL tables on PostgreSQL, and any access server that speaks RFC 5176 (CoA, Disconnect).
The operator's manual is docs/drivers/radius.md. Sources: RFC 2865, RFC 2866, RFC 5176.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime

from relight.core.levels import Level
from relight.drivers.radius_garden import render_filter
from relight.drivers.radius_realm import Order, Realm, Trail, Trouble
from relight.drivers.radius_settings import LEVELS, Address, read_address, read_settings
from relight.drivers.radius_sql import DatabaseOut, GroupStore, UnableToMove
from relight.drivers.radius_wire import NoAnswer, NotSent, Wire
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.supply.port import Observation, Target, WrongSettings
from relight.telemetry.traces import span

_CONNECTIONS_MAX = 10
_UNSETTLED_MAX = 10_000
_RETRY_SECONDS = 5


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _TooLate(Exception):
    """`send_before` had passed when the first change was about to leave."""


class RadiusDriver:
    """One realm. Thread-safe; blocking work runs in threads of its own. Raises WrongSettings when built wrongly.

    `clock` is what `send_before` is compared with, and dates what was seen; FreeRADIUS keeps its own.
    """

    name = "radius"
    repeat = Repeat.SAFE
    levels = frozenset(LEVELS)

    def __init__(self, settings: Mapping[str, object], *, clock: Callable[[], datetime] = _utc_now) -> None:
        self.settings = read_settings(settings)
        self._clock = clock
        store = GroupStore(
            self.settings.database,
            timeout_seconds=self.settings.database_timeout_seconds,
            connections_max=min(self.settings.workers, _CONNECTIONS_MAX),
        )
        self._realm = Realm(self.settings, store, Wire(self.settings))
        self._threads = ThreadPoolExecutor(self.settings.workers, thread_name_prefix="radius")
        # Users whose last command has not been seen to reach every open session (a log-in alone would flatter them),
        # with the group they were in before it, so that a repeat which is refused still finds the way back.
        self._unsettled: dict[str, str] = {}

    async def apply(self, target: Target, level: Level, attempt: Attempt) -> Outcome:
        """Set `target` to `level`: group, open sessions, then proof. See SupplyDriver and the manual for the codes."""
        here = copy_context()  # so that what the thread does belongs to the trace of this command
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, here.run, self._apply, target, level, attempt
        )

    async def read(self, target: Target) -> Observation:
        """See what the customer gets by logging in, or by the group when there is no password. Changes nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, target)

    async def aclose(self) -> None:
        """Wait for what is under way, then end threads and connections."""
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._realm.store.close)

    def garden_filter(self, style: str) -> str:
        """The walled garden's filter for the access equipment (`mikrotik`, `nftables`), from the setting `garden`."""
        if self.settings.garden is None:
            raise WrongSettings("radius: `garden` is not set; see docs/drivers/radius.md, 'The walled garden'")
        return render_filter(self.settings.garden, style)

    def _apply(self, target: Target, level: Level, attempt: Attempt) -> Outcome:
        order = self._order(target, level)
        if isinstance(order, Outcome):
            return order
        try:
            former = self._realm.move(order, lambda: self._check_in_time(attempt))
        except _TooLate:
            return Outcome.late()
        except UnableToMove as refusal:
            return Outcome(Result.REFUSED, code=refusal.code, detail=str(refusal))
        except DatabaseOut as error:
            return _database_out(Result.BUSY, error)
        if former == self.settings.group(level, order.profile):
            former = self._unsettled.get(order.address.username, former)
        outcome = self._enforce(order, former)
        self._remember(order, former, outcome)
        return outcome

    def _order(self, target: Target, level: Level) -> Order | Outcome:
        if level not in self.levels:
            return Outcome(Result.REFUSED, code="unsupported_level", detail=f"broadband cannot be set to {level}")
        try:
            address = read_address(target.address)
        except ValueError as error:
            return Outcome(Result.REFUSED, code="bad_address", detail=str(error))
        profile = self.settings.group(Level.FULL, target.profile)
        if not profile:
            return Outcome(Result.REFUSED, code="no_profile", detail="without the group that means full, no way back")
        if profile in (self.settings.groups[lower] for lower in LEVELS if lower is not Level.FULL):
            return Outcome(Result.REFUSED, code="bad_profile", detail="the profile is the group of a lowered level")
        return Order(address, level, profile)

    def _enforce(self, order: Order, former: str) -> Outcome:
        trail = Trail()
        facts: dict[str, object] = {"begun": True, "group_before": former, "answers": trail.answers}
        try:
            with span("tell access server", only_within=True):
                self._realm.settle_sessions(order, trail)
            with span("read back", only_within=True) as told:
                sight = self._realm.prove(order, trail)
                told.note(observed=str(sight.level), proof=sight.proof)
        except Trouble as trouble:
            return self._in_trouble(order, former, trail, trouble, facts)
        except DatabaseOut as error:
            return _database_out(Result.UNKNOWN, error, facts)
        return Outcome(Result.DONE, facts={**facts, "observed": sight.level, "proof": sight.proof})

    def _in_trouble(
        self, order: Order, former: str, trail: Trail, trouble: Trouble, facts: Mapping[str, object]
    ) -> Outcome:
        if trouble.result is not Result.REFUSED:
            return Outcome(trouble.result, trouble.code, trouble.detail, _RETRY_SECONDS, facts)
        try:
            put_back = self._realm.restore_former(order, former, trail)
        except DatabaseOut as error:
            return _database_out(Result.UNKNOWN, error, facts)
        left = {"begun": not put_back, "put_back": put_back}  # all is as it was: nobody needs to look again
        return Outcome(Result.REFUSED, trouble.code, trouble.detail, facts={**facts, **left})

    def _check_in_time(self, attempt: Attempt) -> None:
        if self._clock() >= attempt.send_before:
            raise _TooLate

    def _remember(self, order: Order, former: str, outcome: Outcome) -> None:
        username = order.address.username
        if outcome.result in (Result.DONE, Result.REFUSED):
            self._unsettled.pop(username, None)
        elif len(self._unsettled) < _UNSETTLED_MAX:
            self._unsettled[username] = former

    def _read(self, target: Target) -> Observation:
        try:
            address = read_address(target.address)
            sight = self._realm.look(address, self.settings.group(Level.FULL, target.profile))
            if self._has_unsettled_session(address):
                return Observation(None, self._clock(), "an open session has not followed the last command")
        except ValueError as error:
            return Observation(None, self._clock(), str(error))
        except DatabaseOut as error:
            return Observation(None, self._clock(), f"database: {error.code}")
        except NoAnswer:
            return Observation(None, self._clock(), "no answer to the log-in")
        except NotSent as error:
            return Observation(None, self._clock(), f"the log-in could not be sent ({error})")
        return Observation(sight.level, self._clock(), sight.proof)

    def _has_unsettled_session(self, address: Address) -> bool:
        if address.username not in self._unsettled:
            return False
        return any(session.is_open for session in self._realm.store.sessions(address.username))


def _database_out(result: Result, error: DatabaseOut, facts: Mapping[str, object] | None = None) -> Outcome:
    detail = "FreeRADIUS's database did not answer as it should"
    return Outcome(result, error.code, detail, _RETRY_SECONDS, facts or {})
