"""The Dutch betalingskenmerk: 16 digits, the first of them a check digit; or 7 without one; or 9 to 14.

Those of 9 to 14 digits begin with the check digit and a length digit, which counts the 7 to 12 digits that follow it
(its last digit: ten is 0) and is part of the sum. Source: the payments association's specification of the NL
betalingskenmerk.
"""

from relight.core.references.digits import dutch_11, plain_digits, shown
from relight.core.references.errors import UnableToMakeReference, WrongReference

LONG, SHORT = 16, 7
WITH_LENGTH_DIGIT = range(9, 15)
LENGTHS = (SHORT, *WITH_LENGTH_DIGIT, LONG)
_LENGTHS_SAID = "7, 9 to 14 or 16"


def make_betalingskenmerk(payload: str, *, length: int = LONG) -> str:
    """A betalingskenmerk of so many digits in all, with zeros before the payload where it is shorter.

    Raises `UnableToMakeReference` for other lengths and for what does not fit.
    """
    if length not in LENGTHS:
        raise UnableToMakeReference(f"no betalingskenmerk has {length} digits: choose {_LENGTHS_SAID}")
    if not (payload.isascii() and payload.isdigit()):
        raise UnableToMakeReference(f"{shown(payload)} has more than digits in it: a betalingskenmerk has digits only")
    room = _room(length)
    if len(payload) > room:
        raise UnableToMakeReference(f"{len(payload)} digits do not fit: one of {length} digits has room for {room}")
    padded = payload.zfill(room)
    if length == SHORT:
        return padded
    counted = f"{room % 10}{padded}" if length in WITH_LENGTH_DIGIT else padded
    return dutch_11(counted) + counted


def check_betalingskenmerk(text: str) -> str:
    """The betalingskenmerk without spaces; one of 7 digits has nothing to check. Raises `WrongReference`."""
    number = plain_digits(text, what="a betalingskenmerk")
    if len(number) not in LENGTHS:
        raise WrongReference(f"{shown(text)} has {len(number)} digits: a betalingskenmerk has {_LENGTHS_SAID}")
    if len(number) in WITH_LENGTH_DIGIT and number[1] != str(_room(len(number)) % 10):
        said = "its second digit does not count the digits behind it"
        raise WrongReference(f"{shown(text)} is no betalingskenmerk: {said}")
    if len(number) != SHORT and dutch_11(number[1:]) != number[0]:
        raise WrongReference(f"{shown(text)} is no betalingskenmerk: its first digit, the check digit, does not fit")
    return number


def _room(length: int) -> int:
    """How many digits are left for the payload."""
    return length - (2 if length in WITH_LENGTH_DIGIT else 1 if length == LONG else 0)
