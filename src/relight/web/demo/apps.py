"""Tells Django of the demo's pages."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The demo's pages; installed only while a demo runs."""

    name = "relight.web.demo"
    label = "relight_demo"
