"""What a rule is held against: one step of one path."""

from dataclasses import dataclass

from relight.core.actions import MessageAction
from relight.core.calendars import Calendar
from relight.core.policy import Policy, Step
from relight.core.prove.content import Contents
from relight.core.prove.paths import Path
from relight.core.rules.acts import Act, acts_of


@dataclass(frozen=True, slots=True)
class Held:
    """One step of one path, held against one rule."""

    policy: Policy
    calendar: Calendar
    path: Path
    place: int
    contents: Contents

    @property
    def step(self) -> Step:
        """The step in question."""
        return self.path.steps[self.place]

    def before(self, act: str, *, together: bool = False) -> list[tuple[int, Act]]:
        """Where on the path an act comes before the step (or with it), and as which act."""
        end = self.place + 1 if together else self.place
        return [(at, one) for at in range(end) for one in acts_of(self.path.steps[at]) if one.name == act]

    def message(self, template: str) -> MessageAction | None:
        """The first message of that template on the path up to the step."""
        actions = (action for step in self.path.steps[: self.place + 1] for action in step.do)
        return next((one for one in actions if isinstance(one, MessageAction) and one.template == template), None)
