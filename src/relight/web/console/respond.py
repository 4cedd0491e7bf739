"""Answers that serve both htmx and a browser without scripts: redirects, live regions, forms in a dialog."""

from hashlib import blake2b
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

LIVE = "live"


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect that a browser follows itself, and htmx by loading the whole page."""
    if not request.htmx:
        return HttpResponseRedirect(url)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = url
    return response


def digest(shown: object) -> str:
    """A short name for what a page shows; the same only when nothing changed. Frozen dataclasses repr in full."""
    return blake2b(repr(shown).encode(), digest_size=9).hexdigest()


def live(request: HttpRequest, page: str, region: str, shown: object, context: dict[str, Any]) -> HttpResponse:
    """A page with one region that renews itself: the whole page, only the region, or 204 where nothing changed."""
    seen = digest((shown, request.desk.language))
    context = {**context, "seen": seen}
    if request.htmx and request.htmx.target == LIVE:
        response = (
            HttpResponse(status=204) if request.headers.get("X-Seen") == seen else render(request, region, context)
        )
    else:
        response = render(request, page, context)
    response["Vary"] = "HX-Request, HX-Target, Cookie"
    return response
