"""A case's page: who, how much, what comes next and why it waits, and everything that has happened."""

from dataclasses import replace
from datetime import datetime

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from relight.core.explain import agent
from relight.core.explain.ahead import Ahead
from relight.core.explain.words import Reader
from relight.flow.cases import plans
from relight.flow.claims.interest import reckoned
from relight.flow.handover import queries as handover
from relight.flow.payments.mandates import listing
from relight.flow.road.explaining import explain, read_case
from relight.web.console import timeline
from relight.web.console.access import signed_in
from relight.web.console.context import voice_of
from relight.web.console.queries import case as query
from relight.web.console.queries.case_rows import CaseFile
from relight.web.console.respond import live
from relight.web.console.visit import Seated
from relight.web.console.voice import Voice
from relight.web.database import database

APPROVAL = "approval"
CUSTOMER: Reader = "customer"


@require_GET
@signed_in
def case(request: Seated, case_id: int) -> HttpResponse:
    """The page renews itself; `?all=1` shows the whole log, `?told=customer` what the customer would be told of it."""
    everything = bool(request.GET.get("all"))
    file = query.case_file(request.desk, case_id, everything=everything)
    if file is None:
        raise Http404
    to_customer = request.GET.get("told") == CUSTOMER
    with database().transaction(request.desk.at.partner_id) as tx:
        borne = {one.claim_id: one for one in reckoned(tx, [file.head.account_id])}
        plan = plans.current(tx, case_id, request.desk.now)
        at_agencies = handover.of_case(tx, case_id)
        mandates, collections = listing.of_account(tx, file.head.account_id)
        known = read_case(tx, case_id, now=request.desk.now, limit=query.limit(everything) if to_customer else 0)
    told = explain(known, CUSTOMER if to_customer else "agent", "" if to_customer else request.desk.language)
    claims = [replace(one, reckoned=borne.get(one.id)) for one in file.claims]
    voice = replace(case_voice(request, file), policy=known.policy)
    context = {
        "voice": voice,
        "case": file,
        "head": file.head,
        "days": timeline.days(file, voice, may_void=request.desk.may("void")),
        "told": told,
        "speech": known.speech(told.reader, told.language),
        "to_customer": to_customer,
        "next_at": _next_at(file, known.ahead),
        "waits": _waits(file, voice),
        "asked": [one for one in file.approvals if one.state == "requested"],
        "open_tasks": [one for one in file.tasks if one.state == "open" and one.code != "approve"],
        "open_claims": [one for one in claims if one.state == "open"],
        "past_claims": [one for one in claims if one.state != "open"],
        "running": [one for one in file.holds if one.runs],
        "plan": plan,
        "at_agencies": at_agencies,
        "mandates": mandates,
        "collections": collections,
        "past_holds": [one for one in file.holds if not one.runs],
    }
    return live(
        request, "console/case.html", "console/_case.html", (file, told, plan, at_agencies, collections), context
    )


@require_GET
@signed_in
def letter(request: Seated, case_id: int, message_id: int) -> HttpResponse:
    """A letter as it was posted."""
    pdf = query.letter(case_id, message_id)
    if pdf is None:
        raise Http404
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{case_id}-{message_id}.pdf"'
    return response


def case_voice(request: Seated, file: CaseFile) -> Voice:
    """The reader's voice, in the account's currency and with its services' names."""
    voice = voice_of(request)
    kinds = {service.id: service.kind for service in file.services}
    return replace(voice, currency=file.head.currency, services=kinds)


def _next_at(file: CaseFile, ahead: Ahead | None) -> datetime | None:
    """When the next step can come: as asked just now, so that the page says one moment; else as recorded."""
    if ahead and ahead.step and ahead.at and ahead.step.name == file.head.next_step:
        return ahead.at
    return file.head.next_at


def _waits(file: CaseFile, voice: Voice) -> list[str]:
    """Why the case waits: in full from the event that said so, else by what the codes are called."""
    asked = any(one.state == "requested" for one in file.approvals)
    codes = {code for code in file.head.waits_for if not (asked and code == APPROVAL)}  # the page says so by itself
    for event in file.events:
        if event.code in ("refused", "deferred"):
            told = [reason for reason in event.reasons if reason.get("code") in codes]
            if {reason["code"] for reason in told} == codes:
                return [agent.reason(voice.speech, reason).text for reason in told]
            break
    return [agent.reason(voice.speech, {"code": code}).text for code in file.head.waits_for if code in codes]
