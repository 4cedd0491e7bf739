"""`relight compile`: make the core into machine code, for what-ifs three times as fast and shorter night runs.
Needs a C compiler and mypy.

What `decide` and a what-if import of core is compiled, but for what is left out below, and for modules with classes of
which no native form can be written (`native`): these stay plain Python beside it. The result is tried before it is
used: it must come to the same sums as plain Python.
"""

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from relight.cli import compiled
from relight.cli.compiled import CORE, PACKAGE
from relight.cli.native import NotNative, native
from relight.cli.output import news
from relight.core.policy_reader import packaged_text
from relight.core.simulate.parts import Part, work
from relight.core.simulate.portfolio import Spec

_ROOTS = (f"{CORE}.decide", f"{CORE}.simulate.run", f"{CORE}.rules.lawbook")
_OF_FLOW = ("relight.flow.road.gather", "relight.flow.road.record")  # make facts of rows, and rows of decisions
_LEFT_OUT = (f"{CORE}.records", f"{CORE}.rules.reader")  # make data classes and read packs, and are not asked later
_TRIED_ON = ("broadband-no", "power-supplier-nl")
_TRIED = Spec(accounts=40, start=date(2027, 1, 4), days=300, seed=3)


_BUILD = """
import sys
from mypyc.build import mypycify
from setuptools import setup
files = sys.argv[2:]
options = ["--config-file=", "--cache-dir=cache", "--follow-imports=silent", "--ignore-missing-imports"]
made = mypycify([*options, *files], opt_level="2", debug_level="0", group_name="relight_core")
setup(name="relight-core", packages=[], ext_modules=made,
      script_args=["--quiet", "build_ext", "--build-lib=made", "--build-temp=objects", f"--parallel={sys.argv[1]}"])
"""


class CannotCompile(RuntimeError):
    """There is no compiled core, for the reason that the message tells."""


@click.command("compile")
@click.option("--check", is_flag=True, help="Only say whether there is a C compiler, and do nothing.")
def compile_core(check: bool) -> None:
    """Make the core of Relight into machine code: what-ifs take a third of the time, night runs decide faster.

    What-ifs and workers of the bulk lane take it when they start; all else stays with plain Python, and both come to
    the same. It takes about a minute, once a version. `make setup` does it where there is a C compiler.

    Example:  relight compile
    """
    missing = missing_tools()
    if missing:
        raise click.ClickException(f"What-ifs and workers stay with plain Python, since {missing}.")
    if check:
        click.echo("There is a C compiler: the core can be compiled.")
        return
    if compiled.state() == "ready":
        click.echo("The compiled core is up to date.")
        return
    try:
        make()
    except (CannotCompile, OSError) as failed:
        raise click.ClickException(
            f"The core was not compiled, and what-ifs and workers stay with plain Python: {failed}"
        ) from failed
    click.echo("The core is compiled: what-ifs, and workers that start from now on, run on it.")


def missing_tools() -> str:
    """What a compiler needs and is not here, as half a sentence; empty when all is here but mypy, which is asked for
    when it is needed."""
    command = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(command) is None:
        return f"there is no C compiler ({command}); on Debian and Ubuntu install gcc"
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        return "Python's headers are not here; on Debian and Ubuntu install python3-dev"
    return ""


def make() -> Path:
    """Compile, try, and put it where processes look for it; cores of other sources go.

    Raises CannotCompile, OSError.
    """
    if find_spec("mypyc") is None or find_spec("setuptools") is None:
        raise CannotCompile("mypy is not installed; run pip install 'relight[compile]'.")
    home, names = compiled.folder(), modules()
    sources = [str(_file(name, PACKAGE.parent).relative_to(PACKAGE)) for name in (*names, f"{CORE}.records")]
    sources += ["cli/compiling.py", "cli/native.py"]
    key = compiled.key(sources)
    home.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=home, prefix=".making-") as making:
        built = _build(Path(making), names)
        _try(built)
        if compiled.key(sources) != key:
            raise CannotCompile("its sources were changed meanwhile; run it once more.")
        (built / compiled.SOURCES).write_text("\n".join(sources), "utf-8")
        for old in home.glob("[!.]*"):
            shutil.rmtree(old, ignore_errors=True)
        built.replace(home / key)
    return home / key


def modules() -> list[str]:
    """The names of what may be compiled: all of core that the roots import, and what that imports, in order; and the
    two modules of flow that do something for each case."""
    found, ahead = set[str](), [*_ROOTS]
    while ahead:
        name = ahead.pop()
        if name not in found and name not in _LEFT_OUT and _file(name, PACKAGE.parent).is_file():
            found.add(name)
            ahead += _imported(_file(name, PACKAGE.parent))
    return sorted([*found, *_OF_FLOW])


def _file(name: str, root: Path) -> Path:
    return root / f"{name.replace('.', '/')}.py"


def _imported(path: Path) -> Iterator[str]:
    """What a module may import of core; names that are no modules have no file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(CORE):
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _build(place: Path, names: list[str]) -> Path:
    """The compiled modules, in a folder of their own."""
    news(f"Compiling {len(names)} modules of the core; this takes a minute or two …")
    for part in ("core", "flow"):
        left_out = shutil.ignore_patterns("__pycache__", "packs")
        shutil.copytree(PACKAGE / part, place / "relight" / part, ignore=left_out)
    shutil.copy(PACKAGE / "__init__.py", place / "relight")
    files = [path for path in (_file(name, place) for name in names) if _make_native(path)]
    command = [sys.executable, "-c", _BUILD, str(len(os.sched_getaffinity(0)))]
    command += [str(path.relative_to(place)) for path in files]
    told: dict[str, Any] = {"capture_output": True, "text": True, "env": {**os.environ, "MYPYPATH": "."}}
    done = subprocess.run(command, cwd=place, check=False, **told)
    if done.returncode != 0 or not (place / "made").is_dir():
        lines = f"{done.stdout}\n{done.stderr}".strip().splitlines()
        raise CannotCompile(
            next((line for line in lines if "error" in line), lines[-1] if lines else "no word of why.")
        )
    return place / "made"


def _make_native(path: Path) -> bool:
    """Change a copied source into what the compiler wants; False where it has to stay as it is."""
    try:
        path.write_text(native(path.read_text("utf-8")), "utf-8")
    except NotNative as why:
        news(f"{path.name} stays plain Python: {why}")
        return False
    return True


def _try(built: Path) -> None:
    """A small what-if on both cores. The compiled one is tried in another process, which may well break."""
    news("Trying it …")
    parts = [Part(packaged_text(name), "", _TRIED, 0, _TRIED.accounts) for name in _TRIED_ON]
    plain = [work(part) for part in parts]
    with ProcessPoolExecutor(1, initializer=partial(compiled.use, built)) as executor:
        try:
            core = executor.submit(compiled.running).result()
            found = list(executor.map(work, parts))
            road = _takes_the_road(built)
        except Exception as broken:  # whatever it is, such a core is not to be used
            raise CannotCompile(f"it breaks: {broken}") from broken
    if core != "compiled" or found != plain:
        raise CannotCompile("it does not come to what plain Python comes to.")
    if not road:
        raise CannotCompile("a worker cannot load it.")


def _takes_the_road(built: Path) -> bool:
    """Whether a worker would run on it; in a process that has imported nothing of ours."""
    told = "import sys; from pathlib import Path; from relight.cli import compiled; "
    told += "print(compiled.use(Path(sys.argv[1]), road=True))"
    done = subprocess.run([sys.executable, "-c", told, str(built)], capture_output=True, text=True, check=False)
    return done.stdout.strip() == "compiled"
