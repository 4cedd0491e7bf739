"""Validates a tree against a schema of `packs/` (policies, law packs, customers) and says in plain words what is wrong.

The schema is the one source of a file's form, for editors and for us. Two keywords are ours: `x-what` names a value
("a span of time") and `x-remedy` says what to write instead; validators ignore keywords that they do not know.
"""

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Protocol, cast

from jsonschema import Draft202012Validator

from relight.core.yaml_tree import Path, Tree

SHOWN_MAX = 40
POLICY_SCHEMA, LAW_SCHEMA = "policy.schema.json", "law.schema.json"
CUSTOMERS_SCHEMA = "customers.schema.json"
SCHEMAS = (CUSTOMERS_SCHEMA, LAW_SCHEMA, POLICY_SCHEMA)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What the schema refuses at a path. `of_key` says that the key is wrong and not its value."""

    path: Path
    message: str
    remedy: str = ""
    of_key: bool = False


class _Error(Protocol):
    """What we use of jsonschema's `ValidationError`, which has no types of its own."""

    validator: str
    validator_value: Any
    instance: Any
    schema: Mapping[str, Any]
    absolute_path: Iterable[str | int]
    relative_path: Sequence[str | int]
    relative_schema_path: Sequence[str | int]
    absolute_schema_path: Sequence[str | int]
    context: Sequence["_Error"]


def schema_text(schema: str = POLICY_SCHEMA) -> str:
    """A JSON Schema (draft 2020-12) as text, for editors."""
    return resources.files("relight.core.packs").joinpath(schema).read_text("utf-8")


def mistakes(tree: Tree, schema: str = POLICY_SCHEMA) -> list[Mistake]:
    """All that a schema refuses in a tree."""
    # The stubs know no Decimal, which the validator takes for the number that it is, and leave the errors untyped.
    validator = _validator(schema)
    iter_errors = cast(Callable[[Tree], Iterable[_Error]], validator.iter_errors)  # pyright: ignore[reportUnknownMemberType]
    errors = iter_errors(tree)
    return [mistake for error in errors for mistake in _explain(error)]


@lru_cache(maxsize=3)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(_schema(schema))


@lru_cache(maxsize=3)
def _schema(schema: str) -> dict[str, Any]:
    return json.loads(schema_text(schema))


@lru_cache(maxsize=1)
def _definitions() -> dict[str, dict[str, Any]]:
    """All schemas' definitions; one name is one thing in all of them."""
    return {name: what for schema in SCHEMAS for name, what in _schema(schema)["$defs"].items()}


def _explain(error: _Error) -> Iterator[Mistake]:
    if error.validator in ("oneOf", "anyOf"):
        yield from _explain_choice(error)
    elif "propertyNames" in error.absolute_schema_path:
        yield from _names(error, tuple(error.absolute_path))
    else:
        yield from _EXPLAIN.get(error.validator, _other)(error, tuple(error.absolute_path))


def _explain_choice(error: _Error) -> Iterator[Mistake]:
    """Explain the alternative that was meant, told by its type or its first key, instead of all that were not."""
    branches: dict[str | int, list[_Error]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [errors for errors in branches.values() if not any(map(_is_another, errors))]
    if len(meant) == 1:
        for inner in meant[0]:
            yield from _explain(inner)
        return
    path = tuple(error.absolute_path)
    if len(meant) > 1:
        keys = " and ".join(str(key) for key in error.instance)
        yield Mistake(path, f"{keys} stand together in one item", "give each action an item of its own")
        return
    yield _unknown_choice(error, path)


def _is_another(error: _Error) -> bool:
    """Whether the error says that this alternative is not the one that was meant."""
    return not error.relative_path and error.validator in ("type", "required") and not _misses_detail(error)


def _misses_detail(error: _Error) -> bool:
    """An alternative's first required key tells it from the others; a further one that is missing is a mistake."""
    return error.validator == "required" and error.schema["required"][0] in error.instance


def _unknown_choice(error: _Error, path: Path) -> Mistake:
    what, remedy = str(error.schema.get("x-what", "a value")), _remedy(error.schema)
    instance = error.instance
    if isinstance(instance, dict):
        keys = list(cast(dict[str, Any], instance))
        known = [inner.schema["required"][0] for inner in error.context if inner.validator == "required"]
        meant = next((near for key in keys for near in _near(key, known)), None)
        hint = f"; did you mean {meant}?" if meant else ""
        return Mistake(path, f"{_shown(instance)} is not {what}{hint}", remedy)
    return Mistake(path, f"{_shown(instance)} is not {what}", remedy)


def _unknown_keys(error: _Error, path: Path) -> Iterator[Mistake]:
    known = [str(key) for key in error.schema.get("properties", {})]
    for key in error.instance:
        if key not in known:
            near = _near(str(key), known)
            remedy = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            yield Mistake((*path, str(key)), f"unknown key {key!r}", remedy, of_key=True)


def _missing(error: _Error, path: Path) -> Iterator[Mistake]:
    # jsonschema reports each missing key by itself, and names it only in its English message.
    for key in error.validator_value:
        if key not in error.instance:
            part = error.schema["properties"].get(key, {})
            yield Mistake(path, f"{key!r} is missing", _remedy(part) or f"add {key}: …", of_key=True)


def _type(error: _Error, path: Path) -> Iterator[Mistake]:
    names = {"object": "a group of keys", "array": "a list", "string": "text", "boolean": "true or false"}
    names |= {"integer": "a whole number", "number": "a number"}
    what = str(error.schema.get("x-what") or names[str(error.validator_value)])
    given = "nothing" if error.instance is None else _shown(error.instance)
    yield Mistake(path, f"{given} is not {what}", _remedy(error.schema) or f"write {what}")


def _enum(error: _Error, path: Path) -> Iterator[Mistake]:
    known = [str(value) for value in error.validator_value]
    near = _near(str(error.instance), known)
    remedy = f"did you mean {near[0]}? " if near else ""
    remedy += _remedy(error.schema) or f"choose among {', '.join(known)}"
    yield Mistake(path, f"{_shown(error.instance)} is not known here", remedy)


def _pattern(error: _Error, path: Path) -> Iterator[Mistake]:
    what = str(error.schema.get("x-what", "of the right form"))
    yield Mistake(path, f"{_shown(error.instance)} is not {what}", _remedy(error.schema))


def _names(error: _Error, path: Path) -> Iterator[Mistake]:
    yield Mistake((*path, str(error.instance)), f"{_shown(error.instance)} is not a name", _remedy(error.schema), True)


def _bound(word: str, limit: str) -> "_Explainer":
    def explain(error: _Error, path: Path) -> Iterator[Mistake]:
        remedy = _remedy(error.schema) or f"write {limit} {error.validator_value}"
        yield Mistake(path, f"{error.instance} is {word} {error.validator_value}", remedy)

    return explain


def _size(word: str) -> "_Explainer":
    def explain(error: _Error, path: Path) -> Iterator[Mistake]:
        limit = error.validator_value
        remedy = _remedy(error.schema) or f"mind the limit of {limit}"
        yield Mistake(path, f"{len(error.instance)} is too {word} here: the limit is {limit}", remedy)

    return explain


def _unique(error: _Error, path: Path) -> Iterator[Mistake]:
    yield Mistake(path, "something stands in the list twice", "keep one of them")


def _other(error: _Error, path: Path) -> Iterator[Mistake]:
    yield Mistake(path, f"{_shown(error.instance)} breaks the rule {error.validator!r}", _remedy(error.schema))


_Explainer = Callable[[_Error, Path], Iterator[Mistake]]
_EXPLAIN: dict[str, _Explainer] = {
    "additionalProperties": _unknown_keys,
    "required": _missing,
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _bound("less than", "at least"),
    "maximum": _bound("more than", "at most"),
    "minItems": _size("few"),
    "minProperties": _size("few"),
    "maxItems": _size("many"),
    "maxProperties": _size("many"),
    "maxLength": _size("long"),
    "uniqueItems": _unique,
}


def _remedy(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema and "x-remedy" not in schema:
        schema = _definitions()[str(schema["$ref"]).rpartition("/")[2]]
    return str(schema.get("x-remedy", ""))


def _near(word: str, known: Sequence[str]) -> list[str]:
    return difflib.get_close_matches(word, known, n=1, cutoff=0.6)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "…"
