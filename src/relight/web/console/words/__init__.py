"""The console's words: every text of its pages in each language one YAML file, read once.

What codes are called, and the sentences of a case's log, are the ones of `core.explain`: nothing is said twice.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from relight.core.explain.words import fill, humanised, read_texts
from relight.core.explain.words import texts as shared

LANGUAGES = ("nb", "en")
LANGUAGE_COOKIE = "console_language"
_KEPT_SECONDS = 365 * 24 * 3600
_SCANDINAVIAN = ("nb", "no", "nn", "da", "sv")


@cache
def texts(language: str) -> Mapping[str, str]:
    """All texts of a language under dotted keys: what codes are called, and the pages' own."""
    return {**shared(language, "names"), **read_texts(__package__ or "", f"{language}.yaml")}


def say(language: str, key: str, /, **params: Any) -> str:
    """The text under `key`, filled in. An unknown key is a KeyError; a part in brackets may miss its names."""
    return fill(texts(language)[key], params)


def name(language: str, group: str, code: str) -> str:
    """What a code is called, such as ("level", "off"). Codes that partners make up are shown as they are, in words."""
    if not code:
        return ""
    found = texts(language).get(f"{group}.{code}")
    return found if found is not None else humanised(code)


def choose(request: HttpRequest, partner_language: str) -> str:
    """The reader's language: their own choice, else the partner's, else what the browser asks for."""
    chosen = request.COOKIES.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    asked = partner_language or request.headers.get("Accept-Language", "nb")
    return "nb" if asked.lower().startswith(_SCANDINAVIAN) else "en"


def keep_choice(response: HttpResponse, language: str) -> None:
    """Have the browser keep the reader's choice. In a cookie and not in the session: whoever comes by may choose, and a
    session is a row in the database."""
    response.set_cookie(
        LANGUAGE_COOKIE,
        language,
        max_age=_KEPT_SECONDS,
        path=reverse("console:overview"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
