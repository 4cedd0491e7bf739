"""Which elements that a law may ask for (`required_content`) a text really holds, found by rendering it.

Named paragraphs hold the element of their name; the layout gives the rest (who is owed, what for, how to pay). This is
about e-mail and letters: what a text message must hold is checked when it is rendered (`check`).
"""

from collections.abc import Iterator, Mapping
from functools import cache

from relight.flow.messages.catalog import NAMED, TEMPLATES, fill, service_words, words_of
from relight.flow.messages.context import LANGUAGES, MessageContext
from relight.flow.messages.facts import facts_of
from relight.flow.messages.port import Channel
from relight.flow.messages.render import render
from relight.flow.messages.samples import COMPANIES, sample

# Paragraphs differ by service in some countries: whatever one of these brings is held where that service is owed.
SERVICES = ("electricity", "gas", "water", "heat", "broadband", "telephony")


@cache
def elements(template: str, language: str, country: str = "", service: str = "") -> frozenset[str] | None:
    """The elements that `template` holds in `language` for customers of `country`; None where there is no such text.

    Without a country: what it holds in every country; without a service: what it holds for any kind of service.
    """
    if template not in TEMPLATES or language not in LANGUAGES or template not in words_of(language)["templates"]:
        return None
    if not country:
        return frozenset.intersection(*(_held(template, language, one, service) for one in COMPANIES))
    return _held(template, language, country, service) if country in COMPANIES else None


class Texts:
    """The texts that come with Relight, as the proof of a policy asks for them."""

    def elements(self, template: str, language: str, country: str) -> frozenset[str] | None:
        """See `elements`."""
        return elements(template, language, country)


def _held(template: str, language: str, country: str, service: str) -> frozenset[str]:
    kinds = (service,) if service else SERVICES
    return frozenset(
        found for kind in kinds for found in _in(template, sample(language, template, country, service=kind))
    )


def _in(template: str, context: MessageContext) -> Iterator[str]:
    text = _plain(render(template, Channel.LETTER, context).text)
    facts = facts_of(context)
    named = words_of(context.language)["templates"][template].get("body", ())
    for name in NAMED.get(template, ()):
        said = fill(named[name], facts)
        if said and _plain(said) in text:
            yield name
    for name, values in _by_layout(context, facts).items():
        if all(_plain(str(value)) in text for value in values):
            yield name


def _by_layout(context: MessageContext, facts: Mapping[str, object]) -> Mapping[str, tuple[object, ...]]:
    """What stands for each element that the layout gives: all of these values together."""
    fees = words_of(context.language)["words"]["fees"]
    references = tuple(claim.reference for claim in context.claims)
    return {
        "creditor_name": (context.creditor,),
        "what_claim_is_for": (service_words(context.language, context.service)["name"], *references),
        "principal_and_costs": (facts["amount"], fees, *references),
        "payment_reference": (context.reference,),
        "our_phone": (facts["phone"],),
    }


def _plain(text: str) -> str:
    return text.replace("\xa0", " ").casefold()
