"""What people at home do: press a meter's button, answer an SMS. Both reach Relight the way that they would outside.

These forms carry no CSRF token, as those of the pay page (docs/payments.md); what comes from another site is refused.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from relight.drivers.inbox import leave_answer
from relight.drivers.simulated_devices import press_button
from relight.flow.messages.port import Channel
from relight.web.demo.lights import devices
from relight.web.demo.mailbox import Answer, keep_answer
from relight.web.demo.story import folder, story

TEXT_MAX = 300

View = Callable[..., HttpResponse]


def _at_home(view: View) -> View:
    @csrf_exempt
    @require_POST
    @wraps(view)
    def guarded(request: HttpRequest, **rest: Any) -> HttpResponse:
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return HttpResponseForbidden()
        return view(request, **rest)

    return guarded


@_at_home
def press(request: HttpRequest, key: str) -> HttpResponse:
    """Press the button of a meter. The meter alone knows; Relight finds out when it reads it."""
    who = story().by_key.get(key)
    if who is None:
        raise Http404
    press_button(devices(), key, datetime.now(UTC))  # a meter has a clock of its own
    return redirect("demo:household", ref=who.ref)


@_at_home
def answer(request: HttpRequest, ref: str) -> HttpResponse:
    """Answer by SMS; the worker's ear hears it."""
    who = story().by_ref.get(ref)
    text = request.POST.get("text", "").strip()[:TEXT_MAX]
    if who is None or not who.mobile:
        raise Http404
    if text:
        keep_answer(who, Answer(text, datetime.now(UTC)))
        leave_answer(folder() / "messages", Channel.SMS, sender=who.mobile, text=text, recipient="Nordlys")
    return redirect("demo:household", ref=who.ref)
