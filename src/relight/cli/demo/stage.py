"""The demo in the browser: what its pages are told, and the processes behind them, the same as in production.

Web comes first, so that the days can be watched; workers come when the days have gone by, since theirs is the real
clock. Both serve nobody but the demo's partner.
"""

import json
import os
import secrets
import socket
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from relight.cli.demo.partner import SLUG
from relight.cli.demo.portfolio import Household
from relight.cli.demo.story import ZONE, Told, Wish
from relight.cli.processes import Processes
from relight.flow.road.worker import LANES

HOST = "127.0.0.1"
USER, ROLE = "demo", "manager"
_STORY = "story.json"  # read by relight.web.demo.story


@dataclass(slots=True)
class Stage:
    """What the demo's pages show. `told` is the content of their file, replaced whole at each change."""

    folder: Path
    told: dict[str, Any] = field(default_factory=dict[str, Any])

    def open(self, wish: Wish, people: Sequence[Household]) -> None:
        """Before the first day."""
        self._tell(
            ready=False,
            seed=wish.seed,
            days=wish.days,
            day_number=0,
            day=None,
            stands=[],
            result={},
            user="",
            password="",
            visitor=people[0].ref,
            zone=ZONE.key,
            people=[_person(one) for one in people],
        )

    def evening(self, number: int, day: date, stands: Sequence[int]) -> None:
        """After one of the days."""
        self._tell(day_number=min(number, self.told["days"]), day=day.isoformat(), stands=list(stands))

    def close(self, told: Told, password: str) -> None:
        """After the last day: from now on it is the visitor's turn."""
        self._tell(ready=True, result=told.result, user=USER, password=password)

    def _tell(self, **news: Any) -> None:
        self.told.update(news)
        draft = self.folder / f"{_STORY}.draft"
        draft.write_text(json.dumps(self.told, ensure_ascii=False, default=str), encoding="utf-8")
        draft.replace(self.folder / _STORY)


def free_port(wanted: int) -> int:
    """The wanted port if nobody listens there, or any free one for 0; raises OSError when it is taken."""
    with closing(socket.socket()) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind((HOST, wanted))
        port: int = tried.getsockname()[1]
        return port


def start_web(processes: Processes, port: int, folder: Path) -> None:
    """The production web, with the demo's pages beside the others."""
    words = ["web", "--host", HOST, "--port", str(port), "--processes", "1"]
    processes.start(words, {**os.environ, "RELIGHT_DEMO": str(folder)})


def start_workers(processes: Processes, site: str) -> None:
    """The production workers, for the demo's partner only."""
    for lane in LANES:
        processes.start(["worker", "--lane", lane, "--partner", SLUG, "--base-url", site])


def new_password() -> str:
    """A password to read aloud: 15 characters, 77 bits."""
    return secrets.token_urlsafe(12)[:15]


def _person(one: Household) -> dict[str, Any]:
    return {
        "ref": one.ref,
        "name": one.name,
        "mobile": one.mobile,
        "email": one.email,
        "street": one.street,
        "place": f"{one.town[0]} {one.town[1]}",
        "postal": one.postal,
        "services": [
            {"kind": it.kind, "key": it.key, "product": it.product, "serial": it.serial} for it in one.services
        ],
    }
