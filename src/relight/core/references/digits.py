"""Check digits. Each function says which slips it surely finds; a scheme promises no more than its arithmetic keeps."""

from itertools import cycle

from stdnum import luhn

from relight.core.references.errors import WrongReference

DASH = "-"  # a remainder that no digit can show (KID, modulus 11)
_KID_WEIGHTS = (2, 3, 4, 5, 6, 7)
_DUTCH_WEIGHTS = (2, 4, 8, 5, 10, 9, 7, 3, 6, 1)
_SHOWN_MAX = 40


def modulus_10(payload: str) -> str:
    """The Luhn digit. Finds every wrong digit, and every exchange of neighbours but 09 for 90."""
    return luhn.calc_check_digit(payload)


def modulus_11(payload: str) -> str:
    """Weights 2 to 7 from the right, again and again; "-" where ten is left. Finds every wrong digit, and every
    exchange of neighbours."""
    left = (-_weighted(payload, _KID_WEIGHTS)) % 11
    return DASH if left == 10 else str(left)


def dutch_11(payload: str) -> str:
    """The weights of the betalingskenmerk. A ten is written as 1, and there a slip may hide; every other wrong digit
    and exchange of neighbours is found."""
    left = (-_weighted(payload, _DUTCH_WEIGHTS)) % 11
    return "1" if left == 10 else str(left)


def plain_digits(text: str, *, what: str) -> str:
    """The text without the spaces that people write; raises `WrongReference` unless digits are left."""
    plain = "".join(text.split())
    if not (plain.isascii() and plain.isdigit()):
        raise WrongReference(f"{shown(text)} is not {what}: it has digits only")
    return plain


def shown(text: str) -> str:
    """A text in quotes for a message, shortened."""
    return repr(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…")


def _weighted(payload: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(reversed(payload), cycle(weights), strict=False))
