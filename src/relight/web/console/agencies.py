"""Agencies at the desk: a person calls a case back, with a reason."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from relight.flow.handover import queries as handover
from relight.flow.handover.errors import UnableToRecall
from relight.flow.handover.operations import recall as recall_case
from relight.web.console.access import allowed
from relight.web.console.context import voice_of
from relight.web.console.forms import note_of
from relight.web.console.respond import done
from relight.web.console.visit import Seated
from relight.web.database import database

_INVALID = 422


@allowed("hold")
def recall(request: Seated, case_id: int) -> HttpResponse:
    """Ask for a case back from its agency, for ourselves or (`creditor`) because the creditor wants it."""
    desk, note = request.desk, note_of(request.POST)
    with database().transaction(desk.at.partner_id) as tx:
        open_ones = [one for one in handover.of_case(tx, case_id) if one.may_be_recalled]
    if not open_ones:
        return done(request, _url(case_id), voice_of(request).say("error.gone"), well=False)
    context = {"head": {"id": case_id}, "agency": open_ones[0].agency}
    if request.method != "POST":
        return _form(request, context)
    if not note:
        return _form(request, {**context, "wrong": "agency.recall_needs_why"}, _INVALID)
    why = "creditor" if request.POST.get("creditor") else "person"
    try:
        with database().transaction(desk.at.partner_id) as tx:
            recall_case(tx, case_id=case_id, why=why, actor=desk.actor, note=note, now=desk.now)
    except UnableToRecall:
        return done(request, _url(case_id), voice_of(request).say("error.gone"), well=False)
    return done(request, _url(case_id), voice_of(request).say("agency.recall_done"))


def _form(request: Seated, context: dict[str, Any], status: int = 200) -> HttpResponse:
    frame = "console/_dialog.html" if request.htmx else "console/act_page.html"
    whole = {"typed": request.POST, "frame": frame, **context}
    return render(request, "console/acts/recall.html", whole, status=status)


def _url(case_id: int) -> str:
    return reverse("console:case", args=[case_id])
