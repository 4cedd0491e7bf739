"""Webhooks: what payment providers tell us. Verified before anything is kept, recorded once, answered after commit."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from relight.flow.payments import queries
from relight.flow.payments.errors import NoSuchProvider
from relight.flow.payments.operations import record_notices
from relight.flow.payments.port import ProviderUnavailable, WebhookRefused
from relight.flow.payments.providers import provider
from relight.telemetry.metrics import WEBHOOKS
from relight.telemetry.traces import Span, span
from relight.web.database import database
from relight.web.failing import status_of

_log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def provider_webhook(request: HttpRequest, partner: str, name: str) -> HttpResponse:
    """One webhook of one partner's provider.

    200 when it is on record (or was already), 400 when it is not genuine, 404 for a partner or provider that is not
    there, 503 when the provider must be asked more and does not answer: it then tries again.
    """
    known = _Known()
    try:
        with span("payment webhook") as told:
            answer = _take(request, partner, name, known, told)
            told.note(provider=known.name, status=answer.status_code)
    except Exception as failed:
        WEBHOOKS.labels(known.name, status_of(failed)).inc()
        raise
    WEBHOOKS.labels(known.name, answer.status_code).inc()
    return answer


@dataclass(slots=True)
class _Known:
    """The provider's name, once it is known to be one: strangers' paths must not become figures."""

    name: str = "unknown"


def _take(request: HttpRequest, partner: str, name: str, known: _Known, told: Span) -> HttpResponse:
    now, found = _partner(partner)
    if found is None:
        return _refused("unknown partner or provider", 404)
    partner_id, settings = found
    try:
        taken = provider(settings, name)
        known.name = name
        events = taken.parse_webhook(request.headers, request.body, now)
    except NoSuchProvider:
        return _refused("unknown partner or provider", 404)
    except WebhookRefused as refused:
        _log.warning("webhook_refused", provider=name, partner=partner_id, why=str(refused))
        return _refused("not a genuine webhook", 400)
    except ProviderUnavailable as unavailable:
        _log.warning("provider_unavailable", provider=name, partner=partner_id, why=str(unavailable))
        return _refused("try again", 503)
    record = partial(record_notices, provider_name=name, events=events, now=now)
    with span("record payment", only_within=True, partner=partner_id):
        verdicts = database().transactions.work(partner_id, record)
    told.note(verdicts=", ".join(verdict.value for verdict in verdicts))
    if taken.webhook_answer:
        return HttpResponse(taken.webhook_answer, content_type="text/plain")
    return JsonResponse({"recorded": [verdict.value for verdict in verdicts]})


def _partner(slug: str) -> tuple[datetime, tuple[int, Any] | None]:
    now, (found,) = database().ask(None, (queries.SQL.partner_by_slug, {"slug": slug}))
    return now, (found[0]["id"], found[0]["providers"]) if found else None


def _refused(why: str, status: int) -> HttpResponse:
    return JsonResponse({"error": why}, status=status)
