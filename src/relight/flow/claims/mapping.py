"""Finding a file's mapping: the one asked for, ours by name or the user's own, else the one that its header fits."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from relight.flow.claims.columns import FLAG, HOLE, REQUIRED, FileMapping, fold
from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.mapping_file import read_mapping


def find_mapping(kind: str, header: list[str], given: str | Path | None) -> FileMapping:
    """The mapping that was asked for (a name, or a YAML file), else the one that the header fits best.

    Raises `UnableToImport` with the names there are, or with the columns that are missing or stand twice.
    """
    found = named_mapping(kind, given) if given else _recognise(kind, header)
    missing = found.missing(frozenset(map(fold, header)))
    if missing:
        raise UnableToImport(
            f"Mapping {found.name} needs the columns {', '.join(missing)}, and the file has none such."
        )
    _refuse_twins(found, header)
    return found


def _refuse_twins(mapping: FileMapping, header: list[str]) -> None:
    """Of two columns with one name nobody can say which is meant."""
    read = {fold(name) for columns in mapping.columns.values() for name in columns.names}
    read |= {fold(hole) for columns in mapping.columns.values() for hole in HOLE.findall(columns.template)}
    names = [fold(name) for name in header]
    for name in header:
        if names.count(fold(name)) > 1 and (fold(name) in read or fold(name).startswith(FLAG)):
            raise UnableToImport(f"Two columns are called {name}. Rename the one that is not meant.")


def named_mapping(kind: str, given: str | Path) -> FileMapping:
    """A built-in mapping by name, or one from a YAML file. Raises `UnableToImport`."""
    built_in = {mapping.name: mapping for mapping in built_in_mappings()}
    found = built_in.get(str(given))
    if found is None:
        found = _from_file(Path(given), sorted(name for name, mapping in built_in.items() if mapping.kind == kind))
    if found.kind != kind:
        raise UnableToImport(f"Mapping {found.name} reads {found.kind}, not {kind}. Use another, or the other command.")
    return found


def _from_file(path: Path, names: list[str]) -> FileMapping:
    if not path.is_file():
        raise UnableToImport(f"There is no mapping {path}. There are {', '.join(names)}; or give a YAML file.")
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise UnableToImport(f"Mapping {path} is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as refused:
        raise UnableToImport(f"Mapping {path} cannot be opened: {refused.strerror}. Check its rights.") from None
    return read_mapping(text, path.name)


@cache
def built_in_mappings() -> tuple[FileMapping, ...]:
    """The mappings that come with Relight, by name."""
    folder = files(__package__).joinpath("mappings")
    texts = sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".yaml"))
    return tuple(read_mapping(text, name) for name, text in texts)


def _recognise(kind: str, header: list[str]) -> FileMapping:
    fitting = [mapping for mapping in built_in_mappings() if mapping.kind == kind and mapping.fits(header)]
    if not fitting:
        shown = ", ".join(name[:40] for name in header[:12]) or "no names"
        required = ", ".join(REQUIRED[kind])
        raise UnableToImport(
            f"The columns ({shown}) are not known. Name them {required}, or say what they are with --mapping FILE."
        )
    return max(fitting, key=lambda mapping: len(mapping.recognise))
