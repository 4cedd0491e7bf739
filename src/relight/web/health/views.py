"""Two answers without a word about anybody: alive, and able to reach the database."""

import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from relight.flow.watch.ready import away
from relight.web.database import ADDRESS_VARIABLE


@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers at all."""
    return _answer(())


@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """200 when payments and pages can be served; 503 with the reason when the database is away."""
    gone = away(os.environ[ADDRESS_VARIABLE])
    return _answer((f"the database does not answer ({gone})",) if gone else ())


def _answer(wrong: tuple[str, ...]) -> HttpResponse:
    response = JsonResponse({"ok": not wrong, "wrong": list(wrong)}, status=503 if wrong else 200)
    response["Cache-Control"] = "no-store"
    return response
