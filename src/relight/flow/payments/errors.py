"""Refusals of the payments stage. The text is for operators and logs: a customer never reads it."""


class UnableToPay(Exception):
    """Nothing was started, and nothing was changed."""


class NothingToPay(UnableToPay):
    """Everything on the account is paid (or disputed): there is no amount to ask for."""


class LinkNotUsable(UnableToPay):
    """The pay link is not there any more: expired, revoked, or its case was removed."""


class NoSuchProvider(UnableToPay):
    """The partner has no payment provider of that name; see `payments` in its driver settings."""


class PaymentOnItsWay(UnableToPay):
    """The customer is paying already: a second charge is not started. `go_on_url` leads to the page where they do."""

    def __init__(self, text: str, go_on_url: str = "") -> None:
        super().__init__(text)
        self.go_on_url = go_on_url


class UnableToRefund(UnableToPay):
    """The payment cannot be given back like that; the text says why."""
