"""What is answered when something of ours fails where nobody has caught it: never a stack, and what to do.

While the database is away, 503 says that trying again is right: payment providers do, and balancers take the host out.
"""

import sys
from base64 import b64encode
from hashlib import sha256

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation.trans_real import parse_accept_lang_header

from relight.flow.database import AWAY

_FOR_MACHINES = ("/webhooks/", "/feed/")
_AGAIN_SECONDS = 10
_HOME = "/"
_WORDS = {
    "nb": ("Noe gikk galt hos oss", "Det du gjorde sist, er kanskje ikke lagret. Prøv igjen om litt.", "Prøv igjen"),
    "da": ("Noget gik galt hos os", "Det, du gjorde sidst, er måske ikke gemt. Prøv igen om lidt.", "Prøv igen"),
    "nl": ("Er ging bij ons iets mis", "Wat u het laatst deed, is misschien niet bewaard. Probeer het zo weer.",
           "Probeer het weer"),
    "de": ("Bei uns ging etwas schief",
           "Ihr letzter Schritt ist vielleicht nicht gespeichert. Versuchen Sie es gleich noch einmal.",
           "Noch einmal versuchen"),
    "en": ("Something went wrong on our side", "What you did last may not be saved. Try again in a little while.",
           "Try again"),
}  # fmt: skip
_SAME = {"no": "nb", "nn": "nb"}
# All that it shows is in it: nothing else of ours may be there to be asked. The style is allowed by its hash.
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;font:1.0625rem/1.55 system-ui,sans-serif}"
    "main{max-width:32rem;padding:1.5rem}h1{font-size:1.6rem;line-height:1.2;margin:0 0 .75rem}p{margin:0 0 1.5rem}"
    "a{display:inline-block;padding:.75rem 1.25rem;border:2px solid;border-radius:12px;color:inherit;font-weight:650;"
    "text-decoration:none}a:focus-visible{outline:3px solid;outline-offset:3px}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; style-src 'sha256-{_STYLE_HASH}'"
_PAGE = (
    '<!doctype html><html lang="{}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<title>{}</title><style>{}</style></head><body><main><h1>{}</h1><p>{}</p><a href="{}">{}</a></main></body></html>'
)


def status_of(error: BaseException | None) -> int:
    """503 where trying again is right, else 500."""
    return 503 if isinstance(error, (*AWAY, OperationalError)) else 500


def failed(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: called while the exception is being handled, which has been logged by then."""
    status = status_of(sys.exception())
    if request.path_info.startswith(_FOR_MACHINES):
        response: HttpResponse = JsonResponse({"error": "not on record: try again"}, status=status)
    else:
        language = _language(request.headers.get("Accept-Language", ""))
        title, text, again = _WORDS[language]
        there = request.get_full_path() if request.method == "GET" else _HOME  # what was sent is the person's to repeat
        page = format_html(_PAGE, language, title, mark_safe(_STYLE), title, text, there, again)  # noqa: S308 - ours
        response = HttpResponse(page, status=status)
        response["Content-Security-Policy"] = _POLICY
    response["Retry-After"] = str(_AGAIN_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def _language(accepted: str) -> str:
    wanted = (name.split("-")[0] for name, _ in parse_accept_lang_header(accepted))
    return next((found for name in wanted if (found := _SAME.get(name, name)) in _WORDS), "en")
