"""Which ways to pay a customer sees: those that fit the country, the currency and the brand, in the partner's order.

A partner's setting `ways` is a list beside `payments`; without one every provider that fits is shown, in the order in
which the database keeps the settings (by the length of the name):

    {"payments": {"vipps": {…}, "stripe": {…}},
     "ways": [{"provider": "vipps", "brands": ["Nordlys"]},
              {"provider": "stripe", "currencies": ["NOK"], "labels": {"nb": "Kort"}}]}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from relight.flow.payments.errors import NoSuchProvider
from relight.flow.payments.port import PaymentProvider
from relight.flow.payments.providers import Settings, provider

Rules = Sequence[Mapping[str, Any]]
"""The partner's setting `ways`."""

_RULE_KEYS = frozenset({"provider", "countries", "currencies", "brands", "labels"})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WayToPay:
    """A provider that serves this customer, and what its button says, by language."""

    provider: PaymentProvider
    labels: Mapping[str, str]

    @property
    def name(self) -> str:
        """What the form sends."""
        return self.provider.name

    def label(self, language: str) -> str:
        """What the button says; in English where the language is missing."""
        return self.labels.get(language) or self.labels["en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """What decides which ways fit: the partner's country, the account's currency and the brand's name."""

    country: str
    currency: str
    brand: str


def ways_for(settings: Settings | None, rules: Rules | None, payer: Payer) -> list[WayToPay]:
    """The ways that serve this payer, in order. A provider that cannot be set up is left out and logged: the others,
    and the bank account, still take money."""
    wanted = rules if rules is not None else [{"provider": name} for name in settings or ()]
    found = [_way(settings, rule) for rule in wanted if _concerns(rule, payer)]
    return [way for way in found if way is not None and _serves(way.provider, payer)]


def way_named(ways: Sequence[WayToPay], name: str) -> WayToPay:
    """The way of that name; raises `NoSuchProvider` where this payer does not have it."""
    for way in ways:
        if way.name == name:
            return way
    raise NoSuchProvider(f"no way to pay {name!r} for this customer")


def refused(settings: Any, rules: Any) -> str:
    """What is wrong with settings that somebody wants to store, as a sentence; empty when they can be used."""
    if not isinstance(settings, Mapping | None) or not isinstance(rules, list | None):
        return "payments is an object of providers by name, and ways a list."
    try:
        for name in settings or ():
            provider(settings, name)
        for rule in rules or ():
            provider(settings, str(rule["provider"]))
            if unknown := set(rule) - _RULE_KEYS:
                return f"A way has the keys {', '.join(sorted(_RULE_KEYS))}; not {', '.join(sorted(unknown))}."
    except (NoSuchProvider, ValueError) as wrong:
        return f"{wrong}."
    except (KeyError, TypeError, AttributeError):
        return 'Each provider has an object of settings, and each way names its "provider".'
    return ""


def _way(settings: Settings | None, rule: Mapping[str, Any]) -> WayToPay | None:
    try:
        taken = provider(settings, str(rule.get("provider", "")))
    except (NoSuchProvider, ValueError) as wrong:
        _log.error("way_to_pay_left_out", error=str(wrong))
        return None
    return WayToPay(taken, {**taken.labels, **rule.get("labels", {})})


def _concerns(rule: Mapping[str, Any], payer: Payer) -> bool:
    """Whether a rule is for this payer; what it does not name it leaves open."""
    limits = (("countries", payer.country), ("currencies", payer.currency), ("brands", payer.brand))
    return all(mine in rule[name] for name, mine in limits if name in rule)


def _serves(taken: PaymentProvider, payer: Payer) -> bool:
    return (not taken.currencies or payer.currency in taken.currencies) and (
        not taken.countries or payer.country in taken.countries
    )
