"""Refusals of the payments stage. The text is for operators and logs: a customer never reads it."""


class UnableToPay(Exception):
    """Nothing was started, and nothing was changed."""


class NothingToPay(UnableToPay):
    """Everything on the account is paid (or disputed): there is no amount to ask for."""


class LinkNotUsable(UnableToPay):
    """The pay link is not there any more: expired, revoked, or its case was removed."""


class NoSuchProvider(UnableToPay):
    """The partner has no payment provider of that name; see `payments` in its driver settings."""
