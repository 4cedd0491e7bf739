"""Tells Django of the payments stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """The payments stage."""

    name = "relight.flow.payments"
    label = "relight_payments"
    default_auto_field = "django.db.models.BigAutoField"
