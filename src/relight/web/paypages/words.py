"""The pay page's words in five languages, read once from `words/<language>.yaml`."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import yaml

from relight.flow.messages.catalog import fill, reference_word, service_kind, service_words
from relight.flow.messages.context import LANGUAGES, WrongContext

_FOLDER = resources.files("relight.web.paypages") / "words"


@cache
def words_of(language: str) -> Mapping[str, Any]:
    """All words of one language; raises `WrongContext` for one that we do not have."""
    if language not in LANGUAGES:
        raise WrongContext(f"language {language!r}: one of {', '.join(LANGUAGES)}")
    words: Mapping[str, Any] = yaml.safe_load((_FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return words


class Words:
    """The words of one page: `words("pay_title")`, `words("pay_by", date="3. desember")`, `words("next.notice", …)`.

    Knows the service and the way the country names a payment's reference. A missing word is a `KeyError`, a missing
    fact a jinja2.UndefinedError: never a gap on a page.
    """

    def __init__(self, language: str, country: str, service: str) -> None:
        forms = service_words(language, service)
        self._words = words_of(language)
        self._facts = {
            "the": forms["the"],
            "The": forms["the"][:1].upper() + forms["the"][1:],
            "obj": forms["obj"],
            "service_name": forms["name"],
            "reference_word": reference_word(language, country),
        }
        self._said: dict[str, str] = {}
        self.has_button = service_kind(service) == "electricity"

    def __call__(self, key: str, **facts: object) -> str:
        """One sentence, filled in. Text, not HTML: the page escapes it."""
        if facts:
            return fill(self._sentence(key), {**self._facts, **facts})
        if key not in self._said:
            sentence = self._sentence(key)
            self._said[key] = fill(sentence, self._facts) if "{{" in sentence else sentence
        return self._said[key]

    def _sentence(self, key: str) -> str:
        sentence: Any = self._words
        for part in key.split("."):
            sentence = sentence[part]
        return str(sentence)

    def listed(self, key: str) -> tuple[str, ...]:
        """A list of sentences that need no facts."""
        return tuple(self._words[key])


@lru_cache(maxsize=1024)
def words_for(language: str, country: str, service: str) -> Words:
    """The words of a page, kept: most sentences of a service are the same for all its customers."""
    return Words(language, country, service)


def language_name(language: str) -> str:
    """What speakers call their language."""
    return str(words_of(language)["language_name"])
