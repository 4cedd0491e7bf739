"""RF, the creditor reference of ISO 11649: "RF", two check digits, and 1 to 21 letters and digits.

Modulus 97 finds every wrong character that is a digit for a digit or a letter for a letter, and every exchange of two
neighbours of one kind. Of a digit with a letter it misses three: 1B, 2M and 3X look the same both ways round.
"""

import re

from stdnum import iso11649
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10

from relight.core.references.digits import shown
from relight.core.references.errors import UnableToMakeReference, WrongReference

PAYLOAD_MAX = 21
_PAYLOAD = re.compile(r"[0-9A-Z]{1,21}", re.ASCII)
_FORM = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}", re.ASCII)


def make_rf(payload: str) -> str:
    """The reference of 1 to 21 letters and digits, in capitals, without spaces; raises `UnableToMakeReference`."""
    plain = "".join(payload.split()).upper()
    if not _PAYLOAD.fullmatch(plain):
        raise UnableToMakeReference(f"{shown(payload)} does not make an RF reference: give 1 to 21 letters and digits")
    return f"RF{_check_digits(plain)}{plain}"


def check_rf(text: str) -> str:
    """The reference in capitals and without spaces; raises `WrongReference`."""
    plain = "".join(text.split()).upper()
    if not _FORM.fullmatch(plain):
        raise WrongReference(f"{shown(text)} is no RF reference: RF, two digits, then 1 to 21 more")
    try:
        number = iso11649.validate(plain)
    except ValidationError as wrong:
        raise _misfit(text) from wrong
    if number[2:4] != _check_digits(number[4:]):  # 01 and 98 leave the same remainder; only one of them is ever made
        raise _misfit(text)
    return number


def format_rf(reference: str) -> str:
    """As it is printed, in groups of four; raises `WrongReference`."""
    return iso11649.format(check_rf(reference))


def _check_digits(payload: str) -> str:
    return mod_97_10.calc_check_digits(f"{payload}RF")


def _misfit(text: str) -> WrongReference:
    return WrongReference(f"{shown(text)} is no RF reference: its check digits do not fit. Look for a slip")
