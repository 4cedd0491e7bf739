"""Tells Django of the watch stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class WatchConfig(AppConfig):
    """The watch stage."""

    name = "relight.flow.watch"
    label = "relight_watch"
    default_auto_field = "django.db.models.BigAutoField"
