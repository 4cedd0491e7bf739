"""What a message about a plan says: the part that it asks for, all days and sums, or the part that did not come."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from relight.flow.messages.context import MessageContext

_OF_PART = frozenset({"plan_agreed", "plan_reminder"})
_OF_MISSED = frozenset({"plan_broken", "plan_lapsed"})


def about_plan(template: str, params: Mapping[str, Any], context: MessageContext) -> MessageContext:
    """The context with what its plan adds. Until a plan is over, its next part is asked for and not the whole."""
    if template in _OF_MISSED:
        return replace(context, missed=_part(params))
    if template not in _OF_PART:
        return context
    due, amount = _part(params)
    parts = tuple((date.fromisoformat(day), sum_) for day, sum_ in params.get("parts", ()))
    return replace(
        context,
        amount_due=amount,
        claims=(),
        fees=0,
        late_interest=0,
        interest=None,
        pay_by=due if due >= context.dated else None,
        plan_parts=parts,
    )


def _part(params: Mapping[str, Any]) -> tuple[date, int]:
    part = params["part"]
    return date.fromisoformat(part["due"]), part["amount"]
