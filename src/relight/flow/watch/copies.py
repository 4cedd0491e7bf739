"""Since when the installation has had no base copy. Which file tells that is said in the environment, at the start."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

NOTE = "RELIGHT_COPY_NOTE"  # the file with the newest copy's moment; nothing where copies are made by other means
SINCE = "RELIGHT_COPIES_SINCE"  # a moment (ISO 8601): since then there should be one; nothing where none is asked for


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
