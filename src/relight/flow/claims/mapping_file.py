"""A mapping as YAML: read with line numbers, so that each mistake is named where it stands."""

from pathlib import Path
from typing import Any, cast

from relight.core.yaml_tree import Document, read_tree
from relight.flow.claims.columns import FIELDS, FLAG, LEFT_OUT, REQUIRED, Columns, FileMapping, fold
from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.parse import is_date_format

_KEYS = (
    "mapping", "kind", "recognise", "delimiter", "encoding", "dates", "decimal", "grouping", "columns", "defaults",
    "words", "other_when_empty",
)  # fmt: skip
ENCODINGS = {
    "utf-8": "utf-8-sig", "utf8": "utf-8-sig", "latin-1": "latin-1", "iso-8859-1": "latin-1",
    "iso-8859-15": "iso-8859-15", "windows-1252": "cp1252", "cp1252": "cp1252", "cp850": "cp850", "cp865": "cp865",
}  # fmt: skip
_FINDINGS_MAX = 5
_INSTEAD_OF_AMOUNT = "line_amount"


def read_mapping(text: str, name: str) -> FileMapping:
    """A mapping from YAML; `name` is the file's. Raises `UnableToImport` with each mistake's line."""
    document = read_tree(text)
    checker = _Checker(document)
    if document.findings:
        checker.found = [(found.line, f"{found.message}; {found.remedy}.") for found in document.findings]
    elif not isinstance(document.tree, dict):
        checker.found = [(1, "a mapping must say `kind` and `columns`.")]
    else:
        checker.check()
    if checker.found:
        told = [f"{name}, line {line}: {sentence}" for line, sentence in sorted(checker.found)[:_FINDINGS_MAX]]
        raise UnableToImport("\n".join(told))
    return _built(cast(dict[str, Any], document.tree), name)


def _built(data: dict[str, Any], name: str) -> FileMapping:
    kind, columns = data["kind"], {key: _columns(value) for key, value in data["columns"].items()}
    required = [columns[key].names[0] for key in REQUIRED[kind] if key in columns and not columns[key].template]
    given = {key: str(data[key]) for key in ("decimal", "grouping", "delimiter") if data.get(key) is not None}
    return FileMapping(
        name=str(data.get("mapping") or Path(name).stem),
        kind=kind,
        recognise=tuple(_list(data["recognise"])) if data.get("recognise") else tuple(required),
        columns=columns,
        dates=tuple(_list(data.get("dates", "YYYY-MM-DD"))),
        encoding=ENCODINGS[fold(str(data["encoding"]))] if data.get("encoding") else "",
        defaults={key: str(value) for key, value in (data.get("defaults") or {}).items()},
        words=_words(data.get("words") or {}),
        other_when_empty=tuple(_list(data.get("other_when_empty") or [])),
        **given,
    )


class _Checker:
    """Looks at a mapping's tree; `found` is what is wrong, by line."""

    def __init__(self, document: Document):
        self.document, self.found = document, list[tuple[int, str]]()
        self.data: dict[str, Any] = document.tree if isinstance(document.tree, dict) else {}

    def check(self) -> None:
        """Everything, in the order in which people write it."""
        for key in self.data:
            if key not in _KEYS:
                self._at_key((key,), f"there is no {key!r} in a mapping. There are {', '.join(_KEYS)}.")
        kind = self.data.get("kind")
        if kind not in FIELDS:
            self._at(("kind",), f"`kind` must be one of {', '.join(FIELDS)}.")
            return
        for key in ("columns", "defaults", "words"):
            self._fields(key, FIELDS[cast(str, kind)])
        self._required(cast(str, kind))
        self._formats()
        self._lists(FIELDS[cast(str, kind)])

    def _at(self, path: tuple[str | int, ...], sentence: str) -> None:
        self.found.append((self.document.place(path)[0], sentence))

    def _at_key(self, path: tuple[str | int, ...], sentence: str) -> None:
        self.found.append((self.document.key_place(path)[0], sentence))

    def _fields(self, key: str, fields: frozenset[str]) -> None:
        said = self.data.get(key)
        if said is None and key != "columns":
            return
        if not isinstance(said, dict):
            self._at((key,), f"`{key}` must be a list of names with values, like `amount: Sum`.")
            return
        for name, value in said.items():
            if name not in fields and not (name.startswith(FLAG) and key != "defaults"):
                known = ", ".join(sorted(fields))
                self._at_key((key, name), f"there is no field {name!r}. Fields are {known}.")
            elif key == "words":
                self._words(name, value)
            elif not (_is_plain(value) or (key == "columns" and _is_list(value))):
                self._at((key, name), f"`{name}` must be a text.")

    def _words(self, name: str, value: Any) -> None:
        if not isinstance(value, dict) or not all(_is_plain(word) or _is_list(word) for word in value.values()):
            self._at(("words", name), f"`{name}` must say for each of our words what the file calls it.")

    def _required(self, kind: str) -> None:
        columns = self.data.get("columns")
        if not isinstance(columns, dict):
            return
        given = {*columns, *(self.data.get("defaults") or {})}
        if _INSTEAD_OF_AMOUNT in given:
            given.add("amount")
        missing = [name for name in REQUIRED[kind] if name not in given and (kind, name) not in LEFT_OUT]
        if missing:
            self._at_key(("columns",), f"`columns` must say where {', '.join(missing)} is.")

    def _formats(self) -> None:
        for form in _list(self.data.get("dates", "YYYY-MM-DD")):
            if not is_date_format(form):
                self._at(("dates",), f"{form!r} is not a date format. Write it like DD.MM.YYYY or M/D/YYYY.")
        decimal, grouping = self.data.get("decimal", "."), str(self.data.get("grouping") or "")
        if decimal not in (".", ","):
            self._at(("decimal",), "`decimal` must be . or , (in quotation marks).")
        elif decimal in grouping:
            self._at(("grouping",), f"{decimal} cannot be both the decimal sign and between the thousands.")
        if any(mark.isalnum() or mark in "+-" for mark in grouping):
            self._at(("grouping",), "`grouping` holds the signs between thousands, such as a space or a dot.")
        delimiter = self.data.get("delimiter")
        if delimiter is not None and (len(str(delimiter)) != 1 or str(delimiter).isalnum() or delimiter in '" \r\n'):
            self._at(("delimiter",), 'the delimiter must be one sign, such as ";" or "\\t".')
        encoding = self.data.get("encoding")
        if encoding is not None and fold(str(encoding)) not in ENCODINGS:
            self._at(("encoding",), f"there is no encoding {encoding!r} here. There are {', '.join(ENCODINGS)}.")

    def _lists(self, fields: frozenset[str]) -> None:
        for name in _list(self.data.get("other_when_empty") or []):
            if name not in fields:
                self._at(("other_when_empty",), f"there is no field {name!r}.")
        recognise = self.data.get("recognise")
        if recognise is not None and not (_is_list(recognise) or _is_plain(recognise)):
            self._at(("recognise",), "`recognise` must be a list of the header's columns.")


def _is_plain(value: object) -> bool:
    return value is not None and not isinstance(value, dict | list)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_plain(one) for one in value)


def _columns(value: object) -> Columns:
    names = tuple(_list(value))
    template = names[0] if len(names) == 1 and "{" in names[0] else ""
    return Columns(() if template else names, template)


def _list(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _words(data: dict[str, dict[str, object]]) -> dict[str, dict[str, str]]:
    return {
        key: {fold(theirs): str(ours) for ours, several in words.items() for theirs in _list(several)}
        for key, words in data.items()
    }
