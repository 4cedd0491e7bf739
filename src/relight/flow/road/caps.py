"""The cap of a version: no share and no move takes it over so many running cases, and the figures say why not."""

from relight.core.policy import Policy
from relight.flow.cases.errors import UnableTo
from relight.flow.cases.policies import followed
from relight.flow.database import Tx


class UnableToExceed(UnableTo):
    """More cases would run under a version than its cap allows; nothing was changed. `coming` is how many."""

    def __init__(self, text: str, *, coming: int, cap: int):
        self.coming, self.cap = coming, cap
        super().__init__(text)


def refuse_over_cap(tx: Tx, policy: Policy, *, share: int, cap: int | None, running: int = 0) -> None:
    """Raise `UnableToExceed` when `share` of a hundred of today's customers in arrears are more than the cap.

    `running` is how many cases the version has already. That is what the share comes to in time: the cases that run
    today end, and their successors are new.
    """
    if cap is None:
        return
    today = followed(tx, policy)
    coming = max(-(-today * share // 100), running)
    if coming <= cap:
        return
    fits = cap * 100 // today if today else 0
    smaller = f" a share of at most {fits}, or" if running <= cap and fits else ""
    told = f"{running:,} cases run under {policy.name} already"
    if coming > running:
        told = f"{share} of 100 of the {today:,} customers that {policy.name} is for come to {coming:,} cases"
    text = f"{told}, and the cap is {cap:,}. Give it{smaller} a cap of {coming:,}."
    raise UnableToExceed(text, coming=coming, cap=cap)
