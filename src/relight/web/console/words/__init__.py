"""The console's words: every text a person reads here, in each language one YAML file, read once.

A text has `{name}` for what is filled in, `{count|one|many}` to choose by a number, and `[ … {name} …]` around a part
that is left out when what it names is missing. The tests hold the languages to the same keys and the same names.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml
from django.http import HttpRequest

LANGUAGES = ("nb", "en")
LANGUAGE_KEY = "console_language"
_SCANDINAVIAN = ("nb", "no", "nn", "da", "sv")
_PLACE = re.compile(r"\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


@cache
def texts(language: str) -> Mapping[str, str]:
    """All texts of a language under dotted keys."""
    found: dict[str, str] = {}
    source = resources.files(__package__).joinpath(f"{language}.yaml").read_text("utf-8")
    _flatten("", yaml.load(source, _Words), found)  # noqa: S506 - a SafeLoader, see below
    return found


class _Words(yaml.SafeLoader):
    """YAML where `no`, `off` and `on` are words."""


_Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def say(language: str, key: str, /, **params: Any) -> str:
    """The text under `key`, filled in. An unknown key is a KeyError; a part in brackets may miss its names."""
    return fill(texts(language)[key], params)


def name(language: str, group: str, code: str) -> str:
    """What a code is called, such as ("level", "off"). Codes that partners make up are shown as they are, in words."""
    if not code:
        return ""
    found = texts(language).get(f"{group}.{code}")
    return found if found is not None else code.replace("_", " ").replace(".", " ").capitalize()


def fill(text: str, params: Mapping[str, Any]) -> str:
    """Fill `{…}` in, and drop bracketed parts whose names are missing or empty."""

    def part(match: re.Match[str]) -> str:
        names = [found[1] for found in _PLACE.finditer(match[1])]
        return match[1] if all(params.get(named) not in (None, "") for named in names) else ""

    def place(match: re.Match[str]) -> str:
        value = params[match[1]]
        return str(value) if match[2] is None else (match[2] if value == 1 else match[3])

    return _PLACE.sub(place, _OPTIONAL.sub(part, text))


def places(text: str) -> set[str]:
    """The names that a text fills in."""
    return {found[1] for found in _PLACE.finditer(text)}


def choose(request: HttpRequest, partner_language: str) -> str:
    """The reader's language: their own choice, else the partner's, else what the browser asks for."""
    chosen = request.session.get(LANGUAGE_KEY)
    if chosen in LANGUAGES:
        return chosen
    asked = partner_language or request.headers.get("Accept-Language", "nb")
    return "nb" if asked.lower().startswith(_SCANDINAVIAN) else "en"


def _flatten(prefix: str, tree: Mapping[str, Any], found: dict[str, str]) -> None:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            _flatten(f"{prefix}{key}.", value, found)
        else:
            found[f"{prefix}{key}"] = str(value)
