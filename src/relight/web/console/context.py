"""What every page of the console shows around itself: who, where, what waits, and what is out of order."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from relight.web.console.queries import shell as query

FLASH_LEVELS = {"success": "success", "error": "danger", "warning": "warning", "info": "info"}


@dataclass(frozen=True, slots=True)
class Banner:
    """Something that changes how everything here is to be read: a words key, its colour, and its parameters."""

    key: str
    colour: str
    params: dict[str, Any]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context for the frame; empty outside the console, and costs nothing there."""
    desk = getattr(request, "desk", None)
    if desk is None:
        return {}
    if desk.partner is None or request.htmx.target == "live":
        return {"desk": desk}
    waiting = query.waiting(desk)
    return {"desk": desk, "waiting": waiting, "banners": _banners(desk, waiting)}


def _banners(desk, waiting: query.Waiting) -> list[Banner]:
    banners = []
    if desk.everything_stopped_at:
        banners.append(Banner("banner.everything_stopped", "danger", {"at": desk.everything_stopped_at}))
    elif desk.at.stopped_at:
        banners.append(Banner("banner.stopped", "danger", {"at": desk.at.stopped_at}))
    for name, complete_until in waiting.stale:
        key = "banner.stale" if complete_until else "banner.never_came"
        banners.append(Banner(key, "warning", {"source": name, "at": complete_until}))
    if desk.at.mode == "shadow":
        banners.append(Banner("banner.shadow", "info", {}))
    return banners
