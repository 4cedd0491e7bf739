"""What agents and managers do to a case: each form says what will happen, and ends in one recorded operation.

Every act is a page of its own that works without scripts; with them it opens in a dialog. Approving and voiding carry
the case's version as it was seen, and ask again when the case has changed since.
"""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from relight.flow.cases import operations
from relight.flow.cases.errors import UnableTo
from relight.flow.database import Tx
from relight.web.console.access import allowed
from relight.web.console.case import case_voice
from relight.web.console.context import voice_of
from relight.web.console.errors import UnableToActUnseen
from relight.web.console.forms import HOLD_REASONS, PROTECTIVE_REASONS, HoldForm, note_of
from relight.web.console.queries import case as query
from relight.web.console.queries.case_rows import CaseFile
from relight.web.console.respond import done
from relight.web.console.visit import Seated
from relight.web.database import database

_CONFLICT, _INVALID = 409, 422


@allowed("hold")
def hold(request: Seated, case_id: int) -> HttpResponse:
    """Place a hold on the case or one of its claims."""
    file = _file(request, case_id)
    if file.head.state == "closed":
        return done(request, _case_url(case_id), voice_of(request).say("act.hold_closed"), well=False)
    claims = [claim for claim in file.claims if claim.state == "open"]
    desk, voice = request.desk, voice_of(request)
    context = {"case": file, "claims": claims, "today": voice.today.isoformat(), "reasons": _hold_reasons(voice)}
    if request.method != "POST":
        return _form(request, "hold", context)
    form = HoldForm.of(request.POST, today=voice.today, claims=frozenset(claim.id for claim in claims))
    if form.wrong:
        return _form(request, "hold", {**context, "form": form}, _INVALID)
    with database().transaction(desk.at.partner_id) as tx:
        operations.place_hold(
            tx,
            case_id=case_id,
            account_id=file.head.account_id,
            reason=form.reason,
            actor=desk.actor,
            now=desk.now,
            ends_at=form.ends_at(desk.at.zone),
            review_date=form.review_date(voice.today),
            claim_id=int(form.claim) if form.claim else None,
            note=form.note,
            protective=form.protects,
        )
    return done(request, _case_url(case_id), voice.say("act.hold_done"))


@allowed("hold")
def end_hold(request: Seated, case_id: int, hold_id: int) -> HttpResponse:
    """Let go of a hold."""
    file = _file(request, case_id)
    running = next((one for one in file.holds if one.id == hold_id and one.runs), None)
    if running is None:
        return _gone(request, file)
    if request.method != "POST":
        return _form(request, "end_hold", {"case": file, "hold": running})
    with database().transaction(request.desk.at.partner_id) as tx:
        operations.end_hold(
            tx, hold_id=hold_id, actor=request.desk.actor, now=request.desk.now, note=note_of(request.POST)
        )
    return done(request, _case_url(case_id), voice_of(request).say("act.resume_done"))


@allowed("note")
def note(request: Seated, case_id: int) -> HttpResponse:
    """Put a remark on the timeline."""
    file = _file(request, case_id)
    if request.method != "POST":
        return _form(request, "note", {"case": file})
    text = note_of(request.POST)
    if not text:
        return _form(request, "note", {"case": file, "wrong": "act.note_empty"}, _INVALID)
    with database().transaction(request.desk.at.partner_id) as tx:
        operations.add_note(tx, case_id=case_id, actor=request.desk.actor, now=request.desk.now, text=text)
    return done(request, _case_url(case_id), voice_of(request).say("act.note_done"))


@allowed("approve")
def approve(request: Seated, case_id: int, approval_id: int) -> HttpResponse:
    """Say yes or no (`answer=no`) to what the case asks."""
    file = _file(request, case_id)
    asked = next((one for one in file.approvals if one.id == approval_id and one.state == "requested"), None)
    if asked is None:
        return _gone(request, file)
    granted = (request.POST or request.GET).get("answer") != "no"
    context = {"case": file, "approval": asked, "granted": granted, **_cut_words(request, file)}
    if request.method != "POST":
        return _form(request, "approve", context)
    why_not = cannot_answer(request.desk.actor, asked)
    if why_not:
        return _form(request, "approve", {**context, "conflict": why_not}, _CONFLICT)
    try:
        answer(request, asked.id, case_id, request.POST.get("version", ""), granted=granted)
    except UnableToActUnseen:
        again = {**context, "case": _file(request, case_id), "conflict": "error.changed"}
        return _form(request, "approve", again, _CONFLICT)
    except UnableTo:
        return _gone(request, file)
    more = granted and len(asked.decided_by) + 1 < asked.needs
    said = "act.approve_more" if more else "act.approve_done" if granted else "act.refuse_done"
    return done(request, _case_url(case_id), voice_of(request).say(said))


@allowed("void")
def void(request: Seated, case_id: int, number: int) -> HttpResponse:
    """Take a wrong step out of counts and clocks; asks for a reason and a tick."""
    file = _file(request, case_id, everything=True)
    step = next((one for one in file.events if one.number == number and one.may_be_voided), None)
    if step is None:
        return _gone(request, file)
    context = {"case": file, "step": step}
    if request.method != "POST":
        return _form(request, "void", context)
    wrong = _wrong_with_void(request)
    if wrong:
        return _form(request, "void", {**context, "wrong": wrong}, _INVALID)
    desk, why = request.desk, note_of(request.POST)
    try:
        with database().transaction(desk.at.partner_id) as tx:
            _must_be_as_seen(tx, case_id, request.POST.get("version", ""))
            operations.void_step(tx, case_id=case_id, step_number=number, actor=desk.actor, now=desk.now, note=why)
    except UnableToActUnseen:
        again = {**context, "case": _file(request, case_id), "conflict": "error.changed"}
        return _form(request, "void", again, _CONFLICT)
    except UnableTo:
        return _gone(request, file)
    return done(request, _case_url(case_id), voice_of(request).say("act.void_done"))


def answer(request: Seated, approval_id: int, case_id: int, version: str, *, granted: bool) -> None:
    """Record a yes or no, in a transaction of its own. Raises `UnableToActUnseen` when the case has moved since
    `version`, and `UnableTo` when somebody was faster."""
    desk, note = request.desk, note_of(request.POST)
    with database().transaction(desk.at.partner_id) as tx:
        _must_be_as_seen(tx, case_id, version)
        operations.decide_approval(
            tx, approval_id=approval_id, actor=desk.actor, granted=granted, now=desk.now, note=note
        )


def cannot_answer(actor: str, asked: Any) -> str:
    """Why this person may not answer what is asked: a words key, or ''. The operation itself has the last word."""
    if actor == asked.requested_by:
        return "act.approve_own"
    return "act.approve_twice" if actor in asked.decided_by else ""


def _wrong_with_void(request: Seated) -> dict[str, str]:
    wrong = {} if note_of(request.POST) else {"note": "act.void_needs_note"}
    return wrong if request.POST.get("sure") else {**wrong, "sure": "act.void_needs_confirm"}


def _file(request: Seated, case_id: int, *, everything: bool = False) -> CaseFile:
    file = query.case_file(request.desk, case_id, everything=everything)
    if file is None:
        raise Http404
    return file


def _form(request: Seated, act: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    frame = "console/_dialog.html" if request.htmx else "console/act_page.html"
    voice = case_voice(request, context["case"])
    whole = {"typed": request.POST, "frame": frame, "voice": voice, **context}
    return render(request, f"console/acts/{act}.html", whole, status=status)


def _gone(request: Seated, file: CaseFile) -> HttpResponse:
    """Somebody was faster."""
    return done(request, _case_url(file.head.id), voice_of(request).say("error.gone"), well=False)


def _must_be_as_seen(tx: Tx, case_id: int, version: str) -> None:
    if not query.is_as_seen(tx, case_id, version):
        raise UnableToActUnseen


def _hold_reasons(voice: Any) -> list[tuple[str, str, bool]]:
    return [(code, voice.name("hold", code), code in PROTECTIVE_REASONS) for code in HOLD_REASONS]


def _cut_words(request: Seated, file: CaseFile) -> dict[str, str]:
    """What a yes would take away, from whom, for how much."""
    voice = case_voice(request, file)
    touched = [voice.name("service", one.kind) for one in file.services if one.kind in file.head.services]
    return {"services": voice.listed(dict.fromkeys(touched)).lower(), "amount": voice.money(file.head.arrears)}


def _case_url(case_id: int) -> str:
    return reverse("console:case", args=[case_id])
