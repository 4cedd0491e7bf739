"""A utility's own words and formats for its log, from YAML: steps, services, columns, dates, decimal sign."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from relight.core.second_opinion.words import Words, known_acts, known_columns, known_services, packaged_words
from relight.core.yaml_tree import Document, read_tree
from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.parse import is_date_format

DATES = ("YYYY-MM-DD", "D.M.YYYY", "D-M-YYYY", "D/M/YYYY", "YYYYMMDD")  # day before month, as in all six countries
_SECTIONS = ("steps", "services", "columns", "dates", "decimal")


@dataclass(frozen=True, slots=True)
class LogMapping:
    """How to read a log. `decimal`: "," or ".", or empty where each cell shows it."""

    words: Words = field(default_factory=packaged_words)
    columns: dict[str, str] = field(default_factory=dict[str, str])
    dates: tuple[str, ...] = DATES
    decimal: str = ""


def read_log_mapping(path: Path) -> LogMapping:
    """A mapping from a file: sections, or just steps with what they are. Raises `UnableToImport` with the line."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UnableToImport(f"Mapping {path} is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as refused:
        raise UnableToImport(f"Mapping {path} cannot be opened: {refused.strerror}. Check name and rights.") from None
    document = read_tree(text)
    if document.findings:
        first = document.findings[0]
        raise UnableToImport(f"{path.name}, line {first.line}: {first.message}; {first.remedy}.")
    if not isinstance(document.tree, dict):
        raise UnableToImport(f"{path.name}: a mapping says `steps:` and under it lines like `Brev 7: reminder`.")
    return _Checked(document, path.name).mapping()


class _Checked:
    """A mapping's tree, read section by section."""

    def __init__(self, document: Document, name: str):
        self._document, self._name = document, name
        tree = cast(dict[str, Any], document.tree)
        self._flat = not any(isinstance(value, dict) or key in ("dates", "decimal") for key, value in tree.items())
        self._tree = {"steps": tree} if self._flat else tree

    def mapping(self) -> LogMapping:
        """All sections together."""
        for key in self._tree:
            if key not in _SECTIONS:
                self._refuse((key,), f"there is no {key!r} in a mapping. There are {', '.join(_SECTIONS)}")
        steps = {step: self._acts(step, value) for step, value in self._section("steps").items()}
        services = self._named("services", known_services())
        dates = tuple(map(str, _list(self._tree.get("dates") or list(DATES))))
        for form in dates:
            if not is_date_format(form):
                self._refuse(("dates",), f"{form!r} is not a date format. Write it like DD.MM.YYYY")
        decimal = str(self._tree.get("decimal") or "")
        if decimal not in ("", ",", "."):
            self._refuse(("decimal",), "`decimal` must be . or , (in quotation marks)")
        columns = {ours: str(theirs) for ours, theirs in self._section("columns").items()}
        for ours in columns:
            self._known(("columns", ours), ours, known_columns())
        return LogMapping(packaged_words().extended(steps, services), columns, dates, decimal)

    def _acts(self, step: str, value: object) -> tuple[str, ...]:
        acts = tuple(str(one) for one in _list(value)) if value is not None else ()
        acts = () if acts == ("nothing",) else acts
        for act in acts:
            self._known(("steps", step), act, known_acts())
        return acts

    def _named(self, section: str, known: frozenset[str]) -> dict[str, str]:
        found = {theirs: str(ours) for theirs, ours in self._section(section).items()}
        for theirs, ours in found.items():
            self._known((section, theirs), ours, known)
        return found

    def _section(self, name: str) -> dict[str, Any]:
        found = self._tree.get(name) or {}
        if not isinstance(found, dict):
            self._refuse((name,), f"`{name}` must be a list of names with values, like `Brev 7: reminder`")
        return cast(dict[str, Any], found)

    def _known(self, path: tuple[str, ...], word: str, known: frozenset[str]) -> None:
        if word not in known:
            self._refuse(path, f"{word!r} is nothing that is known. There are {', '.join(sorted(known))}")

    def _refuse(self, path: tuple[str, ...], sentence: str) -> None:
        line = self._document.key_place(path[1:] if self._flat else path)[0]
        raise UnableToImport(f"{self._name}, line {line}: {sentence}.")


def _list(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else [value]
