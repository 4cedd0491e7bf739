"""What the compiler is given: classes with fields get their initialiser in words, and stay what they were."""

from copy import copy
from typing import Any

import pytest

from relight.cli.native import NotNative, native

_RECORDS = '''"""Two of them.

from a docstring that looks like an import.
"""

from dataclasses import dataclass, field

from relight.core.records import record


@record
class Bill:
    """A bill."""

    id: int
    amount: int = 0
    flags: dict[str, str] = field(default_factory=dict[str, str])
    whatever: object = field(default=None, compare=False)

    def doubled(self) -> int:
        return self.amount * 2


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A span."""

    count: int
    days: int = field(init=False)
    kept: dict[str, int] = field(default_factory=dict[str, int], init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", self.count * 7)


class Lost(KeyError):
    """An error of ours."""
'''


def classes(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": __name__}
    exec(source, names)  # noqa: S102 - our own text
    return names


@pytest.mark.parametrize("say", [
    lambda of: repr(of["Bill"](1, 250)),
    lambda of: repr(of["Bill"](1, amount=3, flags={"a": "yes"})),
    lambda of: of["Bill"](1, 5).doubled(),
    lambda of: of["Bill"](1, 5) == of["Bill"](1, 5),
    lambda of: of["Bill"](1, 5, {}, "seen") == of["Bill"](1, 5),
    lambda of: of["Bill"](1).flags is of["Bill"](1).flags,
    lambda of: of["Bill"].__match_args__,
    lambda of: repr(of["Span"](2)),
    lambda of: of["Span"](2).kept,
    lambda of: of["Span"](1) < of["Span"](2),
    lambda of: hash(of["Span"](4)) == hash(of["Span"](4)),
    lambda of: copy(of["Bill"](1, 5, {"a": "yes"})) == of["Bill"](1, 5, {"a": "yes"}),
    lambda of: copy(of["Span"](3)) == of["Span"](3),
    lambda of: issubclass(of["Lost"], KeyError),
])  # fmt: skip
def test_what_is_written_out_does_what_the_decorator_did(say: Any) -> None:
    before, after = classes(_RECORDS), classes(native(_RECORDS))

    assert say(after) == say(before)


def test_the_initialiser_is_in_the_class_and_sets_each_field() -> None:
    written = native(_RECORDS)

    assert "def __init__(self, id: int, amount: int = 0, flags: dict[str, str] | None = None" in written
    assert "whatever: _typing.Any = field(" in written
    assert "slots" not in written


@pytest.mark.parametrize("body", [
    "@record\nclass A(B):\n    x: int\n",
    "@record\nclass A:\n    x: int = field(kw_only=True)\n",
    '@record\nclass A:\n    kind: ClassVar[str] = "a"\n    x: int\n',
])  # fmt: skip
def test_a_class_without_a_native_form_is_named(body: str) -> None:
    with pytest.raises(NotNative, match="A"):
        native(body)


def test_a_module_without_records_keeps_every_line() -> None:
    source = '"""Sums."""\n\nTWO = 2\n\n\ndef twice(number: int) -> int:\n    return number * TWO\n'

    written = native(source)

    assert [line for line in source.split("\n") if line not in written.split("\n")] == []
