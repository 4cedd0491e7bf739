"""What a message about money that is drawn by a mandate says: each bill, the day, and the names that the bank shows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from relight.flow.messages.context import Draw, MessageContext

_ASKS = "collection_failed"
_TEMPLATES = frozenset({"collection_notice", _ASKS})


def about_draw(template: str, params: Mapping[str, Any], context: MessageContext) -> MessageContext:
    """The context with what is drawn. Its bills may not be overdue: where it could not be drawn, they are asked for."""
    if template not in _TEMPLATES:
        return context
    draw = Draw(
        date.fromisoformat(params["day"]),
        tuple((str(bill), int(amount)) for bill, amount in params["bills"]),
        params["mandate"],
        params.get("creditor_id", ""),
        again=bool(params.get("again")),
    )
    owed = sum(amount for _, amount in draw.bills)
    reference = params.get("reference") or context.reference
    return replace(
        context,
        draw=draw,
        amount_due=owed if template == _ASKS else 0,
        reference=reference,
        claims=(),
        fees=0,
        late_interest=0,
        interest=None,
    )
