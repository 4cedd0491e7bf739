"""Write-offs and remissions at the console: asked for on the case's page, answered by a colleague."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from relight.core.money import NotAnAmount, parse_amount, to_decimal
from relight.flow.books import acts
from relight.flow.books.errors import UnableToPost
from relight.flow.cases.errors import UnableToApprove
from relight.flow.cases.people import Person
from relight.web.console.access import allowed
from relight.web.console.context import voice_of
from relight.web.console.forms import note_of
from relight.web.console.queries import case as query
from relight.web.console.queries.case_rows import CaseFile, Claim
from relight.web.console.respond import done
from relight.web.console.visit import Seated
from relight.web.database import database

_CONFLICT, _INVALID = 409, 422


@allowed("task")
def ask(request: Seated, case_id: int, claim_id: int) -> HttpResponse:
    """Ask that an invoice, or a part of it, is written off or forgiven."""
    file, claim = _claim(request, case_id, claim_id)
    context: dict[str, Any] = {
        "case": file,
        "claim": claim,
        "kinds": acts.KINDS,
        "kind": request.POST.get("kind", acts.KINDS[0]),
        "amount": request.POST.get("amount", str(to_decimal(claim.owed, file.head.currency))),
    }
    if request.method != "POST":
        return _form(request, "money_ask", context)
    voice, reason = voice_of(request), note_of(request.POST)
    wrong = {} if reason else {"note": "money.needs_reason"}
    try:
        amount = parse_amount(
            context["amount"].strip(), file.head.currency, decimal="," if "," in context["amount"] else "."
        )
    except NotAnAmount:
        amount = 0
    if not 0 < amount <= claim.owed:
        wrong["amount"] = "money.wrong_amount"
    if wrong or context["kind"] not in acts.KINDS:
        return _form(request, "money_ask", {**context, "wrong": wrong}, _INVALID)
    try:
        with database().transaction(request.desk.at.partner_id) as tx:
            acts.ask(
                tx,
                context["kind"],
                claim.number,
                by=_person(request),
                reason=reason,
                now=request.desk.now,
                amount=amount,
                creditor=acts.creditor_of(tx, claim.id),
            )
    except UnableToPost:
        return _form(request, "money_ask", {**context, "conflict": "money.moved"}, _CONFLICT)
    return done(request, reverse("console:case", args=[case_id]), voice.say("money.asked"))


@allowed("approve")
def answer(request: Seated, act_id: int) -> HttpResponse:
    """Say yes or no (`answer=no`) to what a colleague asked for."""
    with database().transaction(request.desk.at.partner_id) as tx:
        asked = acts.act(tx, act_id)
    back, voice = reverse("console:approvals"), voice_of(request)
    if asked.state != "requested":
        return done(request, back, voice.say("error.gone"), well=False)
    granted = (request.POST or request.GET).get("answer") != "no"
    context = {"one": asked, "granted": granted, "back": back}
    if request.method != "POST":
        return _form(request, "money_answer", context)
    if asked.requested_by == request.desk.actor:
        return _form(request, "money_answer", {**context, "conflict": "act.approve_own"}, _CONFLICT)
    try:
        with database().transaction(request.desk.at.partner_id) as tx:
            note = note_of(request.POST)
            acts.answer(tx, act_id, by=_person(request), granted=granted, now=request.desk.now, note=note)
    except UnableToApprove:
        return done(request, back, voice.say("error.gone"), well=False)
    except UnableToPost:
        return _form(request, "money_answer", {**context, "conflict": "money.moved"}, _CONFLICT)
    return done(request, back, voice.say("money.posted" if granted else "money.refused"))


def _claim(request: Seated, case_id: int, claim_id: int) -> tuple[CaseFile, Claim]:
    file = query.case_file(request.desk, case_id)
    claim = next((one for one in file.claims if one.id == claim_id and one.state == "open"), None) if file else None
    if file is None or claim is None:
        raise Http404
    return file, claim


def _person(request: Seated) -> Person:
    return Person(request.desk.actor, request.desk.at.role)


def _form(request: Seated, act: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    frame = "console/_dialog.html" if request.htmx else "console/act_page.html"
    return render(
        request, f"console/acts/{act}.html", {"typed": request.POST, "frame": frame, **context}, status=status
    )
