"""Tells Django of the handover stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class HandoverConfig(AppConfig):
    """The handover stage."""

    name = "relight.flow.handover"
    label = "relight_handover"
    default_auto_field = "django.db.models.BigAutoField"
