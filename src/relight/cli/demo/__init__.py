"""`relight demo`: a partner's whole portfolio, from unpaid bills to light again, in a minute; then to click through."""

from relight.cli.demo.command import demo

__all__ = ["demo"]
