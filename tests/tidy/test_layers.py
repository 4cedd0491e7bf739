"""Imports go one way: a wrong one is planted for each contract in a copy of the package, and seen to be caught."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).parent / "lint-imports"

LAYERS = "Core decides, flow does, web lets people in: imports go one way"
STAGES = "The stages of the road"
PURE = "Core is pure: no framework, no database, no network"
DRIVERS = "Drivers see their port and nothing else of the flow"
ENTRANCES = "Entrances do not know one another"
AUDIT = "The audit shares nothing with what it audits"

# contract, the package that a file is planted in, what it wrongly imports
PLANTED = [
    (LAYERS, "core", "relight.flow.database"),
    (LAYERS, "core", "relight.web.database"),
    (LAYERS, "flow", "relight.web.database"),
    (LAYERS, "flow.cases", "relight.cli.context"),
    (LAYERS, "web", "relight.project.settings"),
    (LAYERS, "cli", "relight.web.database"),
    (STAGES, "flow.partners", "relight.flow.accounts.models"),
    (STAGES, "flow.accounts", "relight.flow.claims.models"),
    (STAGES, "flow.claims", "relight.flow.cases.operations"),
    (STAGES, "flow.cases", "relight.flow.effects.models"),
    (STAGES, "flow.effects", "relight.flow.messages.models"),
    (STAGES, "flow.messages", "relight.flow.payments.models"),
    (STAGES, "flow.supply", "relight.flow.road.turn"),
    (PURE, "core", "django.db"),
    (PURE, "core", "psycopg"),
    (PURE, "core", "socket"),
    (PURE, "core", "time"),
    (PURE, "core", "random"),
    (DRIVERS, "drivers", "relight.flow.road.turn"),
    (DRIVERS, "drivers", "relight.flow.cases.operations"),
    (DRIVERS, "drivers", "django.db"),
    (ENTRANCES, "web.paypages", "relight.web.console.urls"),
    (ENTRANCES, "web.console", "relight.web.webhooks.views"),
    (AUDIT, "audit", "relight.core.decide"),
    (AUDIT, "audit", "relight.flow.database"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Hold a copy of the package against the contracts of `pyproject.toml`."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    command = [LINTER, "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def copied(folder: Path) -> Path:
    """The package, copied."""
    ignored = shutil.ignore_patterns("__pycache__", "static")
    shutil.copytree(ROOT / "src" / "relight", folder / "src" / "relight", ignore=ignored)
    return folder


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy in which every wrong import was planted."""
    folder = copied(tmp_path_factory.mktemp("planted"))
    for number, (_, package, wrong) in enumerate(PLANTED):
        file = folder / "src" / "relight" / package.replace(".", "/") / f"planted_{number}.py"
        file.write_text(f"import {wrong}\n")
    done = lint(folder)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def section(text: str, contract: str) -> str:
    """What is said of one broken contract."""
    (_, _, after) = text.partition("Broken contracts")
    (_, _, mine) = after.partition(f"{contract}\n")
    others = {name for name, _, _ in PLANTED} - {contract}
    return mine[: min((at for name in others if (at := mine.find(f"\n{name}\n")) >= 0), default=len(mine))]


@pytest.mark.parametrize(
    ("contract", "package", "wrong", "number"),
    [(*planted, number) for number, planted in enumerate(PLANTED)],
    ids=[f"{package}_imports_{wrong}" for _, package, wrong in PLANTED],
)
def test_a_wrong_import_is_caught(found: str, contract: str, package: str, wrong: str, number: int) -> None:
    assert f"{contract} BROKEN" in found
    assert f"relight.{package}.planted_{number} -> {wrong.partition('.')[0]}" in section(found, contract)


def test_the_package_as_it_is_keeps_every_contract(tmp_path: Path) -> None:
    done = lint(copied(tmp_path))

    assert done.returncode == 0, done.stdout
    assert {name for name, _, _ in PLANTED} == {
        line.partition(" KEPT")[0] for line in done.stdout.splitlines() if " KEPT" in line
    }
