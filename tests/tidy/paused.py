"""A statement stopped in its middle: after its snapshot was taken, and before it locks what it found.

A row-level policy on `dunning_case` waits at a gate for one session, known by its application name. So production's
own statement is held up, word for word as it is.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg

HELD_UP = "relight-held-up"
_GATE = 47110815
_TRIES_MAX = 60_000  # statements, each a round trip; a session that never comes to the gate ends the test

_BUILD = f"""
CREATE FUNCTION relight.at_the_gate() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF current_setting('application_name') = '{HELD_UP}' THEN
        PERFORM pg_advisory_xact_lock_shared({_GATE});
    END IF;
    RETURN true;
END $$;
CREATE POLICY gate ON dunning_case AS RESTRICTIVE FOR SELECT USING (relight.at_the_gate());
"""
_CLEAR = "DROP POLICY gate ON dunning_case; DROP FUNCTION relight.at_the_gate();"
_WAITING = """
SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
WHERE a.application_name = %s AND l.locktype = 'advisory' AND NOT l.granted
"""

T = TypeVar("T")


@contextmanager
def gate(owner: psycopg.Connection[Any]) -> Iterator["Gate"]:
    """A shut gate on the table of cases; gone at the end."""
    owner.execute(_BUILD)
    owner.execute("SELECT pg_advisory_lock(%s)", [_GATE])
    made = Gate(owner)
    try:
        yield made
    finally:
        made.open()
        owner.execute(_CLEAR)


class Gate:
    """Where the session named `HELD_UP` waits."""

    def __init__(self, owner: psycopg.Connection[Any]):
        self._owner, self._is_shut = owner, True

    def send(self, work: Callable[[], T]) -> "Future[T]":
        """Start `work` in a thread, and come back when it waits at the gate."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as failed:  # noqa: BLE001 - handed to whoever asks for the result
                done.set_exception(failed)

        threading.Thread(target=run, daemon=True).start()
        for _ in range(_TRIES_MAX):
            found = self._owner.execute(_WAITING, [HELD_UP]).fetchone()
            if found and found[0]:
                return done
            if done.done():
                raise AssertionError(f"it did not come by the gate: {done.result()}")
        raise AssertionError("nobody came to the gate")

    def open(self) -> None:
        """Let everybody through."""
        if self._is_shut:
            self._owner.execute("SELECT pg_advisory_unlock(%s)", [_GATE])
            self._is_shut = False
