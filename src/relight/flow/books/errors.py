"""Refusals of the books stage: what was wrong, and what to do."""

from relight.flow.cases.errors import UnableTo


class UnableToClose(UnableTo):
    """The month cannot be closed: it is not over, it is closed already, or one before it is open."""


class UnableToPost(UnableTo):
    """The act does not fit what is owed or in credit, or somebody has answered it already."""


class UnableToRemit(UnableTo):
    """There is nothing to pay over to the creditor."""
