"""Since when the installation has had no base copy, and since when nobody has written down its log.

Which file tells of copies is said in the environment, at the start; of the log the server itself tells, by its slot.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

NOTE = "RELIGHT_COPY_NOTE"  # the file with the newest copy's moment; nothing where copies are made by other means
SINCE = "RELIGHT_COPIES_SINCE"  # a moment (ISO 8601): since then there should be one; nothing where none is asked for
SLOT = "relight_backup"  # by which `relight backup stream` has the server keep its log


class Slot(NamedTuple):
    """What the server says of the slot: whether the log is being fetched by it, else since when it is not."""

    is_used: bool
    unused_since: datetime


def none_since(environment: Mapping[str, str] = os.environ) -> datetime | None:
    """When the newest copy was complete; where there should be one and none was made, since when; else None."""
    note, since = environment.get(NOTE, ""), environment.get(SINCE, "")
    if not note:
        return None
    try:
        told = json.loads(Path(note).read_text("utf-8"))
    except FileNotFoundError:
        return datetime.fromisoformat(since) if since else None
    return datetime.fromisoformat(told["complete"])


def no_log_since(slot: Slot | None, environment: Mapping[str, str] = os.environ) -> datetime | None:
    """Since when nobody fetches the server's log; None while somebody does, and where nobody ever asked for it.

    Who makes copies means to have the log too: without a slot it is not known for longer than since the last of them.
    """
    if not environment.get(NOTE, ""):
        return None
    if slot is None:
        return none_since(environment)
    return None if slot.is_used else slot.unused_since
