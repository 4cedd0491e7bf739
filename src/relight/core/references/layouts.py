"""How a partner's references are put together: fixed characters, the customer's number, the invoice's number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from relight.core.references.digits import shown
from relight.core.references.errors import UnableToMakeReference

Kind = Literal["fixed", "customer", "invoice"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a payload: so many characters, or these `fixed` ones."""

    kind: Kind
    size: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of a payload from the left; the check digit is no part of it."""

    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """How many characters the payload has."""
        return sum(part.size for part in self.parts)

    def size_of(self, kind: Kind) -> int:
        """How many of them are of one kind."""
        return sum(part.size for part in self.parts if part.kind == kind)

    def fill(self, numbers: Mapping[Kind, str], *, letters: bool) -> str:
        """The payload of these numbers, with zeros before each that is shorter than its part.

        Raises `UnableToMakeReference` where one is missing, too long, or not made of digits (or letters, if it may be).
        """
        return "".join(part.text if part.kind == "fixed" else _fitted(part, numbers, letters) for part in self.parts)

    def split(self, payload: str) -> dict[Kind, str] | None:
        """The numbers that a payload is made of, with their zeros; None where it is not of this layout."""
        if len(payload) != self.size:
            return None
        numbers: dict[Kind, str] = {}
        at = 0
        for part in self.parts:
            text = payload[at : at + part.size]
            at += part.size
            if part.kind == "fixed" and text != part.text:
                return None
            if part.kind != "fixed":
                numbers[part.kind] = text
        return numbers


def first_filled(layouts: Sequence[Layout], numbers: Mapping[Kind, str], *, letters: bool) -> str:
    """The payload by the first layout that these numbers fit into.

    Raises `UnableToMakeReference` with what the first of them lacks.
    """
    refused: UnableToMakeReference | None = None
    for layout in layouts:
        try:
            return layout.fill(numbers, letters=letters)
        except UnableToMakeReference as wrong:
            refused = refused or wrong
    assert refused is not None, "a setting has at least one layout"
    raise refused


def _fitted(part: Part, numbers: Mapping[Kind, str], letters: bool) -> str:
    number = "".join(numbers.get(part.kind, "").split()).upper()
    if not number:
        raise UnableToMakeReference(f"the {part.kind}'s number is missing")
    if not number.isascii() or not (number.isalnum() if letters else number.isdigit()):
        raise UnableToMakeReference(f"the {part.kind}'s number {shown(number)} has more than digits in it")
    if len(number) > part.size:
        room = f"there is room for {part.size} characters"
        raise UnableToMakeReference(f"the {part.kind}'s number {shown(number)} is too long: {room}")
    return number.zfill(part.size)
