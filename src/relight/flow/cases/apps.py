"""Tells Django of the cases stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """The cases stage."""

    name = "relight.flow.cases"
    label = "relight_cases"
    default_auto_field = "django.db.models.BigAutoField"
