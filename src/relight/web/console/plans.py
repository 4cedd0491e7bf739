"""Plans and promises at the desk: an agent offers or agrees on a plan, ends one, or notes when a customer will pay."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from relight.flow.cases import plans, promises
from relight.flow.cases.errors import UnableToAgree
from relight.flow.database import Tx
from relight.web.console.access import allowed
from relight.web.console.context import voice_of
from relight.web.console.forms import note_of
from relight.web.console.respond import done
from relight.web.console.visit import Seated
from relight.web.database import database

_INVALID = 422


@allowed("hold")
def plan(request: Seated, case_id: int) -> HttpResponse:
    """Agree on a plan with the customer, or (`do=offer`) let them choose on their own page."""
    desk, voice = request.desk, voice_of(request)
    typed = request.POST
    try:
        if request.method != "POST":
            with database().transaction(desk.at.partner_id) as tx:
                return _form(request, "plan", case_id, _choices(tx, case_id, desk.now))
        offers = typed.get("do") == "offer"
        with database().transaction(desk.at.partner_id) as tx:
            if offers:
                plans.offer(tx, case_id=case_id, actor=desk.actor, now=desk.now)
            else:
                months, first = _whole(typed.get("months", "")), _day(typed.get("first", ""))
                plans.agree(
                    tx, case_id=case_id, months=months, actor=desk.actor, now=desk.now, source="desk", first=first
                )
    except UnableToAgree as why:
        return _refused(request, "plan", case_id, why)
    return done(request, _url(case_id), voice.say("plan.offered_done" if offers else "plan.agreed_done"))


@allowed("hold")
def end_plan(request: Seated, case_id: int, plan_id: int) -> HttpResponse:
    """End a plan; the case goes on where it was."""
    desk = request.desk
    with database().transaction(desk.at.partner_id) as tx:
        found = plans.current(tx, case_id, desk.now)
        if found is None or found.id != plan_id or not found.is_live:
            return done(request, _url(case_id), voice_of(request).say("error.gone"), well=False)
        if request.method != "POST":
            return _form(request, "end_plan", case_id, {"plan": found})
        plans.end(tx, plan_id=plan_id, actor=desk.actor, now=desk.now, note=note_of(request.POST))
    return done(request, _url(case_id), voice_of(request).say("plan.ended_done"))


@allowed("hold")
def promise(request: Seated, case_id: int) -> HttpResponse:
    """The customer says when everything will be paid; the case waits until then."""
    desk = request.desk
    try:
        with database().transaction(desk.at.partner_id) as tx:
            if request.method != "POST":
                may = promises.room(tx, plans.desk(tx, case_id, desk.now), desk.now)
                return _form(request, "promise", case_id, {"room": may, "why_not": _why(request, may.why_not)})
            until = _day(request.POST.get("day", ""))
            if until is None:
                raise UnableToAgree("Choose a day.", "no_day")
            promises.promise(tx, case_id=case_id, until=until, actor=desk.actor, now=desk.now, source="desk")
    except UnableToAgree as why:
        return _refused(request, "promise", case_id, why)
    return done(request, _url(case_id), voice_of(request).say("plan.promise_done"))


def _choices(tx: Tx, case_id: int, now: Any) -> dict[str, Any]:
    """The months to choose from, each with its parts; the open offer's where there is one."""
    at = plans.desk(tx, case_id, now)
    found = plans.current(tx, case_id, now)
    if found is not None and found.is_live:
        raise UnableToAgree("This case has a plan already.", "has_plan")
    name = found.name if found is not None and found.state == "offered" else plans.STANDARD
    stated = (found.months_min, found.months_max) if found is not None and found.state == "offered" else None
    shortest, longest = at.months(name, stated)
    terms = at.policy.plan(name)
    options = [(months, at.parts(terms, months)) for months in range(shortest, longest + 1)]
    return {
        "owed": at.owed,
        "options": [(months, parts[0].amount, parts[-1].due_date) for months, parts in options],
        "first": options[0][1][0].due_date,
        "today": at.today,
    }


def _refused(request: Seated, act: str, case_id: int, why: UnableToAgree) -> HttpResponse:
    desk = request.desk
    context: dict[str, Any] = {"why_not": _why(request, why)}
    with database().transaction(desk.at.partner_id) as tx:
        try:
            if act == "plan":
                context |= _choices(tx, case_id, desk.now)
            else:
                context |= {"room": promises.room(tx, plans.desk(tx, case_id, desk.now), desk.now)}
        except UnableToAgree as other:
            context["why_not"] = _why(request, other)
    return _form(request, act, case_id, context, _INVALID)


def _why(request: Seated, why: UnableToAgree | None) -> str:
    """A refusal in the reader's language."""
    if why is None:
        return ""
    voice = voice_of(request)
    told = {name: voice.day(one) if isinstance(one, date) else one for name, one in why.params.items()}
    return voice.say(f"plan_cannot.{why.code}", **told)


def _form(request: Seated, act: str, case_id: int, context: dict[str, Any], status: int = 200) -> HttpResponse:
    frame = "console/_dialog.html" if request.htmx else "console/act_page.html"
    whole = {"typed": request.POST, "frame": frame, "voice": voice_of(request), "case_id": case_id, **context}
    return render(request, f"console/acts/{act}.html", whole, status=status)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise UnableToAgree("Choose for how many months.", "no_months")
    return int(text)


def _day(text: str) -> date | None:
    """A day as the browser sends it; None where none was given. Raises `UnableToAgree` for anything else."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise UnableToAgree(f"{text!r} is not a day.", "no_day") from wrong


def _url(case_id: int) -> str:
    if case_id <= 0:
        raise Http404
    return reverse("console:case", args=[case_id])
