"""`make lint` holds in CI: each of its linters finds nothing in the whole tree, and finds what is planted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
LINTERS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "pyright": ["pyright"],
    "mypy": ["mypy", *(f"src/relight/{part}" for part in ("flow", "drivers", "web", "cli", "project", "telemetry"))],
}
PLANTED = {
    "ruff check": "import os, sys\nfrom datetime import datetime\nprint(datetime.now())\n",
    "ruff format": "x = {  'a':1 }\n",
    "pyright": "def owed(amount: int) -> str:\n    return amount\n",
    "mypy": "def owed(amount: int) -> str:\n    return amount\n",
}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A linter, from the root of the tree."""
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    program = [str(PROGRAMS / command[0]), *command[1:]]
    return subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", LINTERS)
def test_a_linter_finds_nothing(name: str) -> None:
    done = run(*LINTERS[name])

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.parametrize("name", LINTERS)
def test_a_linter_finds_what_is_planted(name: str, tmp_path: Path) -> None:
    file = tmp_path / "planted.py"
    file.write_text(PLANTED[name])
    words = [word for word in LINTERS[name] if word != "." and not word.startswith("src/")]

    done = run(*words, str(file))

    assert done.returncode == 1, done.stdout + done.stderr
    assert "planted" in done.stdout


def test_make_lint_runs_these_linters_and_no_fewer() -> None:
    makefile = (ROOT / "Makefile").read_text()
    recipe = makefile.partition("\nlint:")[2].partition("\n\n")[0]

    named = [line.split("$(BIN)/")[1] for line in recipe.splitlines() if "$(BIN)/" in line]

    assert [line.split()[0] for line in named] == ["ruff", "ruff", "lint-imports", "pyright", "mypy"]
