"""What is logged is shown: a field that `relight.telemetry.logs` does not let through would be left out for ever."""

import ast
from collections.abc import Iterator
from pathlib import Path

from relight.telemetry.logs import ALLOWED

PACKAGE = Path(__file__).parents[2] / "src" / "relight"
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
_LOGGERS = {"log", "_log"}


def fields(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the name of each field that is given to a logger."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=logger), attr=level), keywords=given) if (
                logger in _LOGGERS and level in _LEVELS
            ):
                yield from ((node.lineno, one.arg) for one in given if one.arg and one.arg != "exc_info")


def test_every_field_that_is_logged_may_be_shown() -> None:
    found = [(path, *one) for path in PACKAGE.rglob("*.py") for one in fields(ast.parse(path.read_text()))]

    assert len(found) > 50
    assert [(str(path.relative_to(PACKAGE)), line, name) for path, line, name in found if name not in ALLOWED] == []


def test_a_planted_field_is_seen() -> None:
    assert list(fields(ast.parse("log.info('x', customer=1, case=2)"))) == [(1, "customer"), (1, "case")]
