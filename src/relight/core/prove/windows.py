"""Windows against a law's closed days and hours: a step that never finds an open day, messages at unlawful hours."""

from collections.abc import Iterator

from relight.core.policy import Policy, Step
from relight.core.rules.acts import CONTACT
from relight.core.rules.model import ForbiddenWindow
from relight.core.windows import WEEKDAY_NAMES, Window


def check_window(demand: ForbiddenWindow, targets: frozenset[str], policy: Policy, step: Step) -> Iterator[str]:
    """What is wrong with the step's window, or with the policy's contact hours where the rule is about contact."""
    if CONTACT in targets:
        if demand.open and not _within(policy.contact.window, demand.open):
            allowed = " and ".join(_told(window) for window in demand.open)
            yield f"Messages may leave on {allowed} alone. Narrow contact: {{weekdays: […], hours: […]}} to that"
        return
    if step.window is not None and not step.window.weekdays - demand.weekdays:
        closed = ", ".join(WEEKDAY_NAMES[day] for day in sorted(demand.weekdays))
        yield f"The step is never taken: its window opens on no other days than {closed}, which are closed. Open others"


def _told(window: Window) -> str:
    days = ", ".join(WEEKDAY_NAMES[day] for day in sorted(window.weekdays))
    return f"{days} from {window.opens_minute // 60} to {window.closes_minute // 60}"


def _within(window: Window, open_: tuple[Window, ...]) -> bool:
    return all(
        any(
            day in allowed.weekdays
            and allowed.opens_minute <= window.opens_minute
            and window.closes_minute <= allowed.closes_minute
            for allowed in open_
        )
        for day in window.weekdays
    )
