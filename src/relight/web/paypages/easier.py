"""When all at once is too much: the customer splits the sum, names a day, or asks for a call; every date and amount is
seen before a yes. The token is enough, as for the other things that a customer tells us here."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from relight.flow.cases import plans, promises
from relight.flow.cases.errors import UnableToAgree
from relight.flow.database import Tx
from relight.flow.payments import queries
from relight.flow.payments.queries import PayFacts
from relight.web.database import database
from relight.web.paypages.contexts import EasierPage, PlanPart
from relight.web.paypages.shell import answer, pay_page, private, shell_of, unknown_link
from relight.web.paypages.views import SeeOther, address

_CUSTOMER = "customer"
_Said = Callable[[HttpRequest, Tx, PayFacts, datetime], None]


@pay_page
@require_GET
def easier(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """What can be done, with the days and sums of the months that were chosen (`months`)."""
    return _show(request, token, partner_id, link_id)


@pay_page
@require_POST
def agree(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """Yes to a plan of so many months. Pressed twice, it is the same plan."""
    return _say(request, token, partner_id, link_id, _agree)


@pay_page
@require_POST
def promise(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """All will be paid by a day."""
    return _say(request, token, partner_id, link_id, _promise)


def _say(request: HttpRequest, token: str, partner_id: int, link_id: int, said: _Said) -> HttpResponse:
    """Record what the customer said, and show what was agreed; where it cannot be, what can."""
    try:
        with database().transaction(partner_id) as tx:
            found = queries.facts(tx, link_id)
            if found is None or not found[0].is_usable(found[1]):
                return unknown_link(request, found[0] if found else None)
            said(request, tx, *found)
    except (UnableToAgree, ValueError):
        wrong = {"gone": said is _agree, "wrong_day": said is _promise}
        return _show(request, token, partner_id, link_id, status=422, **wrong)
    return private(SeeOther(address(request, "easier", token)))


def _agree(request: HttpRequest, tx: Tx, facts: PayFacts, now: datetime) -> None:
    if not facts.in_plan:
        months = int(request.POST.get("months", ""))
        plans.agree(tx, case_id=facts.case_id, months=months, actor=_CUSTOMER, now=now, source="page")


def _promise(request: HttpRequest, tx: Tx, facts: PayFacts, now: datetime) -> None:
    until = date.fromisoformat(request.POST.get("day", ""))
    promises.promise(tx, case_id=facts.case_id, until=until, actor=_CUSTOMER, now=now, source="page")


def _show(
    request: HttpRequest, token: str, partner_id: int, link_id: int, *, status: int = 200, **wrong: bool
) -> HttpResponse:
    with database().transaction(partner_id) as tx:
        found = queries.facts(tx, link_id)
        if found is None or not found[0].is_usable(found[1]):
            return unknown_link(request, found[0] if found else None)
        facts, now = found
        told: dict[str, Any] = {
            "shell": shell_of(request, facts),
            "currency": facts.currency,
            "amount": facts.owed,
            "pay_page_url": address(request, "page", token),
            "more_time_url": address(request, "more_time", token),
            **wrong,
            **_ways_out(request, tx, token, facts, now),
        }
    return answer("easier", EasierPage(**told), status=status)


def _ways_out(request: HttpRequest, tx: Tx, token: str, facts: PayFacts, now: datetime) -> dict[str, Any]:
    """The plan that there is, or what there is to choose from."""
    found = plans.current(tx, facts.case_id, now)
    if found is not None and found.is_live:
        parts = tuple(PlanPart(one.part.due_date, one.part.amount, one.amount) for one in found.left)
        return {"state": found.state, "parts": parts, "amount": found.owed}
    try:
        at = plans.desk(tx, facts.case_id, now)
    except UnableToAgree:
        return {}
    may = promises.room(tx, at, now)
    told: dict[str, Any] = {"promised": may.promised}
    if not may.why_not:
        told |= {"earliest": may.earliest, "latest": may.latest, "promise_url": address(request, "promise", token)}
    if found is not None and found.state == "offered":
        told |= _options(request, token, at, found)
    return told


def _options(request: HttpRequest, token: str, at: plans.Desk, offer: plans.Plan) -> dict[str, Any]:
    """The months on offer, and the parts of those that were chosen: the most of them, unless said."""
    terms = at.policy.plan(offer.name)
    shortest, longest = at.months(offer.name, (offer.months_min, offer.months_max))
    options = {months: at.parts(terms, months) for months in range(shortest, longest + 1)}
    asked = request.POST.get("months") or request.GET.get("months", "")
    months = int(asked) if asked.isascii() and asked.isdigit() and int(asked) in options else longest
    return {
        "amount": at.owed,
        "options": tuple((count, parts[0].amount) for count, parts in options.items()),
        "months": months,
        "parts": tuple(PlanPart(one.due_date, one.amount, one.amount) for one in options[months]),
        "chosen_url": address(request, "easier", token),
        "agree_url": address(request, "agree", token),
    }
