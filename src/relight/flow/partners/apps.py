"""Tells Django of the partners stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class PartnersConfig(AppConfig):
    """The partners stage."""

    name = "relight.flow.partners"
    label = "relight_partners"
    default_auto_field = "django.db.models.BigAutoField"
