"""Mappings: which column is which field, and how a file writes dates and numbers; YAML, ours or the user's own."""

import codecs
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.parse import is_date_format

FLAG = "flag:"
FIELDS = {
    "invoices": frozenset(
        (
            "number", "account", "amount", "due_date", "issued_date", "sent_date", "reference", "currency", "creditor",
            "service_kind", "service", "disputed", "status", "credits", "line_amount", "line_text", "line_kind",
            "line_vat", "line_disputed", "line_service", "line_counts_for_cut", "customer", "name", "customer_kind",
            "org_number", "language", "debtor", "profile", "mobile", "email", "postal", "premises", "premises_kind",
            "street", "postcode", "city", "municipality", "access_point", "meter_serial", "meter_address", "product",
            "driver", "driver_address", "full_profile",
        )
    ),
    "payments": frozenset(
        ("ref", "amount", "value_date", "currency", "state", "account", "reference", "payer")
    ),
    "cases": frozenset(("account", "step", "completed_date", "pay_by_date", "claims", "proof")),
}  # fmt: skip
REQUIRED = {
    "invoices": ("number", "account", "amount", "due_date"),
    "payments": ("ref", "amount", "value_date"),
    "cases": ("account", "step", "completed_date", "claims", "proof"),
}
_KEYS = frozenset(
    (
        "mapping", "kind", "recognise", "delimiter", "encoding", "dates", "decimal", "grouping", "columns", "defaults",
        "words", "other_when_empty",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a field is: the first of `names` that the header has, or a text like "{number}-{day}" of several."""

    names: tuple[str, ...]
    template: str = ""


@dataclass(frozen=True, slots=True)
class FileMapping:
    """How to read one kind of file.

    `words` turn a file's own words into ours; a row in which a field of `other_when_empty` is empty counts as other.
    """

    name: str
    kind: str
    recognise: tuple[str, ...]
    columns: Mapping[str, Columns]
    dates: tuple[str, ...] = ("YYYY-MM-DD",)
    decimal: str = "."
    grouping: str = ""
    delimiter: str = ""
    encoding: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    other_when_empty: tuple[str, ...] = ()

    def fits(self, header: Iterable[str]) -> bool:
        """Whether the header has every column that this mapping is recognised by."""
        return {fold(name) for name in self.recognise} <= {fold(name) for name in header}


def fold(name: str) -> str:
    """A column's name without what people vary: case and spaces around."""
    return name.strip().casefold()


def find_mapping(kind: str, header: list[str], given: str | Path | None) -> FileMapping:
    """The mapping that was asked for (a name, or a YAML file), else the one that the header fits best.

    Raises `UnableToImport` with the names there are, or with the columns that are missing.
    """
    found = named_mapping(kind, given) if given else _recognise(kind, header)
    if not found.fits(header):
        have = {fold(name) for name in header}
        missing = [name for name in found.recognise if fold(name) not in have]
        raise UnableToImport(
            f"Mapping {found.name} needs the columns {', '.join(missing)}, and the file has none such."
        )
    return found


def named_mapping(kind: str, given: str | Path) -> FileMapping:
    """A built-in mapping by name, or one from a YAML file. Raises `UnableToImport`."""
    built_in = {mapping.name: mapping for mapping in built_in_mappings()}
    found = built_in.get(str(given))
    if found is None:
        path = Path(given)
        if not path.is_file():
            names = sorted(name for name, mapping in built_in.items() if mapping.kind == kind)
            raise UnableToImport(f"There is no mapping {given!s}. There are {', '.join(names)}; or give a YAML file.")
        found = read_mapping(path.read_text("utf-8", errors="replace"), path.name)
    if found.kind != kind:
        raise UnableToImport(f"Mapping {found.name} reads {found.kind}, not {kind}. Use another, or the other command.")
    return found


@cache
def built_in_mappings() -> tuple[FileMapping, ...]:
    """The mappings that come with Relight, by name."""
    folder = files(__package__).joinpath("mappings")
    texts = sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".yaml"))
    return tuple(read_mapping(text, name) for name, text in texts)


def _recognise(kind: str, header: list[str]) -> FileMapping:
    fitting = [mapping for mapping in built_in_mappings() if mapping.kind == kind and mapping.fits(header)]
    if not fitting:
        shown = ", ".join(header[:12]) or "no names"
        required = ", ".join(REQUIRED[kind])
        raise UnableToImport(
            f"The columns ({shown}) are not known. Name them {required}, or say what they are with --mapping FILE."
        )
    return max(fitting, key=lambda mapping: len(mapping.recognise))


def read_mapping(text: str, name: str) -> FileMapping:
    """A mapping from YAML. Raises `UnableToImport` that names what is wrong."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as refused:
        raise UnableToImport(f"{name} is not YAML: {refused}.") from None
    if not isinstance(data, dict):
        raise UnableToImport(f"{name} must say `mapping`, `kind` and `columns`.")
    _check(data, name)
    kind, columns = data["kind"], {key: _columns(value) for key, value in data["columns"].items()}
    required = [columns[key].names[0] for key in REQUIRED[kind] if key in columns and not columns[key].template]
    return FileMapping(
        name=str(data.get("mapping") or Path(name).stem),
        kind=kind,
        recognise=tuple(map(str, data.get("recognise") or required)),
        columns=columns,
        dates=tuple(_list(data.get("dates", "YYYY-MM-DD"))),
        decimal=str(data.get("decimal", ".")),
        grouping=str(data.get("grouping", "")),
        delimiter=str(data.get("delimiter", "")),
        encoding=str(data.get("encoding", "")),
        defaults={str(key): str(value) for key, value in (data.get("defaults") or {}).items()},
        words=_words(data.get("words") or {}),
        other_when_empty=tuple(_list(data.get("other_when_empty", []))),
    )


def _check(data: dict[str, Any], name: str) -> None:
    kind = data.get("kind")
    if kind not in FIELDS:
        raise UnableToImport(f"{name}: `kind` must be one of {', '.join(FIELDS)}.")
    if not isinstance(data.get("columns"), dict):
        raise UnableToImport(f"{name}: `columns` must say which column each field is.")
    said = {*data["columns"], *(data.get("defaults") or {}), *(data.get("words") or {})}
    unknown = sorted(str(key) for key in said if key not in FIELDS[kind] and not str(key).startswith(FLAG))
    unknown += sorted(str(key) for key in data if key not in _KEYS)
    if unknown:
        raise UnableToImport(f"{name}: unknown {', '.join(unknown)}. Fields are {', '.join(sorted(FIELDS[kind]))}.")
    given = {*data["columns"], *(data.get("defaults") or {})}
    missing = [key for key in REQUIRED[kind] if key not in given]
    if missing:
        raise UnableToImport(f"{name}: `columns` must say where {', '.join(missing)} is.")
    wrong = [form for form in _list(data.get("dates", "YYYY-MM-DD")) if not is_date_format(form)]
    if wrong:
        raise UnableToImport(f"{name}: {wrong[0]!r} is not a date format. Write it like DD.MM.YYYY or M/D/YYYY.")
    try:
        codecs.lookup(str(data.get("encoding") or "utf-8"))
    except LookupError:
        raise UnableToImport(f"{name}: there is no encoding {data['encoding']!r}. Write utf-8 or latin-1.") from None
    if data.get("decimal", ".") not in (".", ","):
        raise UnableToImport(f"{name}: `decimal` must be . or , (in quotation marks).")


def _columns(value: object) -> Columns:
    names = tuple(_list(value))
    template = names[0] if len(names) == 1 and "{" in names[0] else ""
    return Columns(() if template else names, template)


def _list(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _words(data: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, str]]:
    return {
        str(key): {fold(theirs): ours for ours, several in words.items() for theirs in _list(several)}
        for key, words in data.items()
    }
