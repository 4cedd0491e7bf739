"""What other systems call things, in our words. What is not known stays unknown; nothing is guessed."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import resources
from typing import Any, cast

from relight.core.yaml_tree import read_tree

_NUMBER = re.compile(r"[0-9]+(?:st|nd|rd|th|e|te)?")
_SEVERAL = re.compile(r"[+,;/&|]")


@dataclass(frozen=True, slots=True)
class Words:
    """Words of other systems, folded. `acts` has an empty tuple for a step that is nothing in law."""

    acts: Mapping[str, tuple[str, ...]]
    services: Mapping[str, str]
    debtors: Mapping[str, str] = field(default_factory=dict[str, str])
    channels: Mapping[str, str] = field(default_factory=dict[str, str])
    columns: Mapping[str, str] = field(default_factory=dict[str, str])

    def acts_of(self, step: str) -> tuple[str, ...] | None:
        """What a step is in law; None where nobody knows."""
        return self.acts.get(fold(step))

    def service_of(self, text: str) -> str | None:
        """Our name of a service; None where nobody knows."""
        return self.services.get(fold(text))

    def debtor_of(self, text: str) -> str | None:
        """consumer or business; None where nobody knows."""
        return self.debtors.get(fold(text))

    def channels_of(self, text: str) -> frozenset[str]:
        """The ways that a cell names, one or several ("brev + sms"); a word that is not ours is a way of its own."""
        parts = {fold(part) for part in _SEVERAL.split(text)} - {""}
        return frozenset(self.channels.get(part, part) for part in parts)

    def column_of(self, header: str) -> str | None:
        """Which of our columns a header is; None where nobody knows."""
        return self.columns.get(plain(header))

    def extended(self, steps: Mapping[str, Iterable[str]], services: Mapping[str, str]) -> "Words":
        """These words, and a utility's own, which come first."""
        acts = {**self.acts, **{fold(step): tuple(named) for step, named in steps.items()}}
        kinds = {**self.services, **{fold(theirs): ours for theirs, ours in services.items()}}
        return replace(self, acts=acts, services=kinds)


def fold(text: str) -> str:
    """A word without what people vary: case, signs, and the number of the step."""
    return " ".join(part for part in plain(text).split() if not _NUMBER.fullmatch(part))


def plain(text: str) -> str:
    """A header without what people vary: case and signs. Numbers stay, for they tell columns apart."""
    return " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", text).casefold()).split())


@lru_cache(maxsize=1)
def packaged_words() -> Words:
    """The words that come with Relight: Norwegian, Danish, Dutch, German, Swedish and English."""
    text = resources.files("relight.core.second_opinion").joinpath("words.yaml").read_text("utf-8")
    document = read_tree(text)
    assert not document.findings, document.findings
    tree = cast(dict[str, Any], document.tree)
    acts = {word: (ours,) for word, ours in _turned(tree["acts"]).items()}
    nothing = {fold(word): () for word in tree["nothing"]}
    columns = {plain(word): name for name, words in tree["columns"].items() for word in (name, *words)}
    services, debtors, channels = (_turned(tree[key]) for key in ("services", "debtors", "channels"))
    return Words({**nothing, **acts}, services, debtors, channels, columns)


def known_acts() -> frozenset[str]:
    """Every act that a mapping may name."""
    return frozenset(name for named in packaged_words().acts.values() for name in named)


def known_columns() -> frozenset[str]:
    """Every column that a mapping may name."""
    return frozenset(packaged_words().columns.values())


def known_services() -> frozenset[str]:
    """Every service that a mapping may name."""
    return frozenset(packaged_words().services.values())


def _turned(ours: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Their words, each with ours; ours stand for themselves."""
    return {fold(word): name for name, words in ours.items() for word in (name, *words)}
