"""Refusals of the cases stage: what was wrong, and what to do."""


class UnableTo(Exception):
    """An act that was refused; the text says why and what to do, and nothing was changed."""


class UnableToApprove(UnableTo):
    """The approval cannot be decided: it was already, or by the one who asked, or twice by the same person."""


class UnableToVoid(UnableTo):
    """The step cannot be voided: it is not there, or it already was."""


class UnableToAgree(UnableTo):
    """A plan or a promise that cannot be: nothing is owed, there is one already, or it is more than is offered.

    `code` says which, and `params` what of: for whoever tells it in another language.
    """

    def __init__(self, text: str, code: str, **params: object):
        super().__init__(text)
        self.code, self.params = code, params


class UnableToFind(UnableTo):
    """There is no such thing at this partner."""
