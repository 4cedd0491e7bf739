"""What a reader of any file may rely on: small files, a docstring on all that is public, a reason at each statement."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.tidy.tree import PACKAGE, ROOT, modules, texts

LINES_MAX = 450
_GROWS_BY_DATA = ("migrations", "schema.ddl", "words", "static", "laws")  # what grows is data, or is made by Django
_SHAPES = {"core/policy_tree.py"}  # their words are in the schema, beside each field
_DOWNLOADS = re.compile(
    r"://[^\s/\"']*(pypi|pythonhosted|npmjs|registry|mirror|artifact|nexus|proxy|\.internal\b|\.local\b)|\"resolved\":"
)
_MACHINES = re.compile(
    r"(?<![\w.])(/wor[k]/|/root/|/home/[a-z]|/Users/[a-z])|\b(192\.168|172\.(1[6-9]|2\d|3[01])|169\.254)\.\d+\.\d+\b"
)
_HERE = {"tests/tidy/test_style.py"}


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Public classes, functions and methods without a docstring, and the module itself as ""."""
    if tree.body and not ast.get_docstring(tree):
        yield ""
    yield from _undocumented(tree, "", is_protocol=False)


def _undocumented(node: ast.Module | ast.ClassDef, prefix: str, *, is_protocol: bool) -> Iterator[str]:
    for child in node.body:
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        attribute = is_protocol and any(getattr(mark, "id", "") == "property" for mark in child.decorator_list)
        if child.name.startswith("_") or child.name == "Meta" or attribute:
            continue
        if not ast.get_docstring(child) and not _is_overload_or_setter(child):
            yield prefix + child.name
        if isinstance(child, ast.ClassDef):
            bases = {getattr(base, "id", getattr(base, "attr", "")) for base in child.bases}
            yield from _undocumented(child, f"{prefix}{child.name}.", is_protocol="Protocol" in bases)


def _is_overload_or_setter(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any(getattr(mark, "id", getattr(mark, "attr", "")) in ("overload", "setter") for mark in node.decorator_list)


def without_reason(sql: str) -> list[str]:
    """Statements whose name is followed by no reason, on its line or on the next."""
    lines = sql.splitlines()
    found: list[str] = []
    for number, line in enumerate(lines):
        named = re.fullmatch(r"-- (?:name: (\w+)|(\w+):(.*))", line)
        if named is None:
            continue
        beside = (named[3] or "").strip()
        below = lines[number + 1].removeprefix("--").strip() if number + 1 < len(lines) else ""
        reason = beside if named[2] else (below if lines[number + 1].startswith("--") else "")
        if len(reason.split()) < 2:
            found.append(named[1] or named[2])
    return found


def test_no_file_is_too_long_to_read() -> None:
    lengths = {
        str(path.relative_to(ROOT)): text.count("\n")
        for path, text in texts(under=PACKAGE)
        if not set(path.parts) & set(_GROWS_BY_DATA)
    }

    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX} == {}


def test_everything_public_says_what_it_is() -> None:
    missing = [f"{name}: {what or 'the module'}" for name, tree in modules() if name not in _SHAPES
               for what in undocumented(tree)]  # fmt: skip

    assert missing == []


@pytest.mark.parametrize(
    ("planted", "names"),
    [
        ('"""Doc."""\ndef owed(): return 1', ["owed"]),
        ('"""Doc."""\nclass Claim:\n    """Doc."""\n    def owed(self): return 1', ["Claim.owed"]),
        ("x = 1", [""]),
        ('"""Doc."""\ndef _private(): return 1', []),
    ],
)
def test_a_planted_silence_is_noticed(planted: str, names: list[str]) -> None:
    assert list(undocumented(ast.parse(planted))) == names


def test_every_statement_says_why() -> None:
    missing = {str(path.relative_to(PACKAGE)): names for path, sql in texts(under=PACKAGE, ending=(".sql",))
               if (names := without_reason(sql))}  # fmt: skip

    assert missing == {}
    assert without_reason("-- due: \nSELECT 1\n-- name: late\nSELECT 2\n-- good: by its index\nSELECT 3") == [
        "due",
        "late",
    ]


def names_a_machine(text: str) -> list[str]:
    """Paths and addresses of one machine or network, and where packages were downloaded from."""
    return [found[0] for pattern in (_MACHINES, _DOWNLOADS) for found in pattern.finditer(text)]


def test_no_path_or_address_of_a_machine_is_in_the_repository() -> None:
    found = {str(path.relative_to(ROOT)): names for path, text in texts() if (names := names_a_machine(text))}

    assert {name: names for name, names in found.items() if name not in _HERE} == {}


@pytest.mark.parametrize(
    "planted",
    [
        "/Users/kari/x",
        "at /root/.pyenv",
        "/home/kari/relight",
        "http://192.168.1.7:80",
        "https://packages.mirror.example/simple",
        '"resolved": "https://somewhere.example/x.tgz"',
    ],
)
def test_a_planted_path_or_address_is_noticed(planted: str) -> None:
    assert names_a_machine(planted) != []


@pytest.mark.parametrize("name", ["base", "build", "compile", "test"])
def test_requirements_are_pinned_with_hashes_and_say_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    logical = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.lstrip().startswith("#")]

    assert logical != []
    assert [line for line in logical if "==" not in line or "--hash=sha256:" not in line] == []
    assert [line for line in text.splitlines() if "://" in line or line.startswith("-")] == []


def test_every_word_of_the_glossary_is_there_once_and_in_every_language() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs" / "glossary.md").read_text().splitlines()
        if line.startswith("|") and not set(line) <= set("|- ")
    ][1:]
    terms = [row[0] for row in rows]

    assert len(terms) > 40
    assert [row for row in rows if len(row) != 5 or not all(row)] == []
    assert sorted(set(terms)) == sorted(terms)
    assert [term for term in terms if term != term.lower()] == []


def test_every_noun_that_has_a_table_of_its_own_is_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text().lower()
    nouns = {"account", "access point", "approval", "attempt", "block", "case", "claim", "effect", "event", "flag",
             "hold", "party", "partner", "premises", "source", "step", "supply", "task", "transfer"}  # fmt: skip

    assert {noun for noun in nouns if f"| {noun} |" not in glossary} == set()
