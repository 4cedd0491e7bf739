"""Tells Django of the claims stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    """The claims stage."""

    name = "relight.flow.claims"
    label = "relight_claims"
    default_auto_field = "django.db.models.BigAutoField"
