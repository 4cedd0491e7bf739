"""What the console's templates say and show: texts, sums, moments, icons, and addresses of static files."""

from datetime import date, datetime
from functools import cache
from hashlib import blake2b
from typing import Any, cast

from django import template
from django.contrib.staticfiles import finders
from django.template import Context
from django.template.defaulttags import CsrfTokenNode
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from relight.core.explain.entries import Why, why_text
from relight.web.console.desk import Desk
from relight.web.console.tabs import FIELD
from relight.web.console.voice import Voice

register = template.Library()


def _voice(context: Context) -> Voice:
    return context["voice"]


@register.simple_tag(takes_context=True)
def say(context: Context, key: str, **params: Any) -> str:
    """{% say "cases.title" %}: a text of the catalogue."""
    return _voice(context).say(key, **params)


@register.simple_tag(takes_context=True)
def name(context: Context, group: str, code: str) -> str:
    """{% name "level" supply.desired %}: what a code is called."""
    return _voice(context).name(group, code)


@register.simple_tag(takes_context=True)
def money(context: Context, minor: int, currency: str = "") -> str:
    """{% money claim.principal %}"""
    return _voice(context).money(minor, currency)


@register.simple_tag(takes_context=True)
def number(context: Context, value: int) -> str:
    """{% number counts.total %}: grouped."""
    return _voice(context).number(value)


@register.simple_tag(takes_context=True)
def day(context: Context, value: date) -> str:
    """{% day claim.due_date %}"""
    return _voice(context).day(value)


@register.simple_tag(takes_context=True)
def local_day(context: Context, value: datetime) -> str:
    """{% local_day hold.ends_at %}: the partner's local day of a moment."""
    voice = _voice(context)
    return voice.day(value.astimezone(voice.zone).date())


@register.simple_tag(takes_context=True)
def stamp(context: Context, value: datetime) -> SafeString:
    """{% stamp event.at %}: short, with the full moment on hover."""
    voice = _voice(context)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), voice.moment(value), voice.stamp(value)
    )


@register.simple_tag(takes_context=True)
def short(context: Context, value: datetime) -> str:
    """{% short hold.ends_at as end %}: the same as plain text, to put into a sentence."""
    return _voice(context).stamp(value)


@register.simple_tag(takes_context=True)
def clock(context: Context, value: datetime) -> SafeString:
    """{% clock event.at %}: the time of day, with the full moment on hover."""
    voice = _voice(context)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), voice.moment(value), voice.clock(value)
    )


@register.simple_tag(takes_context=True)
def moment(context: Context, value: datetime) -> str:
    """{% moment head.next_at %}: in full, with the weekday."""
    return _voice(context).moment(value)


@register.simple_tag(takes_context=True)
def lasted(context: Context, seconds: float) -> str:
    """{% lasted overview.p50_seconds %}"""
    return _voice(context).lasted(seconds)


@register.simple_tag(takes_context=True)
def param(context: Context, key: str, value: Any) -> str:
    """{% param "service" task.params.service %}: a parameter in words."""
    return _voice(context).param(key, value)


@register.simple_tag(takes_context=True)
def why(context: Context, code: str) -> str:
    """{% why effect.why %}: why it did not leave."""
    return _voice(context).why(code)


@register.simple_tag(takes_context=True)
def proof(context: Context, codes: str) -> str:
    """{% proof service.proof %}: how its level was seen."""
    return _voice(context).proof(codes)


@register.simple_tag(takes_context=True)
def spoken(context: Context, key: str) -> str:
    """{% spoken "frame.next" %}: a text in the language and the words of whom the explanation is for."""
    return context["speech"].say(key)


@register.simple_tag(takes_context=True)
def spoken_day(context: Context, value: datetime) -> str:
    """{% spoken_day entry.at %}: a day as it is written to whom the explanation is for."""
    speech = context["speech"]
    return speech.day(value.astimezone(speech.zone).date())


@register.filter
def spoken_why(why: Why) -> str:
    """{{ why|spoken_why }}: a reason with its section."""
    return why_text(why)


@register.simple_tag(takes_context=True)
def form_keys(context: Context) -> SafeString:
    """{% form_keys %}: what each form that is sent carries: a token against forged ones, and its page's partner."""
    token = format_html("{}", CsrfTokenNode().render(context))
    desk = cast(Desk | None, context.get("desk"))
    if desk is None or desk.partner is None:
        return token
    return format_html('{}<input type="hidden" name="{}" value="{}">', token, FIELD, desk.partner.partner_id)


@register.simple_tag
def icon(which: str) -> SafeString:
    """{% icon "bolt" %}: a picture beside a text; screen readers pass it by."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', asset("icons.svg"), which)


@register.simple_tag
def asset(path: str) -> str:
    """{% asset "console.css" %}: its address with a mark of its content, so that browsers may keep it for good."""
    return f"{static(f'console/{path}')}?v={_mark(path)}"


@cache
def _mark(path: str) -> str:
    found = finders.find(f"console/{path}")
    if found is None:
        raise ValueError(f"there is no static file console/{path}")
    with open(found, "rb") as file:
        return blake2b(file.read(), digest_size=6).hexdigest()
