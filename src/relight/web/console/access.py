"""Who may open which page: signed in, at a partner, and with a role that allows the act."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from relight.web.console.desk import Desk
from relight.web.console.respond import go_to

View = Callable[..., HttpResponse]


class DeskRequest(HttpRequest):
    """A request that came through `PartnerMiddleware` with somebody signed in."""

    desk: Desk


def signed_in(view: View) -> View:
    """Send strangers to the sign-in page, and tell a user without a partner whom to ask."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        desk = request.desk
        if desk is None:
            return go_to(request, f"{reverse('console:login')}?{urlencode({'next': _back_to(request)})}")
        if desk.partner is None:
            return render(request, "console/no_partner.html", status=403)
        return view(request, *args, **kwargs)

    return guarded


def allowed(act: str) -> Callable[[View], View]:
    """Only for roles that may do `act`; others get 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if not request.desk.may(act):
                raise PermissionDenied(act)
            return view(request, *args, **kwargs)

        return signed_in(guarded)

    return decorate


def _back_to(request: HttpRequest) -> str:
    """Where to go on after sign-in: the page itself, or for a partial or an act the page it was made from."""
    return request.get_full_path() if request.method == "GET" and not request.htmx else reverse("console:cases")
