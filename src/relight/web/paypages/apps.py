"""Tells Django of the paypages."""

from django.apps import AppConfig


class PaypagesConfig(AppConfig):
    """The paypages."""

    name = "relight.web.paypages"
    label = "relight_paypages"
