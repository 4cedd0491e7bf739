"""KID, the Norwegian kundeidentifikasjon: 2 to 25 characters, the last of them a check digit.

AvtaleGiro and OCR giro take 4 to 25. Which modulus and which lengths a payee uses stands in its agreement with the
bank. Source: the clearing house's description of KID for AvtaleGiro and OCR giro.
"""

from typing import Literal

from relight.core.references.digits import DASH, modulus_10, modulus_11, plain_digits, shown
from relight.core.references.errors import UnableToMakeReference, WrongReference

KidCheck = Literal["mod10", "mod11"]
LENGTH_MIN, LENGTH_MAX = 2, 25
_CHECKS = {"mod10": modulus_10, "mod11": modulus_11}


def make_kid(payload: str, *, check: KidCheck = "mod10", dash: bool = True) -> str:
    """A KID of 1 to 24 digits and their check digit.

    With modulus 11 one number in eleven ends in "-". Many banks' pages do not take it: with `dash=False` such a number
    is refused. Raises `UnableToMakeReference`.
    """
    if not (payload.isascii() and payload.isdigit()):
        raise UnableToMakeReference(f"{shown(payload)} has more than digits in it: a KID is made of digits only")
    if not LENGTH_MIN <= len(payload) + 1 <= LENGTH_MAX:
        most = LENGTH_MAX - 1
        raise UnableToMakeReference(
            f"{len(payload)} digits do not make a KID: give 1 to {most}, the check digit is ours"
        )
    digit = _CHECKS[check](payload)
    if digit == DASH and not dash:
        raise UnableToMakeReference(f"the KID of {payload} would end in a dash: leave this number out of the series")
    return payload + digit


def check_kid(text: str, *, check: KidCheck = "mod10") -> str:
    """The KID without spaces; raises `WrongReference`."""
    plain = "".join(text.split())
    ends_in_dash = check == "mod11" and plain.endswith(DASH)
    payload = plain_digits(plain.removesuffix(DASH) if ends_in_dash else plain, what="a KID")
    kid = payload + DASH if ends_in_dash else payload
    if not LENGTH_MIN <= len(kid) <= LENGTH_MAX:
        raise WrongReference(f"{shown(text)} has {len(kid)} characters: a KID has {LENGTH_MIN} to {LENGTH_MAX}")
    if _CHECKS[check](kid[:-1]) != kid[-1]:
        raise WrongReference(f"{shown(text)} is not a KID: its check digit ({check}) does not fit. Look for a slip")
    return kid
