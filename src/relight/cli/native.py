"""Sources as the compiler wants them: a copy in which classes with fields have the initialiser written out.

mypyc makes attributes of a data class quick, but leaves its initialiser to the interpreter, and knows no slots and no
decorator of our own. So each such class gets `__init__` in words; all else that a data class has stays as it is.
"""

import ast
from collections.abc import Iterator

_MARKS = ("record", "dataclass")
_BUILT_IN_ERRORS = ("Exception", "KeyError", "LookupError", "RuntimeError", "ValueError")  # stay classes of Python's
_HEADER = """import typing as _typing
from dataclasses import dataclass as _dataclass
from relight.core.records import by_fields as _by_fields
def _as_written(cls: _typing.Any) -> _typing.Any:
    return cls
"""


class NotNative(ValueError):
    """A class has something of which no native form can be written; the message says which and what."""


def native(source: str) -> str:
    """A module's source, changed; what is neither a record nor an error of ours stays letter by letter."""
    tree, lines = ast.parse(source), source.split("\n")
    # From the end on, so that the places of what comes before stay right.
    for node in reversed([node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]):
        mark = next((one for one in node.decorator_list if _mark(one) in _MARKS), None)
        if mark is not None:
            _give_any(node, lines)
            if not _is_initialised(node, mark):
                lines[node.end_lineno : node.end_lineno] = list(_initialiser(node))
            lines[mark.lineno - 1 : mark.end_lineno] = [f"@_dataclass({_options(mark)})"]
        elif any(isinstance(base, ast.Name) and base.id in _BUILT_IN_ERRORS for base in node.bases):
            lines[node.lineno - 1 : node.lineno - 1] = ["@_as_written"]
    first = next(one for one in tree.body if not _is_docstring(one))
    lines[first.lineno - 1 : first.lineno - 1] = _HEADER.split("\n")
    return "\n".join(lines)


def _mark(decorator: ast.expr) -> str:
    return getattr(decorator.func if isinstance(decorator, ast.Call) else decorator, "id", "")


def _given(call: ast.expr) -> dict[str, ast.expr]:
    return {one.arg: one.value for one in call.keywords if one.arg} if isinstance(call, ast.Call) else {}


def _is_true(value: ast.expr | None, *, default: bool = False) -> bool:
    return bool(ast.literal_eval(value)) if value is not None else default


def _is_initialised(node: ast.ClassDef, mark: ast.expr) -> bool:
    """Whether the class has an initialiser of its own, or nothing to initialise."""
    return not _is_true(_given(mark).get("init"), default=True) or not list(_fields(node))


def _options(mark: ast.expr) -> str:
    """What is left of a data class's options; frozen is for type checkers, which have seen these sources already."""
    given = _given(mark)
    hashed = _mark(mark) == "record" or _is_true(given.get("frozen"))
    named = {"init": False, "unsafe_hash": hashed, "order": _is_true(given.get("order"))}
    return ", ".join(f"{name}={value}" for name, value in named.items())


def _fields(node: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    for one in node.body:
        if isinstance(one, ast.AnnAssign):
            if "ClassVar" in ast.unparse(one.annotation):
                raise NotNative(f"{node.name} has a class variable, which would become a field of each object.")
            yield one


def _give_any(node: ast.ClassDef, lines: list[str]) -> None:
    """mypyc knows no data class with a field that may be any object, and calls the same Any."""
    for place in [one.annotation for one in _fields(node) if ast.unparse(one.annotation) == "object"]:
        line = lines[place.lineno - 1]
        lines[place.lineno - 1] = f"{line[: place.col_offset]}_typing.Any{line[place.end_col_offset :]}"


def _initialiser(node: ast.ClassDef) -> Iterator[str]:
    """The lines of `__init__`: parameters in the fields' order, and `__post_init__` where there is one; and of how to
    make the object again elsewhere, since a compiled class makes none without its arguments."""
    if node.bases:
        raise NotNative(f"{node.name} has fields and a base.")
    parameters, body = list[str](), list[str]()
    for one in _fields(node):
        parameter, line = _assignment(node, one)
        parameters += [parameter] if parameter else []
        body += [line] if line else []
    if any(isinstance(one, ast.FunctionDef) and one.name == "__post_init__" for one in node.body):
        body.append("self.__post_init__()")
    yield ""
    yield f"    def __init__({', '.join(['self', *parameters])}) -> None:"
    yield from (f"        {line}" for line in body)
    if not any(isinstance(one, ast.FunctionDef) and one.name == "__reduce__" for one in node.body):
        yield ""
        yield "    def __reduce__(self) -> tuple[type[_typing.Any], tuple[_typing.Any, ...]]:"
        yield "        return _by_fields(self)"


def _assignment(node: ast.ClassDef, one: ast.AnnAssign) -> tuple[str, str]:
    """A field's parameter and the line that sets it; either may be empty."""
    name, kind = ast.unparse(one.target), ast.unparse(one.annotation)
    if not isinstance(one.value, ast.Call) or _mark(one.value) != "field":
        return f"{name}: {kind}{f' = {ast.unparse(one.value)}' if one.value else ''}", f"self.{name} = {name}"
    given = _given(one.value)
    if "kw_only" in given:
        raise NotNative(f"{node.name}.{name} is for keywords only.")
    asked, made, default = _is_true(given.get("init"), default=True), given.get("default_factory"), given.get("default")
    if made is not None:
        fresh = f"{ast.unparse(made)}()"
        if not asked:
            return "", f"self.{name} = {fresh}"
        return f"{name}: {kind} | None = None", f"self.{name} = {name} if {name} is not None else {fresh}"
    plain = ast.unparse(default) if default is not None else ""
    if not asked:
        return "", f"self.{name} = {plain}" if plain else ""
    return f"{name}: {kind}{f' = {plain}' if plain else ''}", f"self.{name} = {name}"


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
