"""What a customer's short answer means. It only sorts: what follows from it is decided on the road, by facts.

Sorting errs on the side of the customer: a wrong number and a wish for peace come before "paid", a call for help before
"paid", and a sentence that is not clear is `UNKNOWN`, for a person to read. "Not paid" is never taken for "paid".
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from relight.flow.messages.catalog import read_words
from relight.flow.messages.context import LANGUAGES

TEXT_MAX = 1000


class Meaning(StrEnum):
    """What an answer asks of us."""

    STOP = "stop"  # no more of these messages
    PAID = "paid"  # says it is paid: a claim to look into, not a payment
    HELP = "help"  # cannot pay now, wants time, a plan, a call
    WRONG_PERSON = "wrong_person"
    PROMISE = "promise"  # names the day on which it will be paid, and says nothing else
    UNKNOWN = "unknown"


# In this order: who is not the customer must not be asked again, whatever else the sentence says.
_ORDER = (Meaning.WRONG_PERSON, Meaning.STOP, Meaning.HELP, Meaning.PAID)


def understand(text: str, language: str) -> Meaning:
    """The meaning of `text`, read in `language` first and then in the others; case, accents and marks do not matter."""
    said = plain(text[:TEXT_MAX])
    if not said.strip():
        return Meaning.UNKNOWN
    for tongue in (language, *(other for other in LANGUAGES if other != language)):
        meaning = _read(said, tongue)
        if meaning is not Meaning.UNKNOWN:
            return meaning
    return Meaning.UNKNOWN


def _read(said: str, language: str) -> Meaning:
    patterns = _patterns().get(language, {})
    for meaning in _ORDER:
        if meaning in patterns and patterns[meaning].search(said):
            return Meaning.UNKNOWN if meaning is Meaning.PAID and _not_yet(said, language) else meaning
    return Meaning.UNKNOWN


def _not_yet(said: str, language: str) -> bool:
    doubt = _doubts().get(language)
    return bool(doubt and doubt.search(said))


def plain(text: str) -> str:
    """`text` as comparable words: lower case, letters without marks, one space between words and at both ends.

    Whoever lacks æ, ø or å types "ae", "oe", "aa", or the bare letter; all come out the same ("hjælp", "hjaelp",
    "hjalp"). "?" stays, as a word of its own.
    """
    bare = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    bare = "".join(char for char in bare if not unicodedata.combining(char)).replace("?", " ? ")
    for typed, letter in _DIGRAPHS:
        bare = bare.replace(typed, letter)
    return f" {' '.join(_WORD.findall(bare))} "


_LETTERS = str.maketrans({"æ": "a", "ø": "o", "\u2019": "", "'": ""})
_DIGRAPHS = (("ae", "a"), ("oe", "o"), ("aa", "a"), ("ue", "u"))
_WORD = re.compile(r"[a-z0-9]+|\?")


@cache
def _patterns() -> Mapping[str, Mapping[Meaning, re.Pattern[str]]]:
    listed = read_words("inbound")
    return {
        language: {Meaning(name): _any_of(phrases) for name, phrases in kinds.items() if name != "not_yet"}
        for language, kinds in listed.items()
    }


@cache
def _doubts() -> Mapping[str, re.Pattern[str]]:
    return {language: _any_of(kinds["not_yet"]) for language, kinds in read_words("inbound").items()}


def _any_of(phrases: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(_one(phrase) for phrase in phrases))


def _one(phrase: str) -> str:
    """A phrase of inbound.yaml as a pattern: "^" first word, "…" up to three words between, "*" the rest of a word."""
    gap, rest = "0gap0", "0rest0"
    words = plain(phrase.lstrip("^").replace("…", f" {gap} ").replace("*", rest)).strip()
    pattern = re.escape(words).replace(r"\ ", " ").replace(f" {gap} ", r"(?: \S+){0,3} ").replace(rest, r"\S*")
    return f"^ {pattern} " if phrase.startswith("^") else f" {pattern} "
