"""Reads YAML into a plain tree that knows its lines, with less of YAML than YAML has, so that nothing surprises.

YAML 1.2 core words only: `no`, `on` and `off` are text, and so are dates and times of day. Anchors, aliases and tags
are refused, a key stands once, and size, depth and number of values are limited. Numbers with decimals are `Decimal`.
The tree is built from the parser's events, one at a time, so that a bomb is refused before it is unpacked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import yaml
from yaml import events

from relight.core.findings import Finding

CHARACTERS_MAX = 256 * 1024
DEPTH_MAX = 24
NODES_MAX = 20_000

Tree = None | bool | int | Decimal | str | list["Tree"] | dict[str, "Tree"]
Path = tuple[str | int, ...]
Place = tuple[int, int]

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = {"", "~", "null", "Null", "NULL"}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}", re.ASCII)


class _Refused(Exception):
    """The text goes beyond the limits: what follows is not looked at."""


@dataclass(slots=True)
class Document:
    """A tree, where each key (or list item) and each value of it stands, and what was wrong while reading."""

    tree: Tree = None
    keys: dict[Path, Place] = field(default_factory=dict[Path, Place])
    values: dict[Path, Place] = field(default_factory=dict[Path, Place])
    findings: list[Finding] = field(default_factory=list[Finding])
    cut_short: bool = False  # the rest of the text was not read, so that nothing can be said of what is missing

    def place(self, path: Path) -> Place:
        """Where the value at `path` stands; for a path that is not there, the nearest that is."""
        for length in range(len(path), -1, -1):
            place = self.values.get(path[:length])
            if place is not None:
                return place
        return (1, 1)

    def key_place(self, path: Path) -> Place:
        """Where the key at `path` stands."""
        return self.keys.get(path) or self.place(path)


def read_tree(text: str) -> Document:
    """Read one YAML document. Never raises for what the text holds: see the document's findings."""
    document = Document()
    if len(text) > CHARACTERS_MAX:
        remedy = "a policy is a page or two; is this the right file?"
        document.findings.append(Finding(1, 1, "", f"the file is larger than {CHARACTERS_MAX // 1024} KiB", remedy))
        return document
    builder = _Builder(document)
    try:
        for event in _events(text):
            builder.take(event)
    except _Refused:
        document.cut_short = True
    except yaml.MarkedYAMLError as error:
        document.cut_short = True
        document.findings.append(_syntax(error))
    except yaml.reader.ReaderError as error:
        document.cut_short = True
        line = text.count("\n", 0, error.position) + 1
        document.findings.append(
            Finding(line, 1, "", f"unreadable character ({error.reason})", "save it as UTF-8 text")
        )
    return document


def show(path: Path) -> str:
    """A path as people write it: steps.cut.do[0].supply."""
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return shown.removeprefix(".")


def _events(text: str) -> Iterator[events.Event]:
    return yaml.parse(text, Loader=yaml.SafeLoader)


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended yet. `key` is the one that waits for its value."""

    path: Path
    container: list[Tree] | dict[str, Tree]
    key: str | None = None
    repeated: bool = False


@dataclass(slots=True)
class _Builder:
    document: Document
    stack: list[_Open] = field(default_factory=list[_Open])
    nodes: int = 0
    documents: int = 0

    def take(self, event: events.Event) -> None:
        match event:
            case events.DocumentStartEvent():
                self._start_document(event)
            case events.AliasEvent():
                self._refuse(event, "aliases (*name) are not allowed", "write the value out where it is used")
            case events.ScalarEvent():
                self._guard(event)
                self._scalar(event)
            case events.MappingStartEvent():
                self._guard(event)
                self._open(event, {})
            case events.SequenceStartEvent():
                self._guard(event)
                self._open(event, [])
            case events.CollectionEndEvent():
                self.stack.pop()
            case _:
                pass

    def _start_document(self, event: events.Event) -> None:
        self.documents += 1
        if self.documents > 1:
            self._refuse(event, "a second document begins here", "keep one policy a file, without --- between")

    def _guard(self, event: events.NodeEvent) -> None:
        self.nodes += 1
        tag = cast(str | None, getattr(event, "tag", None))
        if event.anchor is not None:
            self._refuse(event, f"anchors (&{event.anchor}) are not allowed", "write the value out where it is used")
        if tag is not None:
            self._refuse(event, f"tags ({tag}) are not allowed", "leave the tag out")
        if self.nodes > NODES_MAX:
            self._refuse(event, f"more than {NODES_MAX} values", "a policy has at most 200 steps; split it")

    def _scalar(self, event: events.ScalarEvent) -> None:
        top = self.stack[-1] if self.stack else None
        value = _plain(event.value) if event.implicit[0] else str(event.value)
        if top is not None and isinstance(top.container, dict) and top.key is None:
            self._key(top, value, event)
        else:
            self._put(value, event)

    def _key(self, top: _Open, value: Tree, event: events.Event) -> None:
        top.repeated = False
        if not isinstance(value, str):
            self._find(event, top.path, f"{event_text(event)} is not a name", "put a word before the colon")
        key = value if isinstance(value, str) else event_text(event)
        path = (*top.path, key)
        if key in top.container:
            top.repeated = True
            first = self.document.keys[path][0]
            self._find(event, path, f"{key!r} is written twice; first in line {first}", "keep one of them")
        else:
            self.document.keys.setdefault(path, _place(event))
        top.key = key

    def _open(self, event: events.Event, container: list[Tree] | dict[str, Tree]) -> None:
        if len(self.stack) >= DEPTH_MAX:
            self._refuse(event, f"nested more than {DEPTH_MAX} deep", "write it flatter")
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.container, dict) and top.key is None:
            self._refuse(event, "a list or mapping stands where a name should", "put a word before the colon")
        self.stack.append(_Open(self._put(container, event), container))

    def _put(self, value: Tree, event: events.Event) -> Path:
        """Hang a value where it belongs, and answer its path. The first of two values under one key stays."""
        if not self.stack:
            self.document.tree = value
            self.document.values[()] = _place(event)
            return ()
        top = self.stack[-1]
        if isinstance(top.container, list):
            path: Path = (*top.path, len(top.container))
            top.container.append(value)
        else:
            key, top.key = top.key or "", None
            path = (*top.path, key)
            if top.repeated:
                return path
            top.container[key] = value
        self.document.values.setdefault(path, _place(event))
        return path

    def _find(self, event: events.Event, path: Path, message: str, remedy: str) -> None:
        line, column = _place(event)
        self.document.findings.append(Finding(line, column, show(path), message, remedy))

    def _refuse(self, event: events.Event, message: str, remedy: str) -> None:
        self._find(event, self.stack[-1].path if self.stack else (), message, remedy)
        raise _Refused


def event_text(event: events.Event) -> str:
    """A scalar as written, shortened."""
    return str(cast(Any, event).value)[:40]


def _plain(text: str) -> Tree:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _place(event: events.Event) -> Place:
    mark = cast(Any, event).start_mark
    return (int(mark.line) + 1, int(mark.column) + 1)


def _syntax(error: yaml.MarkedYAMLError) -> Finding:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = error.problem or error.context or "the text is not YAML"
    if "'\\t'" in problem:
        return Finding(line, column, "", "a tab stands where only spaces may", "indent with spaces")
    return Finding(line, column, "", f"not YAML: {problem}", "look at indentation, colons and brackets of this line")
