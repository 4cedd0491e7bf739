"""Undoing a wrong run at the console: what it did is shown, a colleague agrees, and the apology is approved here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from relight.flow.cases.errors import UnableTo
from relight.flow.cases.people import Person
from relight.flow.road.undo import apology, asking
from relight.flow.road.undo.finding import Scope, look
from relight.web.console.access import allowed, signed_in
from relight.web.console.context import voice_of
from relight.web.console.forms import note_of
from relight.web.console.respond import live
from relight.web.console.visit import Seated
from relight.web.database import database

_CONFLICT, _INVALID = 409, 422
_DIGITS_MAX = 12


@dataclass(frozen=True, slots=True)
class UndoForm:
    """What is to be undone, as typed. `wrong` maps a field to a words key."""

    since: str
    policy: str
    version: str
    run: str
    bulk: str
    note: str
    wrong: Mapping[str, str]

    @classmethod
    def of(cls, given: Mapping[str, str], *, checked: bool = True) -> "UndoForm":
        """Read the fields; not `checked` when the page is opened."""
        since, policy, version, run, bulk = (
            given.get(name, "").strip() for name in ("since", "policy", "version", "run", "bulk")
        )
        note, wrong = note_of(given), dict[str, str]()
        if checked and not _is_moment(since):
            wrong["since"] = "undo.wrong_since"
        if checked and not note:
            wrong["note"] = "undo.wrong_note"
        if version and not policy:
            wrong["version"] = "undo.wrong_version"
        wrong |= {
            name: "undo.wrong_number"
            for name, text in (("version", version), ("run", run), ("bulk", bulk))
            if text and not _is_number(text)
        }
        return cls(since, policy, version, run, bulk, note, wrong)

    def scope(self, zone: ZoneInfo) -> Scope:
        """As the road understands it; the moment is the partner's."""
        since = datetime.fromisoformat(self.since).replace(tzinfo=zone)
        version, run, bulk = (int(text) if text else None for text in (self.version, self.run, self.bulk))
        return Scope(since, self.policy, version, run, bulk)


@signed_in
def undos(request: Seated) -> HttpResponse:
    """What was undone, or waits for a colleague."""
    with database().transaction(request.desk.at.partner_id) as tx:
        found = asking.undos(tx)
    context = {"undos": found, "may": request.desk.may("void")}
    return live(request, "console/undos.html", "console/_undos.html", found, context)


@allowed("void")
def new(request: Seated) -> HttpResponse:
    """Say what went wrong, see what it did, and ask that it is undone."""
    desk, voice = request.desk, voice_of(request)
    if request.method != "POST":
        return _new(request, {"form": UndoForm.of(request.GET, checked=False)})
    form = UndoForm.of(request.POST)
    if form.wrong:
        return _new(request, {"form": form}, _INVALID)
    scope = form.scope(desk.at.zone)
    try:
        with database().transaction(desk.at.partner_id) as tx:
            if not request.POST.get("sure"):
                found = look(tx, scope, desk.now)
                again = asking.running_under(tx, scope)
                shown = {"found": found, "steps": sorted(found.steps.items()), "again": again}
                return _new(request, {"form": form, **shown, "alone": asking.ALONE_MAX})
            person = Person(desk.actor, desk.at.role)
            number, _ = asking.ask(tx, scope, why=form.note, by=person, now=desk.now)
    except UnableTo:
        return _new(request, {"form": form, "conflict": voice.say("undo.nothing")}, _CONFLICT)
    messages.success(request, voice.say("undo.done_asked"))
    return HttpResponseRedirect(reverse("console:undo", args=[number]))


@signed_in
def undo(request: Seated, number: int) -> HttpResponse:
    """One undo: what it was to do, what it has done, and the apology."""
    desk = request.desk
    with database().transaction(desk.at.partner_id) as tx:
        found = asking.undo(tx, number)
        drafts = apology.drafts(tx, number, desk.now) if found.apology else []
    context = {
        "one": found,
        "sums": found.done if found.state in ("running", "done") else found.found,
        "steps": sorted(found.found["steps"].items()),
        "drafts": drafts,
        "may": desk.may("void"),
        "own": found.asked_by == desk.actor,
    }
    return live(request, "console/undo.html", "console/_undo.html", (found, drafts), context)


@require_POST
@allowed("void")
def agree(request: Seated, number: int) -> HttpResponse:
    """A colleague's yes or no; a worker begins at once."""
    granted = request.POST.get("answer") == "yes"
    return _answer(
        request, number, "undo.done_agreed" if granted else "undo.done_refused", asking.agree, granted=granted
    )


@require_POST
@allowed("void")
def apologise(request: Seated, number: int) -> HttpResponse:
    """The apology goes out, or nobody is written to."""
    send = request.POST.get("answer") == "yes"
    return _answer(request, number, "undo.done_sorry" if send else "undo.done_dropped", apology.approve, send=send)


def _answer(request: Seated, number: int, said: str, act: Any, **how: bool) -> HttpResponse:
    desk, voice = request.desk, voice_of(request)
    try:
        with database().transaction(desk.at.partner_id) as tx:
            act(tx, number, by=Person(desk.actor, desk.at.role), now=desk.now, **how)
    except UnableTo:
        messages.error(request, voice.say("undo.not_yours"))
    else:
        messages.success(request, voice.say(said))
    return HttpResponseRedirect(reverse("console:undo", args=[number]))


def _new(request: Seated, context: dict[str, Any], status: int = 200) -> HttpResponse:
    form: UndoForm = context["form"]
    return render(request, "console/undo_new.html", {"typed": {"note": form.note}, **context}, status=status)


def _is_moment(text: str) -> bool:
    """A local moment as a browser's field gives it, without an offset."""
    try:
        return datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
