"""Refusals of the handover stage: what was wrong, and what to do."""

from relight.flow.cases.errors import UnableTo


class UnableToFindAgency(UnableTo):
    """The partner has no agency of that name."""


class UnableToNote(UnableTo):
    """What was to be noted of an agency cannot be so: it is there already, or it does not fit."""


class UnableToRecall(UnableTo):
    """There is nothing to call back: no agency has the case, or it was called back already."""


class UnableToSettle(UnableTo):
    """A settlement that cannot be used; nothing of it was posted."""
