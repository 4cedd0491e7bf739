"""The compiled core: the sources of `relight.core` as machine code, for what-ifs and for workers of the bulk lane
(docs/decisions/0014, 0041).

It is made by `relight compile`, lies beside the interpreter, and is used only where it was made from the very sources
that are here. Everything else decides in plain Python, and comes to the same.
"""

import gc
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Literal

import relight

CORE = "relight.core"
PACKAGE = Path(str(relight.__file__)).resolve().parent
SUFFIX = EXTENSION_SUFFIXES[0]  # says the interpreter's version, and the machine's kind
State = Literal["ready", "stale", "none"]
Core = Literal["compiled", "plain"]
SOURCES = "sources"  # the list, in a core's folder
VARIABLE = "RELIGHT_CORE"  # "plain": workers stay with plain Python
_DECIDES = f"{CORE}.decide"
_WORKS = f"{CORE}.simulate.parts"
_FLOW = "relight.flow."
_ROAD = "relight.flow.road.turn"
_COUNTS = "relight.telemetry"  # knows nothing of core, and a process makes its figures once


def folder() -> Path:
    """Where compiled cores lie: with the interpreter that they are for."""
    return Path(sys.prefix) / "relight-compiled"


def key(sources: Iterable[str]) -> str:
    """What a compiled core is known by: the sources that it was made from, paths under the package, and the
    interpreter. Raises OSError for one that is not here."""
    whole = hashlib.sha256(SUFFIX.encode())
    for name in sorted(sources):
        whole.update(f"\n{name}\n".encode() + (PACKAGE / name).read_bytes())
    return whole.hexdigest()[:32]


def made() -> Path | None:
    """The compiled core that was made from the sources that are here, if there is one."""
    for listed in folder().glob(f"*/{SOURCES}"):
        try:
            if listed.parent.name == key(listed.read_text("utf-8").split()):
                return listed.parent
        except OSError:  # one of its sources is gone
            continue
    return None


def state() -> State:
    """Whether a compiled core is here, and made from the sources that are here."""
    if made() is not None:
        return "ready"
    return "stale" if any(folder().glob(f"*/{SOURCES}")) else "none"


def use_for(words: Sequence[str]) -> None:
    """Take it where a command's words make this process a worker of the bulk lane alone. Nothing may have imported core
    before."""
    if words[:1] == ["worker"] and set(_lanes(words)) == {"bulk"} and os.environ.get(VARIABLE) != "plain":
        use(road=True)


def _lanes(words: Sequence[str]) -> Iterator[str]:
    yield from (word.removeprefix("--lane=") for word in words if word.startswith("--lane="))
    yield from (words[at + 1] for at, word in enumerate(words[:-1]) if word == "--lane")


def use(place: Path | None = None, *, road: bool = False) -> Core:
    """From now on this process takes the compiled core, if there is one to be used; which one it takes. With `road`
    also what makes facts of rows, and rows of decisions.

    For a process at its start: what it had of core before is forgotten, so no object of it may be around.
    """
    if any(isinstance(one, _Finder) for one in sys.meta_path):
        return running()
    found = place or made()
    modules = {_name(path, found): path for path in found.rglob(f"*{SUFFIX}")} if found else {}
    wanted = {name: path for name, path in modules.items() if road or not name.startswith(_FLOW)}
    if not wanted:
        return "plain"
    _forget(CORE)
    _take(_Finder(wanted), _ROAD if road else _WORKS)
    gc.freeze()  # what is loaded by now stays: collecting garbage need not look through it again and again
    return running()


def _take(finder: "_Finder", works: str) -> None:
    sys.meta_path.insert(0, finder)
    before = set(sys.modules)
    try:
        import_module(works)
    except Exception:  # noqa: BLE001 - half deleted, or made for another machine: whatever it is, plain Python goes on
        sys.meta_path.remove(finder)
        _forget(*(name for name in set(sys.modules) - before if not name.startswith(_COUNTS)))


def running() -> Core:
    """Which core this process decides with."""
    return "compiled" if str(import_module(_DECIDES).__file__).endswith(SUFFIX) else "plain"


class _Finder(MetaPathFinder):
    """Finds compiled modules before the plain ones of the same names."""

    def __init__(self, modules: Mapping[str, Path]):
        self._modules = modules

    def find_spec(
        self, fullname: str, path: Iterable[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module lies, if it is one of them."""
        found = self._modules.get(fullname)
        return spec_from_file_location(fullname, found) if found is not None else None


def _name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).parts).removesuffix(SUFFIX)


def _forget(*names: str) -> None:
    """Of our own modules those of these names, and what is within them."""
    ours = [name for name in sys.modules if name.startswith("relight.")]
    for name in [name for name in ours if any(name == one or name.startswith(f"{one}.") for one in names)]:
        del sys.modules[name]
