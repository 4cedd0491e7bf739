"""What a customer can tell us from the pay page without signing in: "this is not me", and "please call me"."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from relight.flow.payments import operations, queries
from relight.web.database import database
from relight.web.paypages.contexts import SimplePage
from relight.web.paypages.shell import answer, pay_page, shell_of, unknown_link


@pay_page
@require_POST
def not_me(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """The message reached somebody else: stop writing there, and pause. Said twice, nothing more happens."""
    with database().transaction(partner_id) as tx:
        found = queries.facts(tx, link_id)
        if found is None or not found[0].is_usable(found[1]):
            return unknown_link(request, found[0] if found else None)
        facts, now = found
        operations.not_me(tx, case_id=facts.case_id, account_id=facts.account_id, now=now)
    return answer("not_me_done", SimplePage(shell=shell_of(request, facts)))


@pay_page
@require_POST
def more_time(request: HttpRequest, token: str, partner_id: int, link_id: int) -> HttpResponse:
    """The customer cannot pay now: somebody calls."""
    with database().transaction(partner_id) as tx:
        found = queries.facts(tx, link_id)
        if found is None or not found[0].is_usable(found[1]):
            return unknown_link(request, found[0] if found else None)
        facts, now = found
        operations.ask_for_time(tx, case_id=facts.case_id, account_id=facts.account_id, now=now)
    return answer("more_time_done", SimplePage(shell=shell_of(request, facts)))
