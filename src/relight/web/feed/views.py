"""One answer: what comes after a reader's place, as JSON, or as server-sent events for clients that speak those.

Answers come at once, and end. A page server has few threads, and a payment waits for none that sleeps over a feed: a
reader that has seen everything asks again in a moment, and an EventSource does so by itself.
"""

import json
from collections.abc import Iterator
from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from relight.flow.feeds.operations import BATCH
from relight.flow.feeds.readers import SQL, Page, UnableToRead, told, turn_page
from relight.web.database import database

_RETRY_MS = 1000
_BEARER = "Bearer "


@require_safe
def feed(request: HttpRequest, partner: str) -> HttpResponseBase:
    """The entries after `after` (or the header Last-Event-ID), at most `limit` of them.

    Asking for what comes after a position acknowledges what is up to there. Without either, the reader goes on from
    where it had acknowledged. 401 without a token of this partner's (or for a partner that is not there), 400 for a
    place that cannot be.
    """
    now, (found,) = database().ask(None, (SQL.partner_by_slug, {"slug": partner}))
    token = request.headers.get("Authorization", "").removeprefix(_BEARER).strip()
    try:
        after, limit = _place(request), _whole(request.GET.get("limit", str(BATCH)), "limit")
        page = _page(found[0]["id"], token, after, limit, now) if found and token else None
    except UnableToRead as wrong:
        return _fresh(JsonResponse({"error": str(wrong)}, status=400))
    if page is None:
        refused = JsonResponse({"error": "show a token of this partner's: Authorization: Bearer …"}, status=401)
        refused["WWW-Authenticate"] = "Bearer"
        return _fresh(refused)
    return _fresh(_events(page) if "text/event-stream" in request.headers.get("Accept", "") else _json(page))


def _page(partner_id: int, token: str, after: int | None, limit: int, now: datetime) -> Page | None:
    with database().transaction(partner_id) as tx:
        return turn_page(tx, token, after=after, limit=limit, now=now)


def _place(request: HttpRequest) -> int | None:
    given = request.GET.get("after") or request.headers.get("Last-Event-ID")
    return _whole(given, "after") if given else None


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise UnableToRead(f"{name} is a whole number")
    return int(text)


def _json(page: Page) -> HttpResponse:
    return JsonResponse({"entries": [told(entry) for entry in page.entries], "next": page.next, "more": page.more})


def _events(page: Page) -> StreamingHttpResponse:
    return StreamingHttpResponse(_lines(page), content_type="text/event-stream; charset=utf-8")


def _lines(page: Page) -> Iterator[str]:
    """Server-sent events (WHATWG HTML, 9.2); the id is the position, which comes back as Last-Event-ID."""
    yield f"retry: {0 if page.more else _RETRY_MS}\n\n"
    for entry in page.entries:
        yield f"id: {entry.position}\nevent: {entry.topic}\ndata: {json.dumps(told(entry), ensure_ascii=False)}\n\n"


def _fresh(response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = "no-store"
    return response
