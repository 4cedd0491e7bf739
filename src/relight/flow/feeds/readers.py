"""Readers of the feed by name: where each stands, and the tokens by which they prove over HTTP who they are.

A token is shown once; what is kept is its SHA-256, which is enough for 256 random bits.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

from relight.flow.cases.errors import UnableToFind
from relight.flow.database import Tx, statements
from relight.flow.feeds.operations import BATCH, Entry, acknowledge, read

SQL = statements(__package__, "readers.sql")
_TOKEN_BYTES = 32


class UnableToRead(Exception):
    """A place or a number that a reader cannot ask for; the text says why."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a reader stands; `has_token` says whether it is let in over HTTP."""

    name: str
    position: int
    acknowledged_at: datetime | None
    has_token: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What a reader gets at once. `next` is what it acknowledges by asking for what comes after; `more` says whether
    there is anything yet."""

    entries: list[Entry]
    next: int
    more: bool


def give_token(tx: Tx, name: str) -> str:
    """A new token for a reader, who may be new; one that it had before is worth nothing any more."""
    token = f"feed-{secrets.token_urlsafe(_TOKEN_BYTES)}"
    tx.run(SQL.give_token, {"partner": tx.partner_id, "name": name, "digest": _digest(token)})
    return token


def take_token(tx: Tx, name: str) -> None:
    """The reader keeps its place, and is let in no more. Raises UnableToFind when it has no token."""
    if tx.value(SQL.take_token, {"name": name}) is None:
        raise UnableToFind(f"No reader {name!r} has a token. `relight feed readers` lists them.")


def standings(tx: Tx) -> tuple[int, list[Standing]]:
    """The last position there is, and where each reader stands."""
    head = int(tx.value(SQL.head, {"partner": tx.partner_id}))
    return head, [Standing(*row) for row in tx.rows(SQL.all_readers)]


def turn_page(tx: Tx, token: str, *, after: int | None, limit: int, now: datetime) -> Page | None:
    """The next entries for whoever shows this token; None when nobody has it.

    `after` acknowledges everything up to there; without it the reader goes on from where it had acknowledged. Raises
    UnableToRead for a place that the feed does not have, or more than `BATCH` at once.
    """
    reader = tx.row(SQL.by_token, {"digest": _digest(token)})
    if reader is None:
        return None
    name, position = reader
    head = int(tx.value(SQL.head, {"partner": tx.partner_id}))
    if not 1 <= limit <= BATCH:
        raise UnableToRead(f"limit is from 1 to {BATCH}")
    if after is not None and not 0 <= after <= head:
        raise UnableToRead(f"the feed ends at {head}: nothing comes after {after}")
    if after is not None and after > position:
        acknowledge(tx, name, after, now)
    entries = read(tx, after=position if after is None else after, limit=limit)
    last = entries[-1].position if entries else (position if after is None else after)
    return Page(entries, last, last < head)


def told(entry: Entry) -> dict[str, Any]:
    """An entry as readers get it; `entry.schema.json` describes it."""
    return {
        "position": entry.position,
        "topic": entry.topic,
        "at": entry.at.isoformat(),
        "account": entry.account,
        "case": entry.case_id,
        "number": entry.event_number,
        "actor": entry.actor,
        "data": entry.body,
    }


def schema() -> Mapping[str, Any]:
    """What `told` gives, as a JSON Schema (draft 2020-12)."""
    found: Mapping[str, Any] = json.loads(files("relight.flow.feeds").joinpath("entry.schema.json").read_text("utf-8"))
    return found


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
