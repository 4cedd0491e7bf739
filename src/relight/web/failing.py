"""What is answered when something of ours fails where nobody has caught it: never a stack, and what to do.

While the database is away, 503 says that trying again is right: payment providers do, and balancers take the host out.
"""

import sys

import psycopg
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.html import format_html
from django.utils.translation.trans_real import parse_accept_lang_header

_FOR_MACHINES = ("/webhooks/", "/feed/")
_AGAIN_SECONDS = 10
_WORDS = {
    "nb": ("Noe gikk galt hos oss", "Det du gjorde sist, er kanskje ikke lagret. Prøv igjen om litt."),
    "da": ("Noget gik galt hos os", "Det, du gjorde sidst, er måske ikke gemt. Prøv igen om lidt."),
    "nl": ("Er ging bij ons iets mis", "Wat u het laatst deed, is misschien niet bewaard. Probeer het zo weer."),
    "de": ("Bei uns ging etwas schief",
           "Ihr letzter Schritt ist vielleicht nicht gespeichert. Versuchen Sie es gleich noch einmal."),
    "en": ("Something went wrong on our side", "What you did last may not be saved. Try again in a little while."),
}  # fmt: skip
_SAME = {"no": "nb", "nn": "nb"}
_PAGE = (
    '<!doctype html><html lang="{}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{}</title></head><body><main><h1>{}</h1><p>{}</p></main></body></html>"
)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: called while the exception is being handled, which has been logged by then."""
    status = 503 if isinstance(sys.exception(), (psycopg.OperationalError, OperationalError)) else 500
    if request.path_info.startswith(_FOR_MACHINES):
        response: HttpResponse = JsonResponse({"error": "not on record: try again"}, status=status)
    else:
        language = _language(request.headers.get("Accept-Language", ""))
        title, text = _WORDS[language]
        response = HttpResponse(format_html(_PAGE, language, title, title, text), status=status)
    response["Retry-After"] = str(_AGAIN_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def _language(accepted: str) -> str:
    wanted = (name.split("-")[0] for name, _ in parse_accept_lang_header(accepted))
    return next((found for name in wanted if (found := _SAME.get(name, name)) in _WORDS), "en")
