"""The front page: what waits for people, and whether everybody who should have light has it."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.urls import reverse

from relight.flow.watch.alarms import Urgency
from relight.web.console.access import signed_in
from relight.web.console.context import voice_of, waiting_of
from relight.web.console.filters import NO_STEP
from relight.web.console.queries import work
from relight.web.console.respond import live
from relight.web.console.visit import Seated

_BAR_LEAST = 2
# Where a reader of an alarm can do something about it.
_PLACES = {
    "restore_failed": ("console:tasks", "?due=urgent"),
    "case_stuck": ("console:tasks", "?due=urgent"),
    "task_urgent_late": ("console:tasks", "?due=urgent"),
    "task_late": ("console:tasks", "?due=late"),
    "payments_unmatched": ("console:payments", ""),
    "restore_overdue": ("console:cases", "?level=restoring"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the picture of steps: `width` in hundredths of the widest."""

    step: str
    name: str
    count: int
    width: int


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm in the reader's words, and where it can be dealt with; `url` is empty where no page helps."""

    text: str
    to_do: str
    since: str
    url: str
    cannot_wait: bool


@signed_in
def overview(request: Seated) -> HttpResponse:
    """Figures that renew themselves."""
    figures = work.overview(request.desk)
    waiting = waiting_of(request)
    alarms = _alarms(request)
    context = {"figures": figures, "bars": _bars(request, figures), "alarms": alarms}
    return live(request, "console/overview.html", "console/_overview.html", (figures, waiting, alarms), context)


def _alarms(request: Seated) -> list[AlarmLine]:
    voice = voice_of(request)
    return [
        AlarmLine(
            text=voice.say(f"alarm.{one.code}", count=one.count),
            to_do=voice.say(f"alarm_to_do.{one.code}"),
            since=voice.say("overview.since", at=voice.stamp(one.since)),
            url=_place(one.code),
            cannot_wait=one.urgency is Urgency.NOW,
        )
        for one in work.alarms(request.desk)
    ]


def _place(code: str) -> str:
    name, query = _PLACES.get(code, ("", ""))
    return reverse(name) + query if name else ""


def _bars(request: Seated, figures: work.Overview) -> list[Bar]:
    voice = voice_of(request)
    widest = max((count for _, count in figures.steps), default=1)
    return [
        Bar(
            step or NO_STEP,
            voice.name("step", step) or voice.say("overview.no_step"),
            count,
            max(_BAR_LEAST, round(100 * count / widest)),
        )
        for step, count in figures.steps
    ]
