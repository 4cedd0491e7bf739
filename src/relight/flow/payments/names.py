"""Names as they can be compared, whatever order, capitals and accents; and references that are one slip away. Pure."""

import re
import unicodedata

_LETTERS = str.maketrans({"æ": "ae", "ø": "o", "å": "a", "ß": "ss", "đ": "d", "ł": "l", "þ": "th", "ð": "d"})
_WORD = re.compile(r"[a-z0-9]+")
# What banks and firms write around a name says nothing of who it is.
_EMPTY = frozenset({
    "mr", "mrs", "hr", "fru", "herr", "frau", "dhr", "mevr", "mw", "og", "and", "en", "und", "of", "as", "asa", "aps",
    "ab", "bv", "nv", "gmbh", "ltd", "the", "van", "de", "der", "den",
})  # fmt: skip
WORD_MIN = 2
TEXT_MIN = 4
DIGITS_MIN, DIGITS_MAX = 5, 25


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name that tell who it is: without accents, in small letters, sorted, each once."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    found = {word for word in _WORD.findall(bare) if len(word) >= WORD_MIN}
    return tuple(sorted(found - _EMPTY or found))


def payer_key(name: str) -> str:
    """One text for all ways to write a name; '' for none."""
    return " ".join(words_of(name))


def alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two names may be the same person: all words of the shorter one are in the longer one, at least two."""
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= 2 and set(shorter) <= set(longer)


def near(reference: str) -> tuple[str, ...]:
    """All numbers that one slip turns into this: a wrong digit, or two neighbours exchanged. None for other texts."""
    text = "".join(reference.split())
    if not (text.isascii() and text.isdigit() and DIGITS_MIN <= len(text) <= DIGITS_MAX):
        return ()
    found = {text[:at] + digit + text[at + 1 :] for at in range(len(text)) for digit in "0123456789"} | {
        text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(len(text) - 1)
    }
    return tuple(sorted(found - {text}))


def texts_in(message: str) -> tuple[str, ...]:
    """What in a payer's message may be a bill's or a customer's number: words with a digit, of four signs or more."""
    pieces = re.findall(r"[^\s,;:/()#]+", message)
    joined = re.findall(r"\d[\d ]{3,}\d", message)
    found = {piece.strip(".-") for piece in pieces} | {"".join(digits.split()) for digits in joined}
    return tuple(sorted(one for one in found if len(one) >= TEXT_MIN and any(letter.isdigit() for letter in one)))
