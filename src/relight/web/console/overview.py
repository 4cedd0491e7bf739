"""The front page: what waits for people, and whether everybody who should have light has it."""

from dataclasses import dataclass

from django.http import HttpResponse

from relight.web.console.access import signed_in
from relight.web.console.context import voice_of, waiting_of
from relight.web.console.filters import NO_STEP
from relight.web.console.queries import work
from relight.web.console.respond import live
from relight.web.console.visit import Seated

_BAR_LEAST = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the picture of steps: `width` in hundredths of the widest."""

    step: str
    name: str
    count: int
    width: int


@signed_in
def overview(request: Seated) -> HttpResponse:
    """Figures that renew themselves."""
    figures = work.overview(request.desk)
    waiting = waiting_of(request)
    context = {"figures": figures, "bars": _bars(request, figures)}
    return live(request, "console/overview.html", "console/_overview.html", (figures, waiting), context)


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
