"""Signing in and out, changing one's password, and choosing partner and language."""

from django.contrib import messages
from django.contrib.auth import authenticate, get_user_model, login, logout, update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from relight.web.console import lockout, words
from relight.web.console.access import signed_in
from relight.web.console.context import voice_of
from relight.web.console.middleware import choose_partner
from relight.web.console.respond import within
from relight.web.console.visit import Seated, Visit

_LOGIN_MAX = 254
_TOO_MANY = 429


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: Visit) -> HttpResponse:
    """The sign-in page; where it succeeds, on to the page that was asked for."""
    if request.desk is not None:
        return HttpResponseRedirect(_next(request))
    if request.method != "POST":
        return render(request, "console/sign_in.html", {"next": _next(request)})
    typed = request.POST.get("login", "").strip()[:_LOGIN_MAX].replace("\x00", "")
    name = _user_name(typed)
    rests = lockout.rests_until(name, request.moment)
    if rests is not None:
        at = voice_of(request).clock(rests)
        return _again(request, typed, voice_of(request).say("sign_in.resting", at=at), _TOO_MANY)
    user = authenticate(request, username=name, password=request.POST.get("password", ""))
    if user is None:
        lockout.note_failure(name, request.META.get("REMOTE_ADDR", ""), request.moment)
        return _again(request, typed, voice_of(request).say("sign_in.wrong"), 422)
    lockout.forget(name)
    login(request, user)
    return HttpResponseRedirect(_next(request))


@require_POST
def sign_out(request: Visit) -> HttpResponse:
    """End the session, and say so to whoever had one: a stranger's messages would end up in a session."""
    said, had_one = voice_of(request).say("sign_in.signed_out"), request.desk is not None
    logout(request)
    if had_one:
        messages.success(request, said)
    return HttpResponseRedirect(reverse("console:login"))


@signed_in
@sensitive_post_parameters()
def password(request: Seated) -> HttpResponse:
    """Change one's own password; other sessions of the user end, this one stays."""
    if request.method != "POST":
        return render(request, "console/password.html")
    wrong = _wrong_with(request)
    if wrong:
        return render(request, "console/password.html", {"wrong": wrong}, status=422)
    request.user.set_password(request.POST["new"])
    request.user.save(update_fields=["password"])
    update_session_auth_hash(request, request.user)
    messages.success(request, voice_of(request).say("password.done"))
    return HttpResponseRedirect(reverse("console:overview"))


@require_POST
@signed_in
def switch_partner(request: Seated) -> HttpResponse:
    """Work at another of one's partners from now on; any other number changes nothing. Goes on as the form says."""
    wanted = request.POST.get("partner", "")
    if any(str(place.partner_id) == wanted for place in request.desk.others):
        choose_partner(request, int(wanted))
    return HttpResponseRedirect(_next(request))


@require_POST
def language(request: Visit) -> HttpResponse:
    """Read the console in another language, from now on in this browser."""
    wanted, response = request.POST.get("language", ""), HttpResponseRedirect(_next(request))
    if wanted in words.LANGUAGES:
        words.keep_choice(response, wanted)
    return response


def _user_name(typed: str) -> str:
    """The user name that is meant: an e-mail address stands for its only user."""
    users = get_user_model().objects
    if "@" in typed:
        found = list(users.filter(email__iexact=typed, is_active=True).values_list("username", flat=True)[:2])
        if len(found) == 1:
            return found[0]
    return typed


def _again(request: Visit, typed: str, wrong: str, status: int) -> HttpResponse:
    context = {"next": _next(request), "login": typed, "wrong": wrong}
    return render(request, "console/sign_in.html", context, status=status)


def _wrong_with(request: Seated) -> dict[str, str]:
    """What is wrong with a change of password, by field."""
    voice = voice_of(request)
    if not request.user.check_password(request.POST.get("old", "")):
        return {"old": voice.say("password.wrong_old")}
    new = request.POST.get("new", "")
    if new != request.POST.get("again", ""):
        return {"again": voice.say("password.differs")}
    try:
        validate_password(new, request.user)
    except ValidationError:
        return {"new": voice.say("password.too_weak")}
    return {}


def _next(request: Visit | Seated) -> str:
    """Where to go on to: a page of the console, whatever was asked for."""
    return within(request, request.POST.get("next") or request.GET.get("next") or "")
