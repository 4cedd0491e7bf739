"""The partner's policies: which versions are in force for how many new cases, who decided what, and the share."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from relight.core.findings import Findings
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.core.rules.lawbook import packaged_law
from relight.core.show.rows import picture
from relight.core.show.svg import as_svg
from relight.core.show.text import as_text
from relight.core.show.words import Words
from relight.flow.cases.drafts import Act, acts, drafts
from relight.flow.cases.errors import UnableTo
from relight.flow.cases.people import Person
from relight.flow.cases.policies import Line, lines, newest, version_before
from relight.flow.road.caps import UnableToExceed
from relight.flow.road.publishing import UnableToChoose, UnableToPublish, stage_of
from relight.flow.road.rollout import UnableToGoBack, let_all_in, share_out
from relight.web.console.access import allowed, signed_in
from relight.web.console.context import voice_of
from relight.web.console.errors import UnableToActUnseen
from relight.web.console.forms import ShareForm
from relight.web.console.respond import done, live
from relight.web.console.visit import Seated
from relight.web.console.voice import Voice
from relight.web.database import database

_CONFLICT, _INVALID = 409, 422
_LET_IN_MAX = 20_000  # a page answers within seconds; the command line lets in as many as there are
# A picture styles itself and runs nothing.
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Shown:
    """A version as a row shows it: `state` is all, tried, partly or retired; `share` is what new cases it gets of a
    hundred, less what a newer one takes."""

    line: Line
    state: str
    share: int


@dataclass(frozen=True, slots=True)
class Named:
    """A policy with its versions, newest first."""

    name: str
    versions: tuple[Shown, ...]

    @property
    def newest(self) -> Line:
        """The newest version that is listed."""
        return self.versions[0].line

    @property
    def in_force(self) -> bool:
        """Whether new cases get any version of it."""
        return any(one.state != "retired" for one in self.versions)


@signed_in
def policies(request: Seated) -> HttpResponse:
    """Every policy with the versions that matter, and the drafts."""
    with database().transaction(request.desk.at.partner_id) as tx:
        found, kept = _named(lines(tx)), drafts(tx)
    told = [(draft, stage_of(draft)) for draft in kept]
    context = {"policies": found, "drafts": told}
    return live(request, "console/policies.html", "console/_policies.html", (found, kept), context)


@signed_in
def policy(request: Seated, name: str) -> HttpResponse:
    """One policy: all its versions, its steps, its proof, and its history."""
    with database().transaction(request.desk.at.partner_id) as tx:
        found, done_ = _named(lines(tx, name)), acts(tx, name)
    if not found:
        raise Http404
    voice, words = voice_of(request), Words(request.desk.language)
    read = _read(found[0].newest)
    context = {
        "policy": found[0],
        "history": [(one, _told(one, voice)) for one in done_],
        "proof": _proof(found[0].newest, voice),
        "text": as_text(picture(read, packaged_law(), words), words) if read else "",
    }
    return render(request, "console/policy.html", context)


@require_GET
@signed_in
def drawn(request: Seated, name: str, version: int) -> HttpResponse:
    """A version's picture."""
    with database().transaction(request.desk.at.partner_id) as tx:
        found = next((one for one in lines(tx, name) if one.at.version == version), None)
    read = _read(found) if found else None
    if read is None:
        raise Http404
    words = Words(request.desk.language)
    response = HttpResponse(as_svg(picture(read, packaged_law(), words), words), content_type="image/svg+xml")
    response["Content-Security-Policy"] = _PICTURE_POLICY
    return response


@allowed("policy")
def share(request: Seated, name: str) -> HttpResponse:
    """Change how many new cases the newest version gets."""
    desk, voice = request.desk, voice_of(request)
    back = reverse("console:policy", args=[name])
    with database().transaction(desk.at.partner_id) as tx:
        at = newest(tx, name)
        before = version_before(tx, name, at.version)
    context: dict[str, Any] = {"name": name, "at": at, "before": before, "back": back}
    if request.method != "POST":
        return _form(request, {**context, "form": ShareForm(str(at.share), str(at.cap or ""), {})})
    form = ShareForm.of(request.POST)
    if form.wrong:
        return _form(request, {**context, "form": form}, _INVALID)
    try:
        with database().transaction(desk.at.partner_id) as tx:
            at = newest(tx, name)
            if f"{at.version}:{at.share}" != request.POST.get("seen", ""):
                raise UnableToActUnseen
            person = Person(desk.actor, desk.at.role)
            share_out(tx, name, form.percent, by=person, now=desk.now, cap=form.limit, keep_cap=False)
    except UnableToActUnseen:
        return _form(request, {**context, "form": form, "conflict": voice.say("policies.changed")}, _CONFLICT)
    except UnableTo as refused:
        return _form(request, {**context, "form": form, "conflict": _refused(refused, voice)}, _CONFLICT)
    let_all_in(partial(database().transaction, desk.at.partner_id), desk.now, most=_LET_IN_MAX)
    return done(request, back, voice.say("policies.done", number=at.version, share=form.percent))


def _form(request: Seated, context: dict[str, Any], status: int = 200) -> HttpResponse:
    frame = "console/_dialog.html" if request.htmx else "console/act_page.html"
    return render(request, "console/acts/share.html", {"frame": frame, **context}, status=status)


def _refused(refused: UnableTo, voice: Voice) -> str:
    match refused:
        case UnableToExceed(coming=coming, cap=cap):
            return voice.say("policies.over_cap", coming=voice.number(coming), cap=voice.number(cap))
        case UnableToGoBack():
            return voice.say("policies.no_way_back")
        case UnableToPublish():
            return voice.say("policies.not_lawful")
        case UnableToChoose():
            return voice.say("policies.has_rival")
        case _:
            return voice.say("error.gone")


def _named(found: list[Line]) -> tuple[Named, ...]:
    by_name: dict[str, list[Line]] = {}
    for line in found:
        by_name.setdefault(line.name, []).append(line)
    return tuple(Named(name, tuple(_shown(one, of) for one in of)) for name, of in by_name.items())


def _shown(line: Line, versions: list[Line]) -> Shown:
    """`partly` is one that had all new cases and shares them with one that is tried now."""
    if line.at.retired_at is not None:
        return Shown(line, "retired", 0)
    if line.at.share < 100:
        return Shown(line, "tried", line.at.share)
    newer = [one.at.share for one in versions if one.at.retired_at is None and one.at.version > line.at.version]
    return Shown(line, "partly" if newer else "all", line.at.share - sum(newer))


def _read(line: Line) -> Policy | None:
    read = read_policy(line.at.text)
    return None if isinstance(read, Findings) else read


def _proof(line: Line, voice: Voice) -> str:
    if "packs" not in line.proof:
        return voice.say("policies.no_proof")
    packs = _packs(line.proof["packs"])
    return voice.say("policies.proof", paths=line.proof["paths"], rules=line.proof["rules"], packs=packs)


def _packs(packs: dict[str, str]) -> str:
    return ", ".join(f"{name} {hash_[:8]}" for name, hash_ in packs.items())


def _told(act: Act, voice: Voice) -> str:
    """An entry of the history in words."""
    params: dict[str, Any] = {**act.params, "id": act.id, "version": act.version}
    if act.code == "checked":
        params["packs"] = _packs(act.params["packs"])
    if act.code == "simulated":
        mean = {name: one["mean"] for name, one in act.params["measures"].items()}
        params |= {name: voice.number(mean[name]) for name in ("messages", "limited", "cuts")}
        params["cases"] = voice.number(mean["cases_opened"])
        params["accounts"] = voice.number(act.params["accounts"])
    return voice.say(f"policy_act.{act.code}", **params)
