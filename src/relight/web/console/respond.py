"""Answers that serve both htmx and a browser without scripts: redirects, live regions, and what acts end with."""

import json
from hashlib import blake2b
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from relight.web.console.visit import Seated, Visit

LIVE = "live"
DONE_EVENT = "console:done"


def go_to(request: Visit | Seated, url: str) -> HttpResponse:
    """A redirect that a browser follows itself, and htmx by loading the whole page."""
    if not request.htmx:
        return HttpResponseRedirect(url)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = url
    return response


def within(request: Visit | Seated, wanted: str) -> str:
    """Where to go on to: `wanted` where that is a page of the console, else the front page."""
    front = reverse("console:overview")
    host, secure = {request.get_host()}, request.is_secure()
    safe = wanted.startswith(front) and url_has_allowed_host_and_scheme(wanted, host, require_https=secure)
    return wanted if safe else front


def done(request: Seated, url: str, said: str, *, well: bool = True) -> HttpResponse:
    """An act is over: the dialog closes, says so and the page renews itself; without scripts, a redirect to `url`."""
    if not request.htmx:
        (messages.success if well else messages.error)(request, said)
        return HttpResponseRedirect(url)
    response = HttpResponse(status=204)
    response["HX-Trigger"] = json.dumps({DONE_EVENT: {"said": said, "well": well}})
    return response


def digest(shown: object) -> str:
    """A short name for what a page shows; the same only when nothing changed. Frozen dataclasses repr in full."""
    return blake2b(repr(shown).encode(), digest_size=9).hexdigest()


def live(request: Seated, page: str, region: str, shown: object, context: dict[str, Any]) -> HttpResponse:
    """A page with one region that renews itself: the whole page, only the region, or 204 where nothing changed.

    The browser tells in X-Seen what it shows; `shown` is everything that the region is made of.
    """
    seen = digest((shown, request.desk.language))
    context = {**context, "seen": seen, "region": region}
    if request.htmx.target != LIVE:
        response = render(request, page, context)
    elif request.headers.get("X-Seen") == seen:
        response = HttpResponse(status=204)
    else:
        response = render(request, "console/_live.html", context)
    response["Vary"] = "HX-Request, HX-Target, Cookie"
    return response
