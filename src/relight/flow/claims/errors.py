"""Refusals of the claims stage: what was wrong with the file as a whole, and what to do."""


class UnableToImport(Exception):
    """The file or mapping cannot be used at all; the text says why and what to do, and nothing was taken in."""


class RateRefused(ValueError):
    """A rate that cannot be kept; the text says why and what to write instead."""
