"""The demo's pages: its story, any household with phone, post and devices, and the whole street.

Parts that change are fetched anew each second by `live.js`, from addresses of their own; without script the page
fetches itself.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.http import require_GET

from relight.web.demo.lights import Light, lights_of
from relight.web.demo.lights import street as all_lights
from relight.web.demo.mailbox import answers_of, pieces, to_household
from relight.web.demo.story import Household, Story, story

_POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
LISTED_MAX = 200
PEOPLE_MAX = 60
SMS_MAX = 30


@require_GET
def front(request: HttpRequest) -> HttpResponse:
    """The story, and Kari's evening."""
    return _page(request, "front", {"here": "front", **_stage(_story())})


@require_GET
def stage(request: HttpRequest) -> HttpResponse:
    """The front page's inner part while the days run."""
    return _page(request, "_stage", _stage(_story()))


@require_GET
def hero(request: HttpRequest) -> HttpResponse:
    """What Kari is to do, or that she has light."""
    told = _story()
    return _page(request, "_hero", _hero(told, told.by_ref[told.visitor]))


@require_GET
def households(request: HttpRequest) -> HttpResponse:
    """Everybody, or those that match what was typed; first those who have not got everything on."""
    told, wanted = _story(), request.GET.get("q", "").strip()
    by_household: dict[Household, list[Light]] = {}
    for light in all_lights(told):
        if _matches(light.household, wanted):
            by_household.setdefault(light.household, []).append(light)
    found = sorted(by_household.items(), key=lambda row: all(light.is_on for light in row[1]))
    rows = found[:PEOPLE_MAX]
    context = {"here": "households", "story": told, "rows": rows, "wanted": wanted, "more": len(found) - len(rows)}
    return _page(request, "households", context)


@require_GET
def household(request: HttpRequest, ref: str) -> HttpResponse:
    """One household: phone, devices, e-mails and letters."""
    told, who = _household(ref)
    context = {"here": "households", **_phone(told, who), **_home(told, who), **_mail(told, who)}
    return _page(request, "household", context)


@require_GET
def phone(request: HttpRequest, ref: str) -> HttpResponse:
    """The phone's messages."""
    return _page(request, "_messages", _phone(*_household(ref)))


@require_GET
def home(request: HttpRequest, ref: str) -> HttpResponse:
    """The household's devices."""
    return _page(request, "_home", _home(*_household(ref)))


@require_GET
def mail(request: HttpRequest, ref: str) -> HttpResponse:
    """The household's e-mails and letters."""
    return _page(request, "_mail", _mail(*_household(ref)))


@require_GET
def devices(request: HttpRequest) -> HttpResponse:
    """The street: every line and meter."""
    return _page(request, "devices", {"here": "devices", **_street(_story())})


@require_GET
def street(request: HttpRequest) -> HttpResponse:
    """The street's lights."""
    return _page(request, "_street", _street(_story()))


def _story() -> Story:
    try:
        return story()
    except FileNotFoundError:
        raise Http404("no demo runs") from None


def _household(ref: str) -> tuple[Story, Household]:
    told = _story()
    if ref not in told.by_ref:
        raise Http404
    return told, told.by_ref[ref]


def _matches(who: Household, wanted: str) -> bool:
    return wanted.casefold() in f"{who.name} {who.street} {who.place} {who.ref} {who.mobile}".casefold()


def _stage(told: Story) -> dict[str, Any]:
    context: dict[str, Any] = {"story": told, "evening": _evening(told)}
    if told.ready:
        who = told.by_ref[told.visitor]
        context |= {**_phone(told, who), **_home(told, who), **_hero(told, who), "numbers": _numbers(told.result)}
    return context


def _phone(told: Story, who: Household) -> dict[str, Any]:
    came = [(kept.at, kept.sender, kept.text) for kept in to_household(who, "sms")]
    went = [(answer.at, "", answer.text) for answer in answers_of(who)]
    messages = [
        {"pieces": pieces(text), "sender": sender, "at": at.astimezone(told.zone)}
        for at, sender, text in sorted(came + went)[-SMS_MAX:]
    ]
    return {"story": told, "who": who, "messages": messages}


def _home(told: Story, who: Household) -> dict[str, Any]:
    return {"story": told, "who": who, "lights": lights_of(who, told)}


def _hero(told: Story, who: Household) -> dict[str, Any]:
    lights = lights_of(who, told)
    return {
        "story": told,
        "dark": any(not light.is_on for light in lights),
        "waits": any(light.waits_for_button for light in lights),
        "was_dark": any(light.since for light in lights),
    }


def _mail(told: Story, who: Household) -> dict[str, Any]:
    def newest_first(channel: str) -> list[dict[str, Any]]:
        return [
            {"key": kept.key, "subject": kept.subject, "sender": kept.sender, "at": kept.at.astimezone(told.zone)}
            for kept in reversed(to_household(who, channel))
        ]

    return {"story": told, "who": who, "emails": newest_first("email"), "letters": newest_first("letter")}


def _street(told: Story) -> dict[str, Any]:
    lights = all_lights(told)
    dark = sorted((light for light in lights if not light.is_on), key=_waiting_first)
    return {
        "story": told,
        "dark": dark[:LISTED_MAX],
        "on": sum(light.is_on for light in lights),
        "limited": sum(light.level in ("limited", "walled_garden") for light in lights),
        "off": sum(light.level == "off" for light in lights),
        "ready": sum(light.waits_for_button for light in lights),
        "windows": lights[: 4 * LISTED_MAX],
    }


def _waiting_first(light: Light) -> tuple[bool, str]:
    return not light.waits_for_button, light.household.ref


def _evening(told: Story) -> list[tuple[str, int]]:
    words = ("in arrears", "messages sent", "limited now", "cut off now", "given back", "payments")
    return list(zip(words, told.stands, strict=False))


def _numbers(result: dict[str, Any]) -> list[tuple[int, str]]:
    return [
        (result["accounts"], "households"),
        (result["claims"], "invoices"),
        (result["messages_sent"], "messages"),
        (result["payments"], "payments"),
        (result["cases_cured"], "arrears paid and over"),
        (result["limited"], "lines led to the pay page"),
        (result["disconnected"], "services cut"),
        (result["restored"], "services given back"),
    ]


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    with override("en"):  # the days' names, as the rest of the page
        response = render(request, f"demo/{name}.html", context)
    response["Content-Security-Policy"] = _POLICY
    response["Cache-Control"] = "no-store"
    return response
