"""What every page of the console shows around itself: who, where, what waits, and what is out of order."""

from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest

from relight.web.console import words
from relight.web.console.desk import Desk
from relight.web.console.queries import shell as query
from relight.web.console.visit import Seated, Visit
from relight.web.console.voice import Voice


@dataclass(frozen=True, slots=True)
class Banner:
    """Something that changes how everything here is to be read: a text and its colour."""

    text: str
    colour: str


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context for the frame; empty outside the console, and costs nothing there."""
    if not hasattr(request, "moment"):
        return {}
    visit = cast(Visit, request)
    desk, voice = visit.desk, voice_of(visit)
    context = {"desk": desk, "voice": voice, "languages": words.LANGUAGES}
    if desk is None or desk.partner is None:
        return context
    waiting = waiting_of(cast(Seated, request))
    return {**context, "waiting": waiting, "banners": _banners(desk, waiting, voice)}


def waiting_of(request: Seated) -> query.Waiting:
    """What waits for people, asked once a request."""
    if not hasattr(request, "waiting"):
        request.waiting = query.waiting(request.desk)
    return request.waiting


def voice_of(request: Visit | Seated) -> Voice:
    """The reader's voice: their language, and their partner's clock and currency."""
    desk = request.desk
    if desk is None or desk.partner is None:
        zone, currency = ZoneInfo(settings.TIME_ZONE), "NOK"
    else:
        zone, currency = desk.partner.zone, desk.partner.currency
    language = desk.language if desk else words.choose(request, "")
    return Voice(language, zone, currency, request.moment.astimezone(zone).date())


def _banners(desk: Desk, waiting: query.Waiting, voice: Voice) -> list[Banner]:
    banners = []
    stopped_at = desk.everything_stopped_at or desk.at.stopped_at
    if stopped_at:
        key = "banner.everything_stopped" if desk.everything_stopped_at else "banner.stopped"
        banners.append(Banner(voice.say(key, at=voice.stamp(stopped_at)), "danger"))
    for source, complete_until in waiting.stale:
        key = "banner.stale" if complete_until else "banner.never_came"
        at = voice.stamp(complete_until) if complete_until else ""
        banners.append(Banner(voice.say(key, source=source, at=at), "warning"))
    for driver, count, since in waiting.resting:
        text = voice.say("banner.resting", driver=driver, count=count, at=voice.stamp(since))
        banners.append(Banner(text, "warning"))
    if desk.at.mode == "shadow":
        banners.append(Banner(voice.say("banner.shadow"), "info"))
    return banners
