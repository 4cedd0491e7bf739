"""The test provider's card page. Clearly a test; what follows a click goes the way that outside providers go: a signed
webhook over HTTP, from a thread of its own, while the customer is sent back to the status page."""

import threading
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from relight.flow.payments import queries
from relight.flow.payments.errors import NoSuchProvider
from relight.flow.payments.providers import HostedByUs, HostedPayment, provider
from relight.flow.payments.queries import PayFacts
from relight.web.database import database
from relight.web.paypages.contexts import TestPayPage
from relight.web.paypages.shell import answer, pay_page, private, shell_of, unknown_link, with_language
from relight.web.paypages.views import SeeOther

PROVIDER = "testpay"
_CHOICES = {"paid": "pay", "failed": "decline", "cancelled": "cancel"}


@pay_page
@require_http_methods(["GET", "POST"])
def testpay(request: HttpRequest, token: str, partner_id: int, link_id: int, ref: str) -> HttpResponse:
    """The card page of one test payment, and the answer to it."""
    _, (found,) = database().ask(partner_id, queries.page(link_id))
    if not found:
        return unknown_link(request)
    facts = PayFacts(**found[0])
    try:
        taken = provider(facts.providers, PROVIDER)
        assert isinstance(taken, HostedByUs)
        payment = taken.payment(ref)
    except (NoSuchProvider, LookupError):
        return unknown_link(request)
    if request.method == "GET":
        return answer("testpay", _page(request, token, facts, payment, ref))
    choice = _CHOICES.get(request.POST.get("outcome", ""))
    if choice is None:
        return HttpResponseBadRequest()
    payment = taken.finish(ref, choice)
    _tell(taken, payment, taken.webhook_url or _own_webhook(request, facts))
    cancelled = f"?{urlencode({'cancelled': '1'})}" if payment.state == "cancelled" else ""
    return private(SeeOther(payment.return_url + cancelled))


def _tell(taken: HostedByUs, payment: HostedPayment, url: str) -> None:
    # In a thread: a server with a single worker could not answer its own webhook while it waits for the answer.
    threading.Thread(target=taken.deliver, args=(payment, url), name="testpay webhook").start()


def _own_webhook(request: HttpRequest, facts: PayFacts) -> str:
    return request.build_absolute_uri(reverse("webhooks:provider", args=[facts.slug, PROVIDER]))


def _page(request: HttpRequest, token: str, facts: PayFacts, payment: HostedPayment, ref: str) -> TestPayPage:
    return TestPayPage(
        shell=shell_of(request, facts),
        creditor=facts.creditor,
        amount=payment.amount,
        currency=payment.currency,
        reference=payment.reference,
        submit_url=with_language(request, reverse("paypages:testpay", args=[token, ref])),
    )
