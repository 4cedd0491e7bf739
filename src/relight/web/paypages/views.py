"""The pay page: the sum and the ways to pay, the way to the provider, and back to watch the light return."""

import logging
from datetime import date
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from relight.flow.payments import queries
from relight.flow.payments.queries import PayFacts, Progress
from relight.web.database import database
from relight.web.paypages import live
from relight.web.paypages.contexts import (
    Hitch,
    PayPage,
    PlanPart,
    ReceiptPage,
    ServiceState,
    Shell,
    SimplePage,
    StatusPage,
    TryAgainPage,
    Way,
)
from relight.web.paypages.render import status_json
from relight.web.paypages.shell import (
    answer,
    answer_json,
    form_targets_of,
    pay_page,
    private,
    reference_of,
    shell_of,
    unknown_link,
    with_language,
)

_log = logging.getLogger(__name__)


class SeeOther(HttpResponseRedirect):
    """303: the answer to a form lies elsewhere, to be fetched with GET (RFC 9110, 15.4.4)."""

    status_code = 303


@pay_page
@require_GET
def page(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """What is owed and how to pay it: one round trip to the database, nothing personal."""
    now, (found, _) = database().ask(partner_id, queries.page(link_id), queries.opened(link_id))
    facts = PayFacts(**found[0]) if found else None
    if facts is None or not facts.is_usable(now):
        return unknown_link(request, facts)
    shell = shell_of(request, facts)
    if facts.amount <= 0:
        return answer("nothing_due", SimplePage(shell=shell))
    return answer("pay", _pay_page(request, token, facts, shell), form_targets=form_targets_of(facts))


@pay_page
@require_GET
def status(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """Where the payment is on its way to light; without script the page fetches itself anew."""
    facts, progress = _follow(partner_id, link_id)
    if facts is None or progress is None:
        return unknown_link(request)
    if progress.checkout_state is None:
        return see_other(request, "page", token)
    if live.has_failed(progress):
        return try_again(request, token, facts, Hitch.FAILED)
    if "cancelled" in request.GET and not live.money_came(progress):
        return try_again(request, token, facts, Hitch.CANCELLED)
    if _something_remains(facts, progress):
        return see_other(request, "receipt", token)
    return answer("status", _status_page(request, token, facts, progress))


@pay_page
@require_GET
def status_as_json(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """What the open page asks each second for a minute."""
    facts, progress = _follow(partner_id, link_id)
    if facts is None or progress is None:
        return unknown_link(request)
    if live.has_failed(progress) or _something_remains(facts, progress):
        return answer_json({"stage": "elsewhere", "seconds": None, "final": True})
    return answer_json(status_json(_status_page(request, token, facts, progress)))


@pay_page
@require_GET
def receipt(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """What was paid, when and how, and what is left."""
    facts, progress = _follow(partner_id, link_id)
    if facts is None or progress is None:
        return unknown_link(request)
    if not live.money_came(progress) or progress.confirmed_at is None or progress.paid is None:
        return see_other(request, "page", token)
    shell = shell_of(request, facts)
    return answer(
        "receipt",
        ReceiptPage(
            shell=shell,
            creditor=facts.creditor,
            amount_paid=progress.paid,
            currency=progress.currency or facts.currency,
            paid_at=progress.confirmed_at.astimezone(ZoneInfo(facts.time_zone)),
            reference=reference_of(facts),
            way=_label_of(facts, progress.provider, shell.language),
            remaining=facts.owed,
            status_url="" if _something_remains(facts, progress) else address(request, "status", token),
            pay_page_url=address(request, "page", token),
        ),
    )


def _follow(partner_id: int, link_id: int) -> tuple[PayFacts | None, Progress | None]:
    """Facts and progress, in one round trip. Not ended by the link's expiry: who has paid may watch."""
    _, (found, going) = database().ask(partner_id, queries.page(link_id), queries.progress(link_id))
    if not found or not going:
        return None, None
    return PayFacts(**found[0]), queries.progress_of(going[0])


def _something_remains(facts: PayFacts, progress: Progress) -> bool:
    """Paid, and still overdue: the page must not promise a light that does not come."""
    return (
        live.money_came(progress)
        and facts.overdue > 0
        and not facts.in_plan
        and any(service.blocked for service in progress.services)
    )


def _pay_page(request: HttpRequest, token: str, facts: PayFacts, shell: Shell) -> PayPage:
    return PayPage(
        shell=shell,
        creditor=facts.creditor,
        amount=facts.amount,
        currency=facts.currency,
        reference=reference_of(facts),
        account=facts.bank_account,
        ways=tuple(Way(way.name, way.label(shell.language)) for way in facts.ways_to_pay()),
        pay_url=address(request, "pay", token),
        not_me_url=address(request, "not_me", token),
        details_url=address(request, "details", token),
        more_time_url=address(request, "more_time", token),
        easier_url=address(request, "easier", token),
        offers_plan=facts.plan_state == "offered" and facts.overdue > 0,
        part=_part(facts),
        collected=_collected(facts),
        pay_by=None if facts.overdue else facts.due_date,
        state=_state(facts),
    )


def _part(facts: PayFacts) -> PlanPart | None:
    coming = facts.coming
    return PlanPart(coming.part.due_date, coming.part.amount, coming.amount) if coming else None


def _collected(facts: PayFacts) -> tuple[date, int] | None:
    day, amount = facts.collect_date, facts.collect_amount
    return (day, amount) if day is not None and amount is not None else None


def _state(facts: PayFacts) -> ServiceState:
    levels = set(facts.levels or ())
    if "off" in levels:
        return ServiceState.OFF
    return ServiceState.LIMITED if levels & {"limited", "walled_garden"} else ServiceState.ON


def _status_page(request: HttpRequest, token: str, facts: PayFacts, progress: Progress) -> StatusPage:
    return StatusPage(
        shell=shell_of(request, facts),
        stage=live.stage_of(progress),
        json_url=address(request, "status_json", token),
        self_url=address(request, "status", token),
        receipt_url=address(request, "receipt", token),
        seconds=live.seconds_to_light(progress),
    )


def try_again(
    request: HttpRequest, token: str, facts: PayFacts, why: Hitch, status: int = 200, go_on_url: str = ""
) -> HttpResponse:
    """The page that says why nothing was started, and how to go on."""
    page = TryAgainPage(
        shell=shell_of(request, facts),
        why=why,
        pay_page_url=address(request, "page", token),
        go_on_url=go_on_url,
    )
    return answer("try_again", page, status=status)


def _label_of(facts: PayFacts, name: str | None, language: str) -> str:
    """The button that was pressed; nothing where the partner has that way no more."""
    return next((way.label(language) for way in facts.ways_to_pay() if way.name == name), "")


def address(request: HttpRequest, name: str, token: str) -> str:
    """A page of the same link, in the language that was picked."""
    return with_language(request, reverse(f"paypages:{name}", args=[token]))


def see_other(request: HttpRequest, name: str, token: str) -> HttpResponse:
    """Go to another page of the same link."""
    return private(SeeOther(address(request, name, token)))
