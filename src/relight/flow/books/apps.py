"""Tells Django of the books stage; labels are `relight_<stage>`, since a bare `messages` collides."""

from django.apps import AppConfig


class BooksConfig(AppConfig):
    """The books stage."""

    name = "relight.flow.books"
    label = "relight_books"
    default_auto_field = "django.db.models.BigAutoField"
