"""Traces on the road: a case that a traced payment woke is decided under its span, and its effects leave under that.

While traces are off, or nothing that was woken is traced, this costs one look at a variable.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

from relight.flow.database import Tx, statements
from relight.flow.road.record import Decided
from relight.flow.traces import operations as traces
from relight.telemetry.traces import Span, are_on, span

SQL = statements("relight.flow.effects", "release.sql")


class Deciding:
    """The spans of one batch's traced cases."""

    def __init__(self, spans: dict[int, Span]):
        self._spans = spans

    def keep(self, tx: Tx, decided: Sequence[Decided], now: datetime) -> None:
        """Say what was decided, and leave each decision's span for its effects."""
        if not self._spans:
            return
        traced = [(one, self._spans[one.decision.case_id]) for one in decided if one.decision.case_id in self._spans]
        events: list[tuple[int, int, str]] = []
        for one, of in traced:
            decision = one.decision
            of.note(
                events=", ".join(event.code for event in decision.events), policy=one.policy_hash, state=decision.state
            )
            numbers = range(decision.version + 1, decision.version + 1 + len(decision.events))
            events += [(decision.case_id, number, of.traceparent) for number in numbers]
        traces.decided(tx, events, now)


@contextmanager
def deciding(tx: Tx, lane: str, cases: Sequence[int]) -> Iterator[Deciding]:
    """Around deciding and recording a batch: a span for each of its cases that something traced has woken.

    Only the urgent lane is asked: that is where payments wake a case.
    """
    woken = traces.woken(tx, cases) if lane == "urgent" else {}
    with ExitStack() as stack:
        yield Deciding(
            {
                case_id: stack.enter_context(span("decide", parent=parent, case=case_id, partner=tx.partner_id))
                for case_id, parent in sorted(woken.items())
            }
        )


def of_effects(tx: Tx, effects: Sequence[int]) -> dict[int, str]:
    """By effect, the span of the decision that it comes from; empty while traces are off."""
    if not effects or not are_on():
        return {}
    return dict(tx.rows(SQL.traces, {"ids": list(effects)}))
