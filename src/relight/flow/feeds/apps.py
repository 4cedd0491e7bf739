"""Tells Django of the feeds stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class FeedsConfig(AppConfig):
    """The feeds stage."""

    name = "relight.flow.feeds"
    label = "relight_feeds"
    default_auto_field = "django.db.models.BigAutoField"
