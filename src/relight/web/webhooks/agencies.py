"""Webhooks of collection agencies: verified before anything is kept, recorded once, answered after commit."""

from datetime import datetime
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from relight.flow.handover import queries
from relight.flow.handover.errors import UnableToFindAgency
from relight.flow.handover.port import StatusRefused
from relight.flow.road.agencies import hear_agency
from relight.web.database import database

_log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def agency_webhook(request: HttpRequest, partner: str, name: str) -> HttpResponse:
    """One or more statuses of one partner's agency.

    200 with a verdict for each once they are on record (also a case that we do not know: a person looks into it), 400
    when the request is not genuine or says nothing that we understand, 404 for a partner or agency that is not there.
    """
    now, found = _partner(partner)
    if found is None:
        return _refused("unknown partner or agency", 404)
    partner_id, settings = found
    try:
        statuses = queries.agency_driver(settings, name).webhook(request.headers, request.body, now)
        with database().transaction(partner_id) as tx:
            heard = hear_agency(tx, name, statuses, way="webhook", now=now)
    except UnableToFindAgency:
        return _refused("unknown partner or agency", 404)
    except StatusRefused as refused:
        _log.warning("webhook_refused", agency=name, why=str(refused))
        return _refused(str(refused), 400)
    answers = [{"id": one.status.id, "verdict": one.verdict, **({"why": one.why} if one.why else {})} for one in heard]
    return JsonResponse({"heard": answers})


def _partner(slug: str) -> tuple[datetime, tuple[int, Any] | None]:
    now, (found,) = database().ask(None, (queries.SQL.partner_by_slug, {"slug": slug}))
    return now, (found[0]["id"], found[0]["agencies"]) if found else None


def _refused(why: str, status: int) -> HttpResponse:
    return JsonResponse({"error": why}, status=status)
