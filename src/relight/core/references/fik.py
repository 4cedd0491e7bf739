"""FIK, the Danish payment slips: a card type, a payment number with its check digit, and the creditor's number.

+71 has 15 digits and +75 has 16, the last of them the Luhn digit; +73 has no number, the payer writes who pays. The
creditor's number has 8 digits and begins with 8. Of giro slips (+04) we have read no more than that they exist, so they
are neither made nor checked. Source: descriptions by printers of slips and by users of them.
"""

import re
from dataclasses import dataclass
from typing import Literal

from relight.core.references.digits import modulus_10, plain_digits, shown
from relight.core.references.errors import UnableToMakeReference, WrongReference

FikCard = Literal["71", "75"]
LENGTHS: dict[str, int] = {"71": 15, "75": 16}
WITHOUT_NUMBER = "73"
_LINE = re.compile(r"\+([0-9]{2})<([0-9]*)\+([0-9]{7,8})<", re.ASCII)
_CREDITOR = re.compile(r"8[0-9]{7}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FikLine:
    """The line at the foot of a slip. `number` is empty for +73."""

    card: str
    number: str
    creditor: str

    def __str__(self) -> str:
        return f"+{self.card}<{self.number}+{self.creditor}<"


def make_fik(payload: str, *, card: FikCard = "71") -> str:
    """The payment number of a slip: up to 14 (+71) or 15 (+75) digits, zeros before them and the check digit behind.

    Raises `UnableToMakeReference`.
    """
    most = LENGTHS[card] - 1
    if not (payload.isascii() and payload.isdigit()):
        raise UnableToMakeReference(f"{shown(payload)} has more than digits in it: a FIK number is made of digits only")
    if len(payload) > most:
        raise UnableToMakeReference(f"{len(payload)} digits do not fit on a +{card} slip: give at most {most}")
    padded = payload.zfill(most)
    return padded + modulus_10(padded)


def check_fik(text: str, *, card: FikCard = "71") -> str:
    """The payment number without spaces; raises `WrongReference`."""
    number = plain_digits(text, what=f"the number of a +{card} slip")
    if len(number) != LENGTHS[card]:
        raise WrongReference(f"{shown(text)} has {len(number)} digits: on a +{card} slip there are {LENGTHS[card]}")
    if modulus_10(number[:-1]) != number[-1]:
        raise WrongReference(f"{shown(text)} is no number of a +{card} slip: its check digit does not fit")
    return number


def fik_line(number: str, *, card: FikCard = "71", creditor: str) -> FikLine:
    """The whole line for a number that was made. Raises `UnableToMakeReference` or `WrongReference`."""
    if not _CREDITOR.fullmatch(creditor):
        raise UnableToMakeReference(f"{shown(creditor)} is no creditor's number: it has 8 digits and begins with 8")
    return FikLine(card, check_fik(number, card=card), creditor)


def read_fik_line(text: str) -> FikLine:
    """A line as it is printed or typed: "+71<…+8…<". Raises `WrongReference`."""
    found = _LINE.fullmatch("".join(text.split()))
    if found is None:
        raise WrongReference(f"{shown(text)} is no line of a payment slip: it reads like +71<123456789012344+80000000<")
    card, number, creditor = found.groups()
    if card == WITHOUT_NUMBER:
        if number:
            raise WrongReference(f"{shown(text)} has a number: on a +{WITHOUT_NUMBER} slip there is none")
    elif card == "71" or card == "75":
        number = check_fik(number, card=card)
    else:
        raise WrongReference(f"+{card} slips are not checked here: we know +71, +73 and +75")
    if not _CREDITOR.fullmatch(creditor):
        raise WrongReference(f"{shown(creditor)} is no creditor's number: it has 8 digits and begins with 8")
    return FikLine(card, number, creditor)
