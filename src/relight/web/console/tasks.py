"""Work for people: the list of tasks, and finishing one."""

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from relight.flow.cases import operations
from relight.web.console.access import allowed, signed_in
from relight.web.console.context import voice_of
from relight.web.console.forms import note_of
from relight.web.console.queries import work
from relight.web.console.respond import done, go_to, live
from relight.web.console.visit import Seated
from relight.web.console.voice import Voice
from relight.web.database import database

_DUE = ("", "urgent", "late", "week")
_PAGE_MAX = 1000
APPROVE = "approve"


@dataclass(frozen=True, slots=True)
class Choice:
    """A chip above the list."""

    name: str
    count: int
    query: str
    chosen: bool


@signed_in
def tasks(request: Seated) -> HttpResponse:
    """Open tasks, urgent first; by deadline and kind."""
    due = request.GET.get("due", "")
    due = due if due in _DUE else ""
    code, page = request.GET.get("code", "")[:80], _page(request.GET.get("page", ""))
    found, counts = work.tasks(request.desk, code=code, due=due, page=page)
    shown = len(found) == work.TASKS_SIZE
    context = {
        "tasks": found,
        "counts": counts,
        "now": request.desk.now,
        **_choices(voice_of(request), counts, due, code),
        "previous": _query(due, code, page - 1) if page > 1 else "",
        "next": _query(due, code, page + 1) if shown else "",
        "here": _query(due, code, page),
    }
    return live(request, "console/tasks.html", "console/_tasks.html", (found, counts, due, code, page), context)


@allowed("task")
def finish(request: Seated, task_id: int) -> HttpResponse:
    """Mark a task as done, or put it away as not needed (`state=dismissed`)."""
    task = work.task(task_id)
    if task is None:
        raise Http404
    if task.code == APPROVE and task.case_id:  # answering is what finishes it, by whoever may
        return go_to(request, reverse("console:case", args=[task.case_id]))
    desk, voice = request.desk, voice_of(request)
    back = reverse("console:case", args=[task.case_id]) if task.case_id else reverse("console:tasks")
    if request.method != "POST":
        frame = "console/_dialog.html" if request.htmx else "console/act_page.html"
        return render(request, "console/acts/task.html", {"task": task, "frame": frame, "back": back})
    state = "dismissed" if request.POST.get("state") == "dismissed" else "done"
    with database().transaction(desk.at.partner_id) as tx:
        operations.finish_task(
            tx, task_id=task_id, actor=desk.actor, now=desk.now, state=state, note=note_of(request.POST)
        )
    return done(request, back, voice.say("act.task_dismissed" if state == "dismissed" else "act.task_done"))


def _choices(voice: Voice, counts: work.TaskCounts, due: str, code: str) -> dict[str, list[Choice]]:
    told = {"": ("all", counts.all), "urgent": ("urgent", counts.urgent), "late": ("late", counts.late),
            "week": ("week", counts.week)}  # fmt: skip
    by_due = [
        Choice(voice.say(f"tasks.{key}"), count, _query(value, code), value == due)
        for value, (key, count) in told.items()
    ]
    by_code = [
        Choice(voice.name("task", one), count, _query(due, "" if one == code else one), one == code)
        for one, count in counts.codes
    ]
    return {"by_due": by_due, "by_code": by_code}


def _query(due: str, code: str, page: int = 1) -> str:
    given = {"due": due, "code": code, "page": page if page > 1 else ""}
    return urlencode({name: value for name, value in given.items() if value})


def _page(text: str) -> int:
    return min(int(text), _PAGE_MAX) if text.isascii() and text.isdigit() and int(text) > 0 else 1
