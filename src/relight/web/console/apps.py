"""Tells Django of the console."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The console."""

    name = "relight.web.console"
    label = "relight_console"
