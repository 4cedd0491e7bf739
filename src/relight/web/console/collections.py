"""Direct debit at the desk: what will be drawn and when its files leave, how each collection went, and the files."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from relight.flow.payments.mandates import calendar, listing
from relight.web.console.access import signed_in
from relight.web.console.context import voice_of
from relight.web.console.respond import go_to, live
from relight.web.console.visit import Seated
from relight.web.console.voice import Voice
from relight.web.database import database

_REMEMBERED = "console_collections"
_PLAIN = "coming"
_PAGE_MAX = 1000
_TEXT_MAX = 80
_DAYS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """A chip above the list."""

    name: str
    count: int
    query: str
    chosen: bool


@signed_in
def collections(request: Seated) -> HttpResponse:
    """What is on its way, nearest day first. A bare address goes on to the filter used last; `?q=` starts afresh."""
    key = f"{_REMEMBERED}_{request.desk.at.partner_id}"
    if not request.GET and request.session.get(key):
        return go_to(request, f"{reverse('console:collections')}?{request.session[key]}")
    show, q, page = _filters(request)
    kept = _query(show, q) if show != _PLAIN or q else ""
    if request.session.get(key, "") != kept:
        request.session[key] = kept
    with database().transaction(request.desk.at.partner_id) as tx:
        rows, more = listing.work(tx, show=show, q=q, page=page)
        counts, files = listing.counts(tx), listing.files(tx)
        coming, calendars = calendar.coming(tx, request.desk.now)[:_DAYS_SHOWN], calendar.settings(tx)
    context = {
        "rows": rows,
        "coming": coming,
        "calendars": [one for one in calendars if one.is_on],
        "files": files,
        "q": q,
        "show": show,
        "choices": _choices(voice_of(request), counts, show, q),
        "previous": _query(show, q, page - 1) if page > 1 else "",
        "next": _query(show, q, page + 1) if more else "",
    }
    shown = (rows, counts, files, coming, calendars, show, q)
    return live(request, "console/collections.html", "console/_collections.html", shown, context)


def _filters(request: Seated) -> tuple[str, str, int]:
    """The filter, the text and the page; what is nonsense is as if it had not been said."""
    show, page = request.GET.get("show", _PLAIN), request.GET.get("page", "1")
    number = min(max(int(page), 1), _PAGE_MAX) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    text = request.GET.get("q", "").replace("\x00", "").strip()[:_TEXT_MAX]
    return show if show in listing.SHOWS else _PLAIN, text, number


def _query(show: str, q: str, page: int = 1) -> str:
    kept = {"show": show if show != _PLAIN else "", "q": q, "page": str(page) if page > 1 else ""}
    return urlencode({name: value for name, value in kept.items() if value}) or "q="


def _choices(voice: Voice, counts: dict[str, int], show: str, q: str) -> list[Choice]:
    told = {
        "coming": "collections.shows_coming",
        "failed": "collections.shows_failed",
        "collected": "collections.shows_collected",
        "called_back": "collections.shows_called_back",
    }
    return [Choice(voice.say(told[name]), count, _query(name, q), name == show) for name, count in counts.items()]
