"""Refusals of the console."""

from relight.flow.cases.errors import UnableTo


class UnableToActUnseen(UnableTo):
    """The case has changed since the page was opened; look at what is new, and confirm again."""
