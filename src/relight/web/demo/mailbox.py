"""The households' messages, read from the demo's inboxes as they grow: each line once, whatever the pages ask."""

import json
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from relight.drivers.inbox import Kept
from relight.web.demo.story import Household, folder

_LINK = re.compile(r"(https?://[^\s\"'<>]+)")
CHANNELS = ("sms", "email", "letter")


@dataclass(slots=True)
class Mailbox:
    """One channel's messages by recipient, oldest first."""

    path: Path
    by_recipient: dict[str, list[Kept]] = field(default_factory=dict[str, list[Kept]])
    by_key: dict[str, Kept] = field(default_factory=dict[str, Kept])
    _offset: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> "Mailbox":
        """Read what has come since; a line still being written is left for the next time."""
        with self._lock:
            if not self.path.exists() or self.path.stat().st_size == self._offset:
                return self
            with self.path.open("rb") as file:
                file.seek(self._offset)
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._offset += len(whole) + 1
                for line in whole.split(b"\n"):
                    self._keep(json.loads(line))
            return self

    def _keep(self, line: dict[str, str]) -> None:
        kept = Kept(**{**line, "at": datetime.fromisoformat(line["at"])})  # type: ignore[arg-type]  # all but `at` are text
        self.by_recipient.setdefault(kept.to, []).append(kept)
        self.by_key[kept.key] = kept


@lru_cache(maxsize=8)
def _mailbox(path: Path) -> Mailbox:
    return Mailbox(path)


def mailbox(channel: str) -> Mailbox:
    """A channel's mailbox, up to date."""
    return _mailbox(folder() / "messages" / f"{channel}.jsonl").refresh()


def to_household(who: Household, channel: str) -> list[Kept]:
    """What came to a household by one channel, oldest first."""
    recipient = {"sms": who.mobile, "email": who.email, "letter": who.postal}[channel]
    return mailbox(channel).by_recipient.get(recipient, []) if recipient else []


@dataclass(frozen=True, slots=True)
class Answer:
    """What the visitor answered on somebody's phone."""

    text: str
    at: datetime


def keep_answer(who: Household, answer: Answer) -> None:
    """Let the phone show its own answer too."""
    with _answers(who).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"text": answer.text, "at": answer.at.isoformat()}, ensure_ascii=False) + "\n")


def answers_of(who: Household) -> list[Answer]:
    """What was answered on a household's phone, oldest first."""
    path = _answers(who)
    lines = path.read_text("utf-8").split("\n")[:-1] if path.exists() else []
    return [Answer(told["text"], datetime.fromisoformat(told["at"])) for told in map(json.loads, lines)]


def _answers(who: Household) -> Path:
    return folder() / f"answers-{who.ref}.jsonl"


def pieces(text: str) -> list[tuple[str, bool]]:
    """A text split at its links: (piece, whether it is a link)."""
    return [(piece, number % 2 == 1) for number, piece in enumerate(_LINK.split(text)) if piece]
