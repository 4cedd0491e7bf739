"""XML of strangers as a stream of small pieces, in bounded memory: no document type, no entities, no depth, no bombs.

Containers are announced when they open and close; every other child of a container comes out whole, as an `Element`.
"""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import IO, NamedTuple
from xml.parsers import expat

CHUNK_BYTES = 1 << 16
TOKEN_BYTES_MAX = 1 << 20  # one tag or comment
DEPTH_MAX = 40
TEXT_CHARACTERS_MAX = 10_000  # of one element
ELEMENTS_MAX = 5_000  # below one child of a container

IsContainer = Callable[[tuple[str, ...]], bool]


class UnsafeMarkup(Exception):
    """The file is built to harm its reader, or is far too large in one place; the message is a sentence."""


class BrokenMarkup(Exception):
    """The file is no XML from a line on. `line` counts from 1; the message is a sentence."""

    def __init__(self, line: int, reason: str):
        super().__init__(reason)
        self.line = line


class Element:
    """A small piece of the file: its name without namespace, its line, its attributes, text and children."""

    __slots__ = ("attributes", "children", "line", "name", "text")

    def __init__(self, name: str, line: int, attributes: dict[str, str]):
        self.name, self.line, self.attributes = name, line, attributes
        self.text = ""
        self.children: list[Element] = []

    def all(self, *path: str) -> list["Element"]:
        """All elements below this one by a path of names."""
        found = [self]
        for name in path:
            found = [child for element in found for child in element.children if child.name == name]
        return found

    def first(self, *path: str) -> "Element | None":
        """The first element by a path of names."""
        return next(iter(self.all(*path)), None)

    def words(self, *path: str) -> str:
        """The text of the first element by a path, without spaces around; empty where there is none."""
        found = self.first(*path)
        return found.text.strip() if found else ""


class Is(Enum):
    """What a piece is: a container's beginning, its end, or a whole child of one."""

    OPEN = "open"
    CLOSE = "close"
    WHOLE = "whole"


class Piece(NamedTuple):
    """A piece of the file. `path` is that of the container, or of the child that came out whole."""

    kind: Is
    path: tuple[str, ...]
    element: Element


def pieces(file: IO[bytes], is_container: IsContainer) -> Iterator[Piece]:
    """The pieces of a file in order. Raises `UnsafeMarkup`, or `BrokenMarkup` after the pieces before the break."""
    reader = _Reader(is_container)
    broken: BrokenMarkup | None = None
    while broken is None:
        chunk = file.read(CHUNK_BYTES)
        try:
            reader.feed(chunk)
        except BrokenMarkup as error:
            broken = error
        yield from reader.taken()
        if not chunk:
            break
    if broken is not None:
        raise broken


class _Reader:
    def __init__(self, is_container: IsContainer):
        self._is_container = is_container
        self._path: list[str] = []
        self._containers: list[Element] = []
        self._open: list[Element] = []  # the whole child that is being read, down to where we are
        self._count = self._fed = 0
        self._taken: list[Piece] = []
        self._parser = parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise BrokenMarkup(error.lineno, f"The XML is broken here: {expat.ErrorString(error.code)}.") from None
        except (LookupError, ValueError) as error:  # an encoding that nobody knows
            raise BrokenMarkup(1, f"The XML's encoding cannot be read: {error}.") from None
        self._fed += len(chunk)
        if chunk and self._fed - max(self._parser.CurrentByteIndex, 0) > TOKEN_BYTES_MAX + CHUNK_BYTES:
            raise UnsafeMarkup(f"Line {self._parser.CurrentLineNumber} holds a tag of over a million signs.")

    def taken(self) -> list[Piece]:
        taken, self._taken = self._taken, []
        return taken

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        if len(self._path) >= DEPTH_MAX:
            raise UnsafeMarkup(f"Line {line} is nested more than {DEPTH_MAX} deep.")
        namespace, _, local = name.rpartition("}")
        if not self._path:
            attributes = {**attributes, "xmlns": namespace}
        self._path.append(local)
        element = Element(local, line, attributes)
        if self._open:
            self._count += 1
            if self._count > ELEMENTS_MAX:
                raise UnsafeMarkup(f"Line {line} belongs to a piece of more than {ELEMENTS_MAX:,} elements.")
            self._open[-1].children.append(element)
            self._open.append(element)
        elif self._is_container(path := tuple(self._path)):
            self._containers.append(element)
            self._taken.append(Piece(Is.OPEN, path, element))
        else:
            self._count = 1
            self._open.append(element)

    def _end(self, _: str) -> None:
        path = tuple(self._path)
        self._path.pop()
        if not self._open:
            self._taken.append(Piece(Is.CLOSE, path, self._containers.pop()))
            return
        element = self._open.pop()
        if not self._open:
            self._taken.append(Piece(Is.WHOLE, path, element))

    def _text(self, text: str) -> None:
        if not self._open:
            return
        element = self._open[-1]
        if len(element.text) + len(text) > TEXT_CHARACTERS_MAX:
            raise UnsafeMarkup(
                f"{element.name} on line {element.line} holds more than {TEXT_CHARACTERS_MAX:,} characters."
            )
        element.text += text

    def _refuse_doctype(self, *_: object) -> None:
        raise UnsafeMarkup(
            f"Line {self._parser.CurrentLineNumber} declares a document type. Bank files have none, and it can make "
            "a reader fetch other files or fill its memory."
        )
