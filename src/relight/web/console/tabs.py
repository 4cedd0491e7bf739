"""Pages of another partner, left open in another tab: nothing is done with them, and nothing is shown in them.

A browser has one session for all its tabs, and the session knows one partner. So each page says whose it is: its forms
in a field, htmx in a header. Where that is not the partner of the session, the answer is 409 and the ways to go on.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from django.http import HttpResponse
from django.shortcuts import render

from relight.web.console.desk import Desk, Workplace
from relight.web.console.respond import LIVE, digest, within
from relight.web.console.visit import Visit

FIELD = "of_partner"
HEADER = "X-Partner"
_OF_NO_PARTNER = frozenset({"login", "logout", "language", "partner"})  # names in `urls`
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Stray:
    """A page that is not of the partner one works at. `was` is the partner that it is of, None where that is not one of
    the user's; `unsaid`: the page does not say."""

    was: Workplace | None
    unsaid: bool


def refusal(request: Visit) -> HttpResponse | None:
    """The answer to a page that is not of the session's partner; None where the request may go on."""
    match, desk = request.resolver_match, request.desk
    if match is None or match.url_name in _OF_NO_PARTNER or desk is None or desk.partner is None:
        return None
    stray = _stray(request, desk, desk.partner)
    return None if stray is None else _answer(request, desk, stray)


def _stray(request: Visit, desk: Desk, here: Workplace) -> Stray | None:
    said = {request.headers.get(HEADER, ""), *request.POST.getlist(FIELD)} - {""}
    if said and said != {str(here.partner_id)}:
        return Stray(next((place for place in desk.others if str(place.partner_id) in said), None), unsaid=False)
    must_say = request.method not in _READS or bool(request.htmx)  # a plain page load begins anew
    return Stray(None, unsaid=True) if must_say and not said and desk.others else None


def _answer(request: Visit, desk: Desk, stray: Stray) -> HttpResponse:
    """A page, a dialog, or a region that goes on renewing itself: it comes back with its partner."""
    is_region = request.htmx.target == LIVE
    seen = digest((desk.partner, stray, desk.language))
    if is_region and request.headers.get("X-Seen") == seen:
        return HttpResponse(status=204)
    page = "console/_dialog.html" if request.htmx else "console/act_page.html"
    context = {
        "frame": "console/_stray_region.html" if is_region else page,
        "is_region": is_region,
        "stray": stray,
        "seen": seen,
        "nothing_done": request.method not in _READS,
        "back_to": _page_of(request) if request.htmx else "",
    }
    return render(request, "console/stray.html", context, status=_CONFLICT)


def _page_of(request: Visit) -> str:
    """The address of the page that a part is asked for by; the front page where the browser does not tell. (A page that
    sends a form may itself have come by a form, and cannot be asked for again.)"""
    told = urlsplit(request.headers.get("Referer", ""))
    return within(request, urlunsplit(("", "", told.path, told.query, "")))
