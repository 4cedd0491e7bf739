"""Tells Django of the messages stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class MessagesConfig(AppConfig):
    """The messages stage."""

    name = "relight.flow.messages"
    label = "relight_messages"
    default_auto_field = "django.db.models.BigAutoField"
