"""The tree of files as the repository has it, and Python as its compiler reads it."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "relight"


@cache
def tracked() -> tuple[Path, ...]:
    """Files of the repository, those not committed yet included, ignored ones left out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(path for name in sorted(set(listed.split("\0"))) if name and (path := ROOT / name).is_file())


def texts(*, under: Path = ROOT, ending: tuple[str, ...] = ()) -> Iterator[tuple[Path, str]]:
    """Text files below a folder, with what is in them; `ending` picks by the end of the name."""
    for path in tracked():
        if not path.is_relative_to(under) or (ending and not path.name.endswith(ending)):
            continue
        try:
            yield path, path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # pictures and fonts


def modules(*, under: Path = PACKAGE) -> Iterator[tuple[str, ast.Module]]:
    """Python files below a folder, by their path from there; migrations left out."""
    for path, text in texts(under=under, ending=(".py",)):
        if "migrations" not in path.parts:
            yield str(path.relative_to(under)), ast.parse(text)


def strings(tree: ast.AST) -> Iterator[str]:
    """Every text that a module holds, docstrings left out."""
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.value
