"""From the pay page to the provider's: one open checkout a customer, whatever tab, link or way it was started from."""

from datetime import datetime

import structlog
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from relight.flow.payments import operations, queries
from relight.flow.payments.checkouts import give_up
from relight.flow.payments.clearing import clear_the_way
from relight.flow.payments.errors import NoSuchProvider, NothingToPay, PaymentOnItsWay
from relight.flow.payments.links import make
from relight.flow.payments.port import Order, ProviderUnavailable
from relight.flow.payments.queries import PayFacts
from relight.flow.payments.ways import way_named
from relight.web.database import database
from relight.web.paypages.contexts import Hitch
from relight.web.paypages.shell import link_key, pay_page, private, reference_of, shell_of, unknown_link
from relight.web.paypages.views import SeeOther, see_other, try_again

_log = structlog.get_logger(__name__)


@pay_page
@require_POST
def pay(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """Start a checkout and send the customer to the provider's own page.

    Clicked twice, it is the same checkout; with one open elsewhere (another tab, link or way), that one is ended first.
    """
    now, (found,) = database().ask(partner_id, queries.page(link_id))
    facts = PayFacts(**found[0]) if found else None
    if facts is None or not facts.is_usable(now):
        return unknown_link(request, facts)
    try:
        taken = way_named(facts.ways_to_pay(), request.POST.get("way", "")).provider
        started = _started(partner_id, facts, taken.name, now)
    except (NothingToPay, NoSuchProvider):
        return see_other(request, "page", token)
    except PaymentOnItsWay as on_its_way:
        return try_again(request, token, facts, Hitch.ON_ITS_WAY, status=409, go_on_url=on_its_way.go_on_url)
    if started.redirect_url:
        return private(SeeOther(started.redirect_url))
    try:
        checkout = taken.create(_order(request, partner_id, facts, started))
    except ProviderUnavailable as error:
        _log.warning("payment_not_started", provider=taken.name, partner=partner_id, error=str(error))
        with database().transaction(partner_id) as tx:
            give_up(tx, started.checkout_id, now)
        return try_again(request, token, facts, Hitch.UNAVAILABLE, status=503)
    with database().transaction(partner_id) as tx:
        operations.attach(
            tx,
            checkout_id=started.checkout_id,
            provider_ref=checkout.provider_ref,
            redirect_url=checkout.redirect_url,
            handle=checkout.handle,
            now=now,
        )
    return private(SeeOther(checkout.redirect_url))


def _started(partner_id: int, facts: PayFacts, way: str, now: datetime) -> operations.Started:
    """The customer's one open checkout, by this way; raises `NothingToPay` or `PaymentOnItsWay`."""
    beside = clear_the_way(
        database(),
        partner_id,
        facts.providers,
        link_id=facts.link_id,
        wanted=way,
        amount=facts.amount,
        currency=facts.currency,
        now=now,
    )
    with database().transaction(partner_id) as tx:
        return operations.start_checkout(
            tx,
            link_id=facts.link_id,
            provider=way,
            amount=facts.amount,
            currency=facts.currency,
            now=now,
            beside=beside,
        )


def _order(request: HttpRequest, partner_id: int, facts: PayFacts, started: operations.Started) -> Order:
    """What the provider is asked for; back it leads to the link that the checkout was started from."""
    token = make(partner_id, started.link_id, link_key())
    reference = reference_of(facts)
    return Order(
        key=started.key,
        amount=started.amount,
        currency=started.currency,
        description=f"{facts.creditor} {reference}",
        reference=reference,
        return_url=request.build_absolute_uri(reverse("paypages:status", args=[token])),
        language=shell_of(request, facts).language,
    )
