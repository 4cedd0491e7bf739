"""Behind the second check: name, invoices and history, for whoever knows what the holder of a phone may not.

Where the postcode is known, it is asked for: whoever holds the phone that got the link knows its number already.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from relight.flow.cases.operations import lock_accounts
from relight.flow.claims.interest import reckoned
from relight.flow.messages.context import ClaimItem
from relight.flow.payments import operations, queries
from relight.flow.payments.queries import Check, PayFacts
from relight.web.database import Row, database
from relight.web.paypages.contexts import (
    DetailsPage,
    Happened,
    HistoryItem,
    InterestSlice,
    Next,
    NextStep,
    Question,
    VerifyPage,
)
from relight.web.paypages.shell import answer, pay_page, private, shell_of, unknown_link, with_language
from relight.web.paypages.views import SeeOther

COOKIE = "relight_second_check"
COOKIE_SECONDS = 30 * 60
_PHONE_DIGITS = 4

_HAPPENED = {
    "friendly_reminder": Happened.REMINDER_SENT,
    "reminder": Happened.REMINDER_SENT,
    "disconnect_notice": Happened.NOTICE_SENT,
    "service_limited": Happened.LIMITED,
    "disconnected": Happened.DISCONNECTED,
    "restored": Happened.RESTORED,
    "payment_received": Happened.PAYMENT_RECEIVED,
    "plan_agreed": Happened.PLAN_AGREED,
    "hold_began": Happened.HOLD_BEGAN,
}
# The usual names of steps; a policy's own name says nothing to a customer, and is left out.
_NEXT = {
    "friendly": Next.REMIND,
    "reminder": Next.REMIND,
    "notice": Next.NOTICE,
    "limit": Next.LIMIT,
    "cut": Next.DISCONNECT,
    "agency": Next.HANDOVER,
}


@pay_page
@require_GET
def details(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """The details for who has answered, else the question."""
    if not _has_answered(request, partner_id, link_id):
        return _question(request, token, partner_id, link_id)
    now, (found, who, claims, history) = database().ask(partner_id, queries.page(link_id), *queries.details(link_id))
    facts = PayFacts(**found[0]) if found else None
    if facts is None or not facts.is_usable(now) or not who:
        return unknown_link(request, facts)
    return answer("details", _details_page(request, token, facts, who[0], claims, history, now))


@pay_page
@require_POST
def check(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """An answer to the question. Wrong answers are counted under the account's lock, so that guesses sent at once
    cannot pass the limit together."""
    with database().transaction(partner_id) as tx:
        found = queries.facts(tx, link_id)
        if found is None or not found[0].is_usable(found[1]):
            return unknown_link(request, found[0] if found else None)
        facts, now = found
        lock_accounts(tx, [facts.account_id])
        asked = queries.check(tx, link_id, now)
        assert asked is not None
        right = not asked.is_locked and _is_right(asked, request.POST.get("answer", ""))
        if not right and not asked.is_locked:
            operations.fail_second_check(tx, case_id=facts.case_id, link_id=link_id, now=now)
            asked = queries.check(tx, link_id, now) or asked
    if not right:
        return answer("verify", _verify_page(request, token, facts, asked, wrong=True), status=422)
    response = private(SeeOther(with_language(request, reverse("paypages:details", args=[token]))))
    response.set_cookie(
        COOKIE,
        _signer().sign(f"{partner_id}.{link_id}"),
        max_age=COOKIE_SECONDS,
        path=reverse("paypages:page", args=[token]),
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _question(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    with database().transaction(partner_id) as tx:
        found = queries.facts(tx, link_id)
        if found is None or not found[0].is_usable(found[1]):
            return unknown_link(request, found[0] if found else None)
        facts, now = found
        asked = queries.check(tx, link_id, now)
    assert asked is not None
    return answer("verify", _verify_page(request, token, facts, asked))


def _verify_page(request: HttpRequest, token: str, facts: PayFacts, asked: Check, *, wrong: bool = False) -> VerifyPage:
    nothing_to_ask = not asked.postcodes and not asked.phones
    return VerifyPage(
        shell=shell_of(request, facts),
        question=Question.POSTCODE if asked.postcodes else Question.PHONE_LAST4,
        verify_url=with_language(request, reverse("paypages:check", args=[token])),
        back_url=with_language(request, reverse("paypages:page", args=[token])),
        wrong=wrong,
        locked=asked.is_locked or nothing_to_ask,
    )


def _is_right(asked: Check, said: str) -> bool:
    said = _plain(said)
    known = [_plain(code) for code in asked.postcodes] or [_plain(phone)[-_PHONE_DIGITS:] for phone in asked.phones]
    return any(hmac.compare_digest(said.encode(), right.encode()) for right in known if right)


def _plain(text: str) -> str:
    return "".join(letter for letter in text.upper() if letter.isalnum())


def _has_answered(request: HttpRequest, partner_id: int, link_id: int) -> bool:
    try:
        said = _signer().unsign(request.COOKIES.get(COOKIE, ""), max_age=COOKIE_SECONDS)
    except BadSignature:
        return False
    return said == f"{partner_id}.{link_id}"


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="relight pay page second check")


def _details_page(
    request: HttpRequest,
    token: str,
    facts: PayFacts,
    who: Row,
    claims: Sequence[Row],
    history: Sequence[Row],
    now: datetime,
) -> DetailsPage:
    zone = ZoneInfo(facts.time_zone)
    asked = [claim for claim in claims if not facts.overdue or claim["due_date"] < facts.today(now)]
    return DetailsPage(
        shell=shell_of(request, facts),
        name=who["name"],
        claims=tuple(
            ClaimItem(claim["number"], claim["due_date"], claim["principal"]) for claim in asked if claim["principal"]
        ),
        fees=sum(claim["costs"] for claim in asked),
        interest=sum(claim["interest"] for claim in asked),
        interest_slices=_slices(facts, asked, now) if any(claim["interest"] for claim in asked) else (),
        total=facts.owed,
        currency=facts.currency,
        pay_page_url=with_language(request, reverse("paypages:page", args=[token])),
        service_address=who["address"],
        history=tuple(
            HistoryItem(line["at"].astimezone(zone).date(), _HAPPENED[line["what"]], line["amount"]) for line in history
        ),
        next_steps=_next_steps(who, zone),
    )


def _slices(facts: PayFacts, asked: Sequence[Row], now: datetime) -> tuple[InterestSlice, ...]:
    """How the interest that is asked for comes about, bill by bill."""
    with database().transaction(facts.partner_id) as tx:
        known = reckoned(tx, [facts.account_id])
    named = {claim["id"]: claim["number"] for claim in asked if claim["interest"]}
    return tuple(
        InterestSlice(named[one.claim_id], piece.first, piece.last, piece.percent, piece.principal)
        for one in known
        if one.claim_id in named
        for piece in one.interest.slices
    )


def _next_steps(who: Mapping[str, Any], zone: ZoneInfo) -> tuple[NextStep, ...]:
    what = _NEXT.get(who["next_step"])
    if what is None or who["next_at"] is None or who["case_state"] == "closed":
        return ()
    return (NextStep(what, who["next_at"].astimezone(zone).date()),)
