"""Every template in every language on every channel, before a customer meets one: the gate for a translator's change.

Messages are rendered with typical values of a country, so that lengths mean something.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from jinja2 import TemplateError

from relight.core.rules.model import RequiredContent
from relight.core.rules.reader import packaged_pack, packaged_packs
from relight.flow.messages import gsm7
from relight.flow.messages.catalog import NAMED, TEMPLATES, words_of
from relight.flow.messages.context import LANGUAGES, MessageContext, Tone, WrongContext
from relight.flow.messages.elements import SERVICES, elements
from relight.flow.messages.port import Channel
from relight.flow.messages.render import UnfitMessage, render
from relight.flow.messages.samples import COMPANIES, sample

SMS_PARTS_MAX = 2
# The most common messages should cost one part.
ONE_PART = frozenset({"friendly_reminder", "payment_received", "restored"})

# Elsewhere a text message may cost a part more: references and accounts are longer than the language expects.
READ_AT_HOME = frozenset({("nb", "NO"), ("da", "DK"), ("nl", "NL"), ("de", "DE"), ("en", "GB"), ("en", "SE")})

_FORBIDDEN_IN_ANY_TONE = ("<", "http://", "https://")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend before this template may be used."""

    language: str
    template: str
    channel: str
    message: str


def lint(languages: tuple[str, ...] = LANGUAGES) -> list[Finding]:
    """Everything wrong with the catalogs of `languages`; empty when they may be used."""
    return [finding for language in languages for finding in _language(language)]


def _language(language: str) -> Iterator[Finding]:
    said = words_of(language)["templates"]
    yield from (Finding(language, name, "", "is missing") for name in TEMPLATES if name not in said)
    yield from (Finding(language, name, "", "is not a template that we use") for name in said if name not in TEMPLATES)
    unnamed = [finding for name in NAMED for finding in _unnamed(language, name, said.get(name, {}).get("body", {}))]
    yield from unnamed
    if not unnamed:
        yield from _unlawful(language)
    for template in (name for name in TEMPLATES if name in said):
        for sentence in _sentences(said[template]):
            if any(part in sentence for part in _FORBIDDEN_IN_ANY_TONE):
                yield Finding(language, template, "", f"holds markup or an address: {sentence!r}")
        for channel in Channel:
            for tone in Tone:
                yield from _rendered(template, channel, replace(sample(language, template), tone=tone))
            for country in COMPANIES:
                if channel is not Channel.SMS or (language, country) in READ_AT_HOME:
                    yield from _rendered(template, channel, sample(language, template, country))


def _unnamed(language: str, template: str, body: object) -> Iterator[Finding]:
    named = body if isinstance(body, dict) else {}
    for element in NAMED[template]:
        if not named.get(element):
            yield Finding(language, template, "", f"lacks the paragraph {element!r} that a law asks for")
    for element in named.keys() - set(NAMED[template]):
        yield Finding(language, template, "", f"has a paragraph {element!r} that nobody reads")


def _unlawful(language: str) -> Iterator[Finding]:
    """What a law pack asks of a text, held against the text as that country's customers get it."""
    for pack in map(packaged_pack, packaged_packs()):
        for rule in pack.rules:
            if isinstance(rule.demand, RequiredContent):
                for template in sorted(rule.targets & set(TEMPLATES)):
                    for service in sorted(rule.applies.service or SERVICES):
                        held = elements(template, language, pack.country, service) or frozenset()
                        for element in sorted(rule.demand.elements - held):
                            why = f"lacks {element!r} for {service} in {pack.country} ({rule.law})"
                            yield Finding(language, template, "", why)


def _sentences(said: object) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict):
        for part in said.values():
            yield from _sentences(part)
    elif isinstance(said, list):
        for part in said:
            yield from _sentences(part)


def _rendered(template: str, channel: Channel, context: MessageContext) -> Iterator[Finding]:
    try:
        made = render(template, channel, context)
    except (UnfitMessage, WrongContext, TemplateError, KeyError) as wrong:
        yield Finding(context.language, template, channel, f"{type(wrong).__name__}: {wrong}")
        return
    if channel is Channel.SMS:
        parts_max = 1 if template in ONE_PART else SMS_PARTS_MAX
        if gsm7.parts(made.text) > parts_max:
            yield Finding(context.language, template, channel, f"takes more than {parts_max} part(s): {made.text}")
        if "?" in made.text.replace("? ", ""):
            yield Finding(context.language, template, channel, f"holds a letter that SMS lacks: {made.text}")
