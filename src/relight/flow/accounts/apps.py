"""Tells Django of the accounts stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts stage."""

    name = "relight.flow.accounts"
    label = "relight_accounts"
    default_auto_field = "django.db.models.BigAutoField"
