"""What can be said of one row under one rule: it was unlawful, and why; or that this log cannot tell."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Unlawful:
    """Against the rule. `why` is for a credit manager; `lawful_from`: the first day on which it would have been lawful,
    None where no day alone would have made it so. `missing`: the log lacks something, rather than shows it wrong."""

    why: str
    lawful_from: date | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Untold:
    """The log cannot tell. `what` is what would have to be known."""

    what: str


Verdict = Unlawful | Untold
