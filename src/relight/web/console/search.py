"""What somebody typed into the search field, as the ways in which it may be meant."""

import re
from dataclasses import dataclass

_CALLING_CODES = {"NO": "47", "DK": "45", "SE": "46", "NL": "31", "DE": "49", "BE": "32", "GB": "44"}
_PHONE = re.compile(r"(?:\+|00)?[\d\s().-]{5,20}")
_DIGITS_MIN = 5


@dataclass(frozen=True, slots=True)
class Search:
    """A search: `text` may begin a reference or an invoice number; `contacts` are phone numbers and addresses to
    find whole; `names` are patterns that a customer's name must all match (none: it is not a name)."""

    text: str
    contacts: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, typed: str, country: str) -> "Search":
        """Read what was typed. Never refuses: at worst nothing is found."""
        text = " ".join(typed.split())
        return cls(text, _contacts(text, country), _names(text))

    def as_params(self) -> dict[str, object]:
        """Parameters of the `found` statement."""
        return {
            "q": self.text,
            "contacts": list(self.contacts),
            "names": list(self.names) or ["%"],
            "by_name": bool(self.names),
        }


def _contacts(text: str, country: str) -> tuple[str, ...]:
    if "@" in text:
        return tuple(dict.fromkeys((text, text.lower())))
    digits = re.sub(r"\D", "", text)
    if not _PHONE.fullmatch(text) or len(digits) < _DIGITS_MIN:
        return ()
    if text.startswith(("+", "00")):
        return (f"+{digits.removeprefix('00')}",)
    code = _CALLING_CODES.get(country, "")
    return tuple(dict.fromkeys((f"+{code}{digits.removeprefix('0')}", f"+{digits}", digits)))


def _names(text: str) -> tuple[str, ...]:
    if any(character.isdigit() for character in text) or "@" in text:
        return ()
    escaped = (re.sub(r"([\\%_])", r"\\\1", word) for word in text.split())
    return tuple(f"%{word}%" for word in escaped)
