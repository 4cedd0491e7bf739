"""What can be wrong with a reference; the messages say what, and what to do."""


class WrongReference(ValueError):
    """The text is no reference of that kind."""


class UnableToMakeReference(ValueError):
    """The numbers at hand do not make a reference of that kind."""


class WrongSetting(ValueError):
    """A partner's setting does not say how references are made."""
