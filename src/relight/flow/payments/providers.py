"""The providers that a partner has: its settings `{"payments": {"stripe": {…}}}`, and the drivers that they name.

A name is the driver's own, or the settings say `driver`: so one partner may have two accounts at one provider.
"""

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

from relight.flow.payments.errors import NoSuchProvider
from relight.flow.payments.port import PaymentProvider

GROUP = "relight.drivers.payments"
# One thing that a provider refuses is no reason to leave the others; several failures in a row are an outage.
FAILURES_MAX = 3
_BUILT_MAX = 256

Settings = Mapping[str, Mapping[str, Any]]
"""Provider's name to its settings, as in `partner.driver_settings["payments"]`."""


def provider(settings: Settings | None, name: str) -> PaymentProvider:
    """The partner's provider of that name; raises `NoSuchProvider`, or the driver's own ValueError for bad settings."""
    if not settings or name not in settings:
        raise NoSuchProvider(f"no payment provider {name!r}; there are {', '.join(settings or ()) or 'none'}")
    return _built(name, json.dumps(settings[name], sort_keys=True))


class HostedPayment(Protocol):
    """A payment as a provider without pages of its own shows it; money is in minor units."""

    amount: int
    currency: str
    reference: str
    return_url: str
    state: str


@runtime_checkable
class HostedByUs(Protocol):
    """A provider whose customer page Relight shows: the test provider."""

    @property
    def webhook_url(self) -> str:
        """Where its webhooks go, or nothing: to the site that shows the page."""
        ...

    def payment(self, ref: str) -> HostedPayment:
        """A payment by its reference; raises LookupError."""
        ...

    def finish(self, ref: str, choice: str) -> HostedPayment:
        """The customer's answer: pay, decline or cancel; raises LookupError."""
        ...

    def deliver(self, payment: HostedPayment, url: str) -> bool:
        """Send the webhook; whether it was taken."""
        ...


@lru_cache(maxsize=_BUILT_MAX)
def _built(name: str, settings: str) -> PaymentProvider:
    """One object for each name and settings: it keeps its connections, and new settings make a new one."""
    given = json.loads(settings)
    made: PaymentProvider = _driver(given.pop("driver", name))(given)
    made.name = name
    return made


@cache
def _driver(name: str) -> Any:
    found = entry_points(group=GROUP, name=name)
    if not found:
        known = ", ".join(sorted(point.name for point in entry_points(group=GROUP)))
        raise NoSuchProvider(f"no driver for payment provider {name!r}; installed are {known}")
    return next(iter(found)).load()
