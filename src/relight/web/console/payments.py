"""The queue of payments that found no claim: the list with whose each may be, and the page to place one on."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from relight.flow.cases.errors import UnableTo, UnableToApprove
from relight.flow.cases.people import Person
from relight.flow.database import Tx
from relight.flow.payments import bank_refunds, matching
from relight.flow.payments.matching import Act, Work
from relight.flow.payments.queue import PAGE, Counts, Waiting, Whole, bills, counts, payment, queue, suggestions
from relight.flow.payments.suggesting import Suggestion
from relight.web.console.access import allowed, signed_in
from relight.web.console.context import voice_of
from relight.web.console.forms import note_of
from relight.web.console.payment_forms import PartsForm, RefundForm, chosen_part
from relight.web.console.respond import go_to, live
from relight.web.console.visit import Seated
from relight.web.console.voice import Voice
from relight.web.database import database

_SHOWS = ("", "names_unknown", "paid_again", "parked", "all")
_REMEMBERED = "console_payments"
_PAGE_MAX = 1000
_TEXT_MAX = 80
_INVALID, _CONFLICT = 422, 409


@dataclass(frozen=True, slots=True)
class Choice:
    """A chip above the list."""

    name: str
    count: int
    query: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Guess:
    """A suggestion in words. `value` is what choosing it sends: the account, and the bills that are meant."""

    account_id: int
    ref: str
    name: str
    owed: int
    reasons: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """A payment of the list, with the likeliest suggestion."""

    at: Waiting
    guess: Guess | None


@signed_in
def payments(request: Seated) -> HttpResponse:
    """What waits, the oldest first. A bare address goes on to the filter used last; `?q=` starts afresh."""
    key = f"{_REMEMBERED}_{request.desk.at.partner_id}"
    if not request.GET and request.session.get(key):
        return go_to(request, f"{reverse('console:payments')}?{request.session[key]}")
    show, q, page = _filters(request)
    if request.session.get(key, "") != (kept := _query(show, q) if show or q else ""):
        request.session[key] = kept
    with database().transaction(request.desk.at.partner_id) as tx:
        found, waiting = queue(tx, show=show or "", q=q, page=page), counts(tx)
        whose, refunds = suggestions(tx, found), bank_refunds.open_refunds(tx)
    voice = voice_of(request)
    rows = [Row(one, _first(whose[one.id], voice)) for one in found]
    context = {
        "rows": rows,
        "refunds": refunds,
        "q": q,
        "show": show,
        "choices": _choices(voice, waiting, show, q),
        "previous": _query(show, q, page - 1) if page > 1 else "",
        "next": _query(show, q, page + 1) if len(found) == PAGE else "",
    }
    return live(
        request, "console/payments.html", "console/_payment_queue.html", (rows, refunds, waiting, show, q), context
    )


@signed_in
def one_payment(request: Seated, payment_id: int) -> HttpResponse:
    """One payment: what it says, whose it may be, where it lies, and what was done with it."""
    return _page(request, payment_id)


@require_POST
@allowed("money")
def assign(request: Seated, payment_id: int) -> HttpResponse:
    """Place it on the account that was suggested (`guess`), or on those that were typed."""
    voice = voice_of(request)
    with database().transaction(request.desk.at.partner_id) as tx:
        whole = payment(tx, payment_id)
        form = PartsForm.of(tx, request.POST, whole.payment)
        guessed = chosen_part(request.POST.get("guess", ""), whole.payment)
    if not guessed and form.wrong:
        return _page(request, payment_id, parts=form, status=_INVALID)

    def work(tx: Tx, act: Act) -> None:
        parts = [guessed] if guessed else form.parts
        if request.POST.get("from", "").isdigit():
            matching.move(tx, act, from_account=int(request.POST["from"]), parts=parts)
        else:
            matching.assign(tx, act, parts)

    return _do(request, payment_id, work, voice.say("queue.done_assigned"))


@require_POST
@allowed("money")
def take_away(request: Seated, payment_id: int) -> HttpResponse:
    """Take it off an account, back into the queue."""
    account = request.POST.get("account", "")

    def work(tx: Tx, act: Act) -> None:
        matching.take_away(tx, act, int(account) if account.isdigit() else None)

    return _do(request, payment_id, work, voice_of(request).say("queue.done_taken"))


@require_POST
@allowed("money")
def park(request: Seated, payment_id: int) -> HttpResponse:
    """Set it aside with a note."""
    if not note_of(request.POST):
        return _page(request, payment_id, wrong_note=voice_of(request).say("queue.wrong_note"), status=_INVALID)
    return _do(request, payment_id, matching.park, voice_of(request).say("queue.done_parked"))


@require_POST
@allowed("money")
def keep(request: Seated, payment_id: int) -> HttpResponse:
    """Leave what is left of it to the next bill."""
    return _do(request, payment_id, matching.keep, voice_of(request).say("queue.done_kept"))


@require_POST
@allowed("money")
def ask_refund(request: Seated, payment_id: int) -> HttpResponse:
    """Ask a colleague to send money back."""
    with database().transaction(request.desk.at.partner_id) as tx:
        form = RefundForm.of(request.POST, payment(tx, payment_id))
    if form.wrong:
        return _page(request, payment_id, refund=form, status=_INVALID)

    def work(tx: Tx, act: Act) -> None:
        bank_refunds.ask(tx, act, form.wanted)

    return _do(request, payment_id, work, voice_of(request).say("queue.done_asked"))


@require_POST
@allowed("approve")
def answer_refund(request: Seated, refund_id: int) -> HttpResponse:
    """Another person's yes or no to a refund."""
    desk, voice = request.desk, voice_of(request)
    granted = request.POST.get("answer") == "yes"
    person = Person(desk.actor, desk.at.role)
    try:
        with database().transaction(desk.at.partner_id) as tx:
            bank_refunds.decide(tx, refund_id, granted=granted, by=person, now=desk.now, note=note_of(request.POST))
    except UnableToApprove:
        messages.error(request, voice.say("queue.not_yours_to_grant"))
    except UnableTo:
        messages.error(request, voice.say("queue.refused"))
    else:
        messages.success(request, voice.say("queue.done_granted" if granted else "queue.done_refused"))
    return HttpResponseRedirect(reverse("console:payments"))


def _do(request: Seated, payment_id: int, work: Work, said: str) -> HttpResponse:
    """Do it in one transaction, and show the payment as it then stands; or say that somebody was faster."""
    desk = request.desk
    act = Act(payment_id, Person(desk.actor, desk.at.role), desk.now, note_of(request.POST))
    try:
        with database().transaction(desk.at.partner_id) as tx:
            work(tx, act)
    except UnableTo:
        return _page(request, payment_id, conflict=voice_of(request).say("queue.refused"), status=_CONFLICT)
    messages.success(request, said)
    return HttpResponseRedirect(reverse("console:payment", args=[payment_id]))


def _page(
    request: Seated,
    payment_id: int,
    *,
    parts: PartsForm | None = None,
    refund: RefundForm | None = None,
    wrong_note: str = "",
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    voice = voice_of(request)
    with database().transaction(request.desk.at.partner_id) as tx:
        whole = payment(tx, payment_id)
        waiting = queue(tx, show="all", payment_id=payment_id)
        guesses = suggestions(tx, waiting, thorough=True).get(payment_id, [])
        owed = {place.account_id: bills(tx, place.account_id) for place in whole.places[:1]}
    context = {
        "whole": whole,
        "paid": whole.payment,
        "guesses": [_guess(one, voice) for one in guesses],
        "can_place": whole.payment.rest > 0 or bool(whole.places),
        "bills": owed,
        "acts": [(one, _told(one.code, whole, one.amount, one.account or "", voice)) for one in whole.acts],
        "parts": parts or PartsForm.empty(),
        "refund": refund or RefundForm.suggested(whole),
        "wrong_note": wrong_note,
        "conflict": conflict,
        "typed": request.POST,
    }
    return render(request, "console/payment.html", context, status=status)


def _first(found: list[Suggestion], voice: Voice) -> Guess | None:
    return _guess(found[0], voice) if found else None


def _guess(one: Suggestion, voice: Voice) -> Guess:
    reasons = tuple(voice.say(f"ground.{ground.code}", told=ground.told) for ground in one.grounds)
    value = ":".join(map(str, (one.account_id, *one.claim_ids)))
    return Guess(one.account_id, one.ref, one.name or one.ref, one.owed, reasons, value)


def _told(code: str, whole: Whole, amount: int, account: str, voice: Voice) -> str:
    return voice.say(f"payment_act.{code}", amount=voice.money(amount, whole.payment.currency), account=account)


def _choices(voice: Voice, waiting: Counts, show: str, q: str) -> list[Choice]:
    told = {
        "": ("queue.open", waiting.unmatched + waiting.names_unknown + waiting.paid_again),
        "names_unknown": ("queue.names_unknown", waiting.names_unknown),
        "paid_again": ("queue.paid_again", waiting.paid_again),
        "parked": ("queue.parked", waiting.parked),
        "all": ("queue.all", sum(waiting)),
    }
    return [Choice(voice.say(key), count, _query(one, q), one == show) for one, (key, count) in told.items()]


def _filters(request: Seated) -> tuple[str, str, int]:
    show, page = request.GET.get("show", ""), request.GET.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    q = request.GET.get("q", "").replace("\x00", "").strip()[:_TEXT_MAX]
    return show if show in _SHOWS else "", q, min(max(number, 1), _PAGE_MAX)


def _query(show: str, q: str, page: int = 1) -> str:
    """Never empty: a bare address means "as I left it"."""
    given = {"show": show, "page": page if page > 1 else ""}
    return urlencode({**{name: value for name, value in given.items() if value}, "q": q})
