"""Tells Django of the traces stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class TracesConfig(AppConfig):
    """The traces stage."""

    name = "relight.flow.traces"
    label = "relight_traces"
    default_auto_field = "django.db.models.BigAutoField"
