"""Tells Django of the effects stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class EffectsConfig(AppConfig):
    """The effects stage."""

    name = "relight.flow.effects"
    label = "relight_effects"
    default_auto_field = "django.db.models.BigAutoField"
