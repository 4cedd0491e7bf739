"""What every answer of the pay pages shares: whose link it is, the frame around the page, and the headers."""

import secrets
from collections.abc import Callable
from functools import cache, wraps
from typing import Any
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse

from relight.flow.messages.context import LANGUAGES, Brand
from relight.flow.payments.links import LinkKey, NotALink, read
from relight.flow.payments.queries import PayFacts
from relight.web.paypages.contexts import Page, Shell, SimplePage, UnknownLinkPage
from relight.web.paypages.render import content_security_policy, render_page

View = Callable[..., HttpResponse]

_HOME_COUNTRY = "NO"
_NONCE_BYTES = 12

_log = structlog.get_logger(__name__)


@cache
def link_key() -> LinkKey:
    """The key of this installation's pay links."""
    return LinkKey.of(settings.SECRET_KEY)


def pay_page(view: View) -> View:
    """A view for a token: `view(request, token, partner_id, link_id)`.

    A forged token meets the page of an unknown link, a failure of ours a sentence and the way to reach us: never a
    stack, and never blame. A form sent from somewhere else is refused: see docs/payments.md, "No CSRF token".
    """

    @wraps(view)
    def guarded(request: HttpRequest, token: str, **rest: Any) -> HttpResponse:
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site") == "cross-site":
            return HttpResponseForbidden()
        try:
            partner_id, link_id = read(token, link_key())
        except NotALink:
            return unknown_link(request)
        try:
            return view(request, token, partner_id, link_id, **rest)
        except Exception:  # noqa: BLE001 - a customer meets a sentence, whatever broke; the log has the rest
            _log.exception("pay_page_failed", entrance=view.__name__)
            return answer("error", SimplePage(shell=bare_shell(request)), status=500)

    guarded.csrf_exempt = True  # type: ignore[attr-defined]  # Django's own mark, as csrf_exempt() sets it
    return guarded


def shell_of(request: HttpRequest, facts: PayFacts) -> Shell:
    """The frame in the customer's language (or the one that was picked), with the brand of the account."""
    language = _picked(request) or (facts.language if facts.language in LANGUAGES else facts.partner_language)
    return Shell(
        language=language,
        country=facts.country,
        nonce=_nonce(),
        brand=_brand(facts),
        service=facts.kinds[0] if facts.kinds else "other",
        languages=tuple((code, f"?lang={code}") for code in LANGUAGES if code != language),
    )


def bare_shell(request: HttpRequest) -> Shell:
    """The frame where a link told us nothing: in the browser's language."""
    return Shell(language=_picked(request) or _asked_by_browser(request), country=_HOME_COUNTRY, nonce=_nonce())


def unknown_link(request: HttpRequest, facts: PayFacts | None = None) -> HttpResponse:
    """The same friendly page for a forged link and one that is gone; with `facts`, for one that has expired."""
    if facts is None:
        return answer("unknown_link", UnknownLinkPage(shell=bare_shell(request)), status=404)
    page = UnknownLinkPage(shell=shell_of(request, facts), expired=True, reference=reference_of(facts))
    return answer("unknown_link", page, status=410)


def answer(name: str, page: Page, *, status: int = 200, form_targets: tuple[str, ...] = ()) -> HttpResponse:
    """A rendered page with the headers that keep it private and still."""
    response = HttpResponse(render_page(name, page), status=status)
    response["Content-Security-Policy"] = content_security_policy(page.shell.nonce, form_targets)
    return private(response)


def answer_json(content: dict[str, object]) -> HttpResponse:
    """JSON with the same headers."""
    return private(JsonResponse(content))


def private(response: HttpResponse) -> HttpResponse:
    """Not to be kept, guessed at, framed, or told to others: the address itself is the key."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Frame-Options"] = "DENY"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def reference_of(facts: PayFacts) -> str:
    """What the bank matches on: the oldest claim's reference or number; the account's when nothing is owed."""
    return facts.reference or facts.account_ref


def form_targets_of(facts: PayFacts) -> tuple[str, ...]:
    """Where a form's answer may redirect to, for the providers' own pages."""
    return tuple(origin for way in facts.ways_to_pay() for origin in getattr(way.provider, "form_targets", ()))


def with_language(request: HttpRequest, address: str) -> str:
    """`address`, keeping the language that the customer picked."""
    picked = _picked(request)
    return f"{address}?{urlencode({'lang': picked})}" if picked else address


def _brand(facts: PayFacts) -> Brand:
    return Brand(
        name=facts.brand_name,
        site=facts.brand_site,
        phone=facts.brand_phone,
        email=facts.brand_email,
        colour=facts.brand_colour,
        co_brand=facts.co_brand,
    )


def _picked(request: HttpRequest) -> str:
    picked = request.GET.get("lang", "")
    return picked if picked in LANGUAGES else ""


def _asked_by_browser(request: HttpRequest) -> str:
    for wanted in request.headers.get("Accept-Language", "").split(","):
        code = wanted.strip()[:2].lower()
        code = "nb" if code in ("no", "nn") else code
        if code in LANGUAGES:
            return code
    return settings.LANGUAGE_CODE


def _nonce() -> str:
    return secrets.token_urlsafe(_NONCE_BYTES)
