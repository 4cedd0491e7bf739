"""The queue of steps that wait for a person's yes: one by one, or several at once, each recorded by itself."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from relight.flow.books import acts
from relight.flow.cases.errors import UnableTo
from relight.web.console.access import allowed, signed_in
from relight.web.console.acts import answer, cannot_answer
from relight.web.console.context import voice_of
from relight.web.console.errors import UnableToActUnseen
from relight.web.console.queries import work
from relight.web.console.respond import live
from relight.web.console.visit import Seated
from relight.web.console.voice import Voice
from relight.web.database import database

_DIGITS_MAX = 18  # what a bigint holds


@signed_in
def approvals(request: Seated) -> HttpResponse:
    """The oldest first; `?step=` narrows."""
    step = request.GET.get("step", "")[:80]
    asked, steps = work.approvals(step=step), work.approval_steps()
    with database().transaction(request.desk.at.partner_id) as tx:
        money = tuple(acts.acts(tx, waiting=True))
    context = {
        "asked": asked,
        "money": money,
        "steps": steps,
        "step": step,
        "all": sum(count for _, count in steps),
        "capped": len(asked) >= work.APPROVALS_MAX,
        "size": work.APPROVALS_MAX,
    }
    return live(request, "console/approvals.html", "console/_approvals.html", (asked, steps, step, money), context)


@require_POST
@allowed("approve")
def approve_chosen(request: Seated) -> HttpResponse:
    """First asks to confirm what was chosen; then (`sure`) says yes to each in a transaction of its own.

    A choice is `<approval id>:<case version>`, so that a case which has changed since is left for a second look.
    """
    voice = voice_of(request)
    chosen = _chosen(request)
    if not chosen:
        messages.warning(request, voice.say("approvals.none_chosen"))
        return HttpResponseRedirect(reverse("console:approvals"))
    asked = work.approvals(ids=list(chosen))
    if not request.POST.get("sure"):
        picked = [f"{one.id}:{chosen[one.id]}" for one in asked]
        return render(request, "console/approve_chosen.html", {"asked": asked, "picked": picked})
    given = 0
    for one in asked:
        wrong = _give(request, one, chosen[one.id], voice)
        given += not wrong
        if wrong:
            messages.error(request, voice.say("approvals.failed", customer=one.customer, why=wrong))
    for _ in range(len(chosen) - len(asked)):
        messages.error(request, voice.say("error.gone"))
    if given:
        messages.success(request, voice.say("approvals.done", count=given))
    return HttpResponseRedirect(reverse("console:approvals"))


def _give(request: Seated, one: work.ApprovalRow, version: int, voice: Voice) -> str:
    """Say yes to one; what was wrong, or ''."""
    why_not = cannot_answer(request.desk.actor, one)
    if why_not:
        return voice.say(why_not)
    try:
        answer(request, one.id, one.case_id, str(version), granted=True)
    except UnableToActUnseen:
        return voice.say("approvals.changed")
    except UnableTo:
        return voice.say("error.gone")
    return ""


def _chosen(request: Seated) -> dict[int, int]:
    """Approval ids with the case versions at which they were seen."""
    chosen = {}
    for one in request.POST.getlist("chosen")[: work.APPROVALS_MAX]:
        approval, _, version = one.partition(":")
        if _is_number(approval) and _is_number(version):
            chosen[int(approval)] = int(version)
    return chosen


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
