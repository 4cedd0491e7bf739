"""Tells Django of the supply stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class SupplyConfig(AppConfig):
    """The supply stage."""

    name = "relight.flow.supply"
    label = "relight_supply"
    default_auto_field = "django.db.models.BigAutoField"
