"""Who may open which page: signed in, at a partner, and with a role that allows the act."""

from collections.abc import Callable
from functools import wraps
from typing import cast
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from relight.flow.cases.errors import UnableToFind
from relight.web.console.respond import go_to
from relight.web.console.visit import Seated, Visit

View = Callable[..., HttpResponse]

_REFUSALS = {
    "forbidden": ("error.forbidden", "error.forbidden_text"),
    "not_found": ("error.not_found", "error.not_found_text"),
    "expired": ("error.expired", "error.expired_text"),
}


def signed_in(view: View) -> View:
    """Send strangers to the sign-in page; tell a user without a partner whom to ask, and what is not there so."""

    @wraps(view)
    def guarded(request: Visit, *args: object, **kwargs: object) -> HttpResponse:
        if request.desk is None:
            return go_to(request, f"{reverse('console:login')}?{urlencode({'next': _back_to(request)})}")
        if request.desk.partner is None:
            return render(request, "console/no_partner.html", status=403)
        try:
            return view(request, *args, **kwargs)
        except (Http404, UnableToFind):
            return refusal(request, "not_found", 404)

    return guarded


def allowed(act: str) -> Callable[[View], View]:
    """Only for roles that may do `act`; others are told so, with 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Seated, *args: object, **kwargs: object) -> HttpResponse:
            if not request.desk.may(act):
                return refusal(request, "forbidden", 403)
            return view(request, *args, **kwargs)

        return signed_in(guarded)

    return decorate


def refusal(request: Visit | Seated, what: str, status: int) -> HttpResponse:
    """A page, or a dialog, that says why not: `forbidden`, `not_found` or `expired`."""
    title, text = _REFUSALS[what]
    frame = "console/_dialog.html" if request.htmx else "console/act_page.html"
    context = {"title": title, "text": text, "frame": frame}
    return render(request, "console/refusal.html", context, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without our token, or with one from another session: Django's CSRF_FAILURE_VIEW."""
    visit = cast(Visit, request)
    if visit.desk is None or visit.desk.partner is None:
        return render(request, "console/expired.html", status=403)
    return refusal(visit, "expired", 403)


def _back_to(request: Visit) -> str:
    """Where to go on after sign-in: the page itself, or for a partial or an act the front page."""
    return request.get_full_path() if request.method == "GET" and not request.htmx else reverse("console:overview")
