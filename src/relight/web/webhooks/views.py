"""Webhooks: what payment providers tell us. Verified before anything is kept, recorded once, answered after commit."""

import logging
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from relight.flow.payments import queries
from relight.flow.payments.errors import NoSuchProvider
from relight.flow.payments.operations import record_notices
from relight.flow.payments.port import ProviderUnavailable, WebhookRefused
from relight.flow.payments.providers import provider
from relight.web.database import database

_log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def provider_webhook(request: HttpRequest, partner: str, name: str) -> HttpResponse:
    """One webhook of one partner's provider.

    200 when it is on record (or was already), 400 when it is not genuine, 404 for a partner or provider that is not
    there, 503 when the provider must be asked more and does not answer: it then tries again.
    """
    now, found = _partner(partner)
    if found is None:
        return _refused("unknown partner or provider", 404)
    partner_id, settings = found
    try:
        taken = provider(settings, name)
        events = taken.parse_webhook(request.headers, request.body, now)
    except NoSuchProvider:
        return _refused("unknown partner or provider", 404)
    except WebhookRefused as refused:
        _log.warning("webhook of %s for %s refused: %s", name, partner, refused)
        return _refused("not a genuine webhook", 400)
    except ProviderUnavailable as unavailable:
        _log.warning("webhook of %s for %s: %s", name, partner, unavailable)
        return _refused("try again", 503)
    with database().transaction(partner_id) as tx:
        verdicts = record_notices(tx, provider_name=name, events=events, now=now)
    if taken.webhook_answer:
        return HttpResponse(taken.webhook_answer, content_type="text/plain")
    return JsonResponse({"recorded": [verdict.value for verdict in verdicts]})


def _partner(slug: str) -> tuple[datetime, tuple[int, Any] | None]:
    now, (found,) = database().ask(None, (queries.SQL.partner_by_slug, {"slug": slug}))
    return now, (found[0]["id"], found[0]["providers"]) if found else None


def _refused(why: str, status: int) -> HttpResponse:
    return JsonResponse({"error": why}, status=status)
