"""How the processes of a benchmark begin: with the core that a worker of the bulk lane would take, before they import
anything that imports core."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from relight.cli import compiled


def with_core(module: str, function: str, *given: Any, plain: bool = False) -> Callable[[], None]:
    """What a process is to do first: take the compiled core, unless `plain`, and call `module.function` on it."""
    return partial(_begin, module, function, given, plain)


def _begin(module: str, function: str, given: tuple[Any, ...], plain: bool) -> None:
    if not plain:
        compiled.use(road=True)
    getattr(import_module(module), function)(*given)
