"""The console's door: one transaction a request, in which the database knows the user and the partner.

Both settings are local to the transaction, so a connection that serves the next request starts with neither: without
them row-level security shows nothing. Other entrances (pay page, webhooks) pass through untouched.
"""

from collections.abc import Callable
from typing import Any, cast

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from relight.web.console import tabs, words
from relight.web.console.desk import Desk, Workplace
from relight.web.console.visit import Seated, Visit

CONSOLE = "/console/"
PARTNER_KEY = "console_partner"
_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

# Two statements in one round trip: the second must not be planned or run before the first has set the user.
_ENTER = """
    SELECT set_config('relight.user', %(user)s, true), set_config('relight.partner', %(partner)s, true);
    SELECT clock_timestamp(), i.stopped_at, p.id, p.name, m.role, p.country, p.currency, p.language, p.time_zone,
        p.mode, p.stopped_at, p.money_stale_after_hours
    FROM (SELECT 1) AS always
    LEFT JOIN installation i ON i.id = 1
    LEFT JOIN (membership m JOIN partner p ON p.id = m.partner_id) ON m.user_id = %(user)s::integer
    ORDER BY p.name, p.id
"""
_NOBODY = """
    SELECT set_config('relight.user', '', true), set_config('relight.partner', '', true);
    SELECT clock_timestamp()
"""


class PartnerMiddleware:
    """Sets `request.desk` (None when nobody is signed in) and `request.moment` for the console's pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(CONSOLE):
            return self.get_response(request)
        with transaction.atomic():
            _sit_down(cast(Visit, request))
            response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """Before any page of the console: one of another partner, from another tab, goes no further."""
        return tabs.refusal(cast(Visit, request)) if request.path_info.startswith(CONSOLE) else None


def choose_partner(request: Seated, partner_id: int) -> None:
    """From the next request on, work at this partner."""
    request.session[PARTNER_KEY] = partner_id


def _sit_down(request: Visit) -> None:
    user = request.user
    request.desk = None
    with connection.cursor() as cursor:
        if not user.is_authenticated:
            cursor.execute(_NOBODY)
            cursor.nextset()
            request.moment = cursor.fetchone()[0]
            return
        chosen = request.session.get(PARTNER_KEY)
        cursor.execute(_ENTER, {"user": str(user.pk), "partner": str(chosen or "")})
        cursor.nextset()
        rows = cursor.fetchall()
        request.moment = rows[0][0]
        places = tuple(Workplace(*row[2:]) for row in _in_role_order(rows))
        partner = next((place for place in places if place.partner_id == chosen), None)
        if partner is None:  # first page after sign-in, or the membership was taken away meanwhile
            partner = places[0] if places else None
            setting = str(partner.partner_id) if partner else ""
            cursor.execute("SELECT set_config('relight.partner', %s, true)", [setting])
            request.session[PARTNER_KEY] = partner.partner_id if partner else None
    request.desk = Desk(
        user_id=user.pk,
        user_name=user.get_full_name() or user.get_username(),
        actor=user.get_username(),
        now=rows[0][0],
        language=words.choose(request, partner.language if partner else ""),
        partner=partner,
        others=tuple(place for place in places if place is not partner),
        everything_stopped_at=rows[0][1],
    )


def _in_role_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [row for row in rows if row[2] is not None]
