"""Every code that the engine can put before a person, read from its own source, so that a new one cannot go unnoticed.

A code is a constant in a call that writes one: `draft.event("opened")`, `reason("guard.hold")`. Where the source puts a
code together, the test names what can come of it in `COMPOSED`; an expression that is not named there fails.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import relight
from relight.core import actions
from relight.core.parts import SHADOW
from relight.core.rules import asked

ROOT = Path(relight.__file__).parent
ENGINE = ("core", "flow", "web/webhooks", "web/paypages")

COMPOSED: dict[str, tuple[str, ...]] = {
    "template + '_told'": ("press_button_told", "restored_told"),
    "'withdrawn.' + why": ("withdrawn.undeliverable", "withdrawn.withheld", "withdrawn.contact_cap"),
    "f'condition.{name}'": (),  # from the calls of `_said`, below
    "leaf.fact": ("arrears", "claims", "oldest_days"),
    "f'law.{rule.kind}'": tuple(f"law.{kind}" for kind in asked._ASK),
}


def events() -> set[str]:
    """Codes of a case's log."""
    written = {
        code for told in _statements("case_event") for code in re.findall(r"'(\w+)',\s+jsonb_build_object", told)
    }
    return _calls("event", 0) | _calls("append_event", "code") | (written - {"params"})


def reasons() -> set[str]:
    """Codes of reasons: what guards, conditions, restores and laws say."""
    said = _calls("reason", 0) | _calls("Reason", 0) | _calls("Said", 0) | _calls("wait", 0)
    written = {code for told in _statements("case_event") for code in re.findall(r"'code', '([\w.]+)'", told)}
    return said | written | {f"condition.{name}" for name in _calls("_said", 0)}


def tasks() -> set[str]:
    """Codes of tasks that the product itself makes; policies may add their own."""
    kinds = {
        action.kind
        for action in vars(actions).values()
        if isinstance(action, type) and getattr(action, "kind", "") not in ("", "message", "supply", "fee", "task")
    }
    made = _calls("TaskDraft", 0) | _calls("add_task", "code") | _calls("_task", 1) | _calls("_task", 4)
    written = {code for told in _statements("task") for code in re.findall(r"'(\w+)',\s+jsonb_build_object", told)}
    return {code for code in made | kinds | written | _keywords("task", inside="weighing.py") if code.isidentifier()}


def whys() -> set[str]:
    """Why an effect did not leave, or not yet."""
    return _calls("Leave", 1) | _calls("Unready", 1) | {SHADOW}


def proofs() -> set[str]:
    """How drivers say that they saw a level, where they saw one."""
    seen = (
        _calls("Sight", 1, "drivers") | _keywords("proof", inside="dlms.py") | _calls("Observation", "proof", "drivers")
    )
    failures = {"wrong_address", "wrong_device"}
    return (seen | _appended("proofs", "drivers")) - failures


def templates() -> set[str]:
    """Templates that the engine sends by itself."""
    return _calls("send", 2) | _calls("_tell", 3)


def _calls(function: str, place: int | str, *parts: str) -> set[str]:
    """Constants at a place of each call of a function; what is put together is looked up in `COMPOSED`."""
    return {
        code
        for _, tree in _trees(*parts or ENGINE)
        for call in _calls_of(tree)
        if _name(call) == function
        for code in _codes(_argument(call, place), tree)
    }


def _appended(variable: str, *parts: str) -> set[str]:
    return {
        code
        for _, tree in _trees(*parts)
        for call in _calls_of(tree)
        if ast.unparse(call.func) == f"{variable}.append"
        for code in _codes(call.args[0], tree)
    }


def _keywords(keyword: str, *, inside: str) -> set[str]:
    return {
        code
        for path, tree in _trees(*ENGINE, "drivers")
        if path.name == inside
        for call in _calls_of(tree)
        for code in _codes(_argument(call, keyword), tree)
    }


def _codes(node: ast.expr | None, tree: ast.Module) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _codes(node.body, tree)
        yield from _codes(node.orelse, tree)
    elif isinstance(node, ast.JoinedStr | ast.BinOp):
        yield from COMPOSED[ast.unparse(node)]
    elif isinstance(node, ast.Attribute):
        yield from COMPOSED.get(ast.unparse(node), ())
    elif isinstance(node, ast.Name):
        yield from _assigned(node.id, tree)


def _assigned(name: str, tree: ast.Module) -> Iterator[str]:
    """What a variable of the file is given; a parameter's codes are found where the function is called."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant | ast.IfExp):
            continue
        if any(isinstance(one, ast.Name) and one.id == name for one in node.targets):
            yield from _codes(node.value, tree)


def _argument(call: ast.Call, place: int | str) -> ast.expr | None:
    if isinstance(place, str):
        return next((one.value for one in call.keywords if one.arg == place), None)
    return call.args[place] if len(call.args) > place else None


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _calls_of(tree: ast.Module) -> Iterable[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _statements(table: str) -> list[str]:
    """What follows `INSERT INTO` a table in each statement that writes its rows by itself."""
    files = [path.read_text("utf-8") for part in ENGINE for path in sorted((ROOT / part).rglob("*.sql"))]
    return [told.split("INSERT INTO")[0] for text in files for told in text.split(f"INSERT INTO {table} ")[1:]]


@cache
def _trees(*parts: str) -> tuple[tuple[Path, ast.Module], ...]:
    paths = [path for part in parts for path in sorted((ROOT / part).rglob("*.py"))]
    return tuple((path, ast.parse(path.read_text("utf-8"))) for path in paths)


def event_params() -> dict[str, set[str]]:
    """What each event carries, as far as it stands where the event is written: the keys of its parameters."""
    found: dict[str, set[str]] = {}
    for _, tree in _trees(*ENGINE):
        for call in _calls_of(tree):
            if _name(call) not in ("event", "append_event"):
                continue
            place: int | str = 0 if _name(call) == "event" else "code"
            given = _argument(call, 1 if _name(call) == "event" else "params")
            for code in _codes(_argument(call, place), tree):
                found.setdefault(code, set()).update(_keys(given, tree))
    for told in _statements("case_event"):
        for code, keys in re.findall(r"'(\w+)',\s+jsonb_build_object\(((?:[^()]|\([^()]*\))*)\)", told):
            found.setdefault(code, set()).update(re.findall(r"'(\w+)',", keys))
    return found


def reason_params() -> dict[str, set[str]]:
    """What reasons carry that are written with their parameters by name."""
    found: dict[str, set[str]] = {}
    for _, tree in _trees("core"):
        for call in _calls_of(tree):
            if _name(call) == "reason":
                for code in _codes(_argument(call, 0), tree):
                    found.setdefault(code, set()).update(_named(call, tree) - {"law"})
    return found


def _named(call: ast.Call, tree: ast.Module) -> set[str]:
    """The names that a call gives; those of a mapping that it unfolds, too."""
    names = {keyword.arg for keyword in call.keywords if keyword.arg}
    for keyword in call.keywords:
        if keyword.arg is None:
            names |= _keys(keyword.value, tree)
    return names


def _keys(node: ast.expr | None, tree: ast.Module) -> set[str]:
    """The constant keys of a mapping, or of the mappings that a variable is given in the file."""
    if isinstance(node, ast.Dict):
        return {key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    if isinstance(node, ast.IfExp):
        return _keys(node.body, tree) | _keys(node.orelse, tree)
    if isinstance(node, ast.BoolOp):
        return set[str]().union(*(_keys(value, tree) for value in node.values))
    if not isinstance(node, ast.Name):
        return set()
    given = [one for one in ast.walk(tree) if isinstance(one, ast.Assign) and _targets(one, node.id)]
    return set[str]().union(*(_keys(one.value, tree) for one in given))


def _targets(node: ast.Assign, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in node.targets)
