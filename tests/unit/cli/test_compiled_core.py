"""The compiled core: it comes to the very same as plain Python, and is used only where it is made of these sources."""

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from datetime import date
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from relight.cli import compiled, compiling
from relight.cli.main import relight
from relight.cli.places import place
from relight.core.policy_reader import packaged_text
from relight.core.simulate.parts import Part, work
from relight.core.simulate.portfolio import Spec
from relight.core.simulate.totals import Totals

_AGREEMENT = """
import json
from relight.cli import compiled
compiled.use()
from tests.agreement.pairs import Found, look_at
found = Found()
for seed in range(3):
    found.take(look_at(seed, proved_lives=6, refused_lives=3))
print(json.dumps({"core": compiled.running(), "contradictions": [one.told for one in found.contradictions],
                  "counted": found.counted}))
"""


@pytest.fixture(scope="module")
def core() -> Path:
    """The compiled core of these sources: as `make setup` has made it, or made now."""
    return compiled.made() or compiling.make()


@pytest.fixture(scope="module")
def machine_code(core: Path) -> Iterator[ProcessPoolExecutor]:
    """A worker that has taken it."""
    with ProcessPoolExecutor(1, initializer=partial(compiled.use, core)) as executor:
        yield executor


@pytest.fixture
def other_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The package as it would be somewhere else, to be changed."""
    for part in ("core", "flow"):
        shutil.copytree(compiled.PACKAGE / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "cli").mkdir()
    for name in ("compiling.py", "native.py"):
        shutil.copy(compiled.PACKAGE / "cli" / name, tmp_path / "cli")
    monkeypatch.setattr(compiled, "PACKAGE", tmp_path)
    return tmp_path


def part(policy: str, seed: int) -> Part:
    """Half a year of some households."""
    return Part(packaged_text(policy), "", Spec(40, date(2027, 1, 4), 200, seed), 0, 40)


def whole(totals: Totals) -> dict[str, object]:
    return {one.name: getattr(totals, one.name) for one in fields(totals)}


# -- the same


@pytest.mark.timeout(900)  # where nobody has compiled yet
@pytest.mark.parametrize("policy", ["broadband-no", "power-grid-no", "water-nl", "power-gb", "power-de"])
def test_machine_code_and_plain_python_live_the_very_same_lives(machine_code: ProcessPoolExecutor, policy: str) -> None:
    plain = [work(part(policy, seed)) for seed in (1, 2)]

    found = [machine_code.submit(work, part(policy, seed)).result() for seed in (1, 2)]

    assert machine_code.submit(compiled.running).result() == "compiled"
    assert compiled.running() == "plain", "only the worker changed"
    assert [whole(one) for one in found] == [whole(one) for one in plain]
    assert found[0].decisions > 400
    assert found[0] != found[1]


@pytest.mark.timeout(900)
def test_proof_and_run_time_agree_on_machine_code_too(core: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _AGREEMENT], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["core"] == "compiled"
    assert told["contradictions"] == []
    assert told["counted"]["pairs.proved"] + told["counted"]["pairs.refused"] >= 9


@pytest.mark.timeout(900)
def test_a_what_if_of_the_command_runs_on_it_and_says_so(core: Path) -> None:
    done = CliRunner().invoke(
        relight, ["policy", "simulate", "broadband-no", "--accounts", "20", "--days", "60", "--seeds", "1", "--json"]
    )

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["core"] == "compiled"


def drawn(name: str) -> str:
    """A policy as text, by modules that stay plain Python and read what the others made."""
    core = {each: import_module(f"relight.core.{each}") for each in ("policy_reader", "show.rows", "show.text")}
    words, law = import_module("relight.core.show.words").Words("en"), import_module("relight.core.rules.lawbook")
    policy = core["policy_reader"].read_policy(packaged_text(name))
    text = core["show.text"].as_text(core["show.rows"].picture(policy, law.packaged_law(), words), words)
    return f"{text}{policy!r}"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["broadband-no", "water-nl"])
def test_plain_modules_beside_it_read_its_objects_as_their_own(machine_code: ProcessPoolExecutor, name: str) -> None:
    plain = drawn(name)

    found = machine_code.submit(drawn, name).result()

    assert found == plain


# -- for workers of the bulk lane


@pytest.mark.parametrize(("words", "taken"), [
    ("worker --lane bulk", True), ("worker --partner nordlys --lane=bulk", True), ("worker --lane urgent", False),
    ("worker --lane bulk --lane urgent", False), ("worker", False), ("web", False), ("run --lane bulk", False),
])  # fmt: skip
def test_only_a_worker_of_the_bulk_lane_alone_takes_it(
    words: str, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses: list[bool] = []
    monkeypatch.setattr(compiled, "use", lambda *, road: uses.append(road))

    compiled.use_for(words.split())

    assert bool(uses) is taken


def test_it_can_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "use", lambda **_: pytest.fail("taken"))
    monkeypatch.setenv(compiled.VARIABLE, "plain")

    compiled.use_for(["worker", "--lane", "bulk"])


def test_nothing_imports_core_before_it_is_chosen() -> None:
    told = "import sys, relight.project.main; print([one for one in sys.modules if one.startswith('relight.core')])"

    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.timeout(900)
def test_a_whole_road_on_the_database_is_the_same_on_it(core: Path) -> None:
    """What comes from the database has the types that machine code insists on: bills to cuts and back, plans, holds,
    hand-overs, and the audit of it all."""
    roads = ["road", "plans", "agency", "late_interest"]
    words = ["-q", "-p", "tests.on_machine_code", *(f"tests/journeys/test_{name}.py" for name in roads)]

    done = subprocess.run([sys.executable, "-m", "pytest", *words], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout[-3000:]


# -- only of these sources


@pytest.mark.timeout(900)
def test_a_core_of_other_sources_is_never_used(core: Path, other_sources: Path) -> None:
    before = compiled.state()

    with (other_sources / "core" / "decide.py").open("a") as source:
        source.write("\n# somebody thought better of it\n")

    assert (before, compiled.state()) == ("ready", "stale")
    with place() as executor:
        assert executor.submit(compiled.running).result() == "plain"


@pytest.mark.timeout(900)
def test_a_source_that_is_gone_makes_the_core_stale(core: Path, other_sources: Path) -> None:
    (other_sources / "core" / "leave.py").unlink()

    assert compiled.state() == "stale"


def test_a_broken_core_is_left_alone(tmp_path: Path) -> None:
    broken = tmp_path / "relight" / "core" / f"decide{compiled.SUFFIX}"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"half of a file")

    with ProcessPoolExecutor(1, initializer=partial(compiled.use, tmp_path)) as executor:
        core, found = (
            executor.submit(compiled.running).result(),
            executor.submit(work, part("broadband-no", 1)).result(),
        )

    assert core == "plain"
    assert found == work(part("broadband-no", 1))


def test_a_worker_beside_a_broken_part_of_the_road_goes_on_in_plain_python(core: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(core, tmp_path / "core") / "relight" / "flow" / "road" / f"gather{compiled.SUFFIX}"
    broken.write_bytes(b"half of a file")
    told = "from pathlib import Path; from relight.cli import compiled; import sys\n"
    told += f"print(compiled.use(Path({str(tmp_path / 'core')!r}), road=True)); import relight.flow.road.worker\n"
    told += "print(sys.modules['relight.flow.road.gather'].__file__[-3:], compiled.running())"

    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["plain", ".py", "plain"]


def test_what_is_compiled_is_all_that_decides_and_nothing_that_reads_files() -> None:
    names = compiling.modules()

    assert {"relight.core.decide", "relight.core.guards", "relight.core.rules.asked", "relight.core.simulate.life"} < {
        *names
    }
    assert not {"relight.core.policy_reader", "relight.core.rules.reader", "relight.core.records"} & {*names}


# -- without a compiler


def test_without_a_compiler_the_command_says_what_is_missing_and_that_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    done = CliRunner().invoke(relight, ["compile", "--check"])

    assert done.exit_code == 1
    assert "What-ifs and workers stay with plain Python, since there is no C compiler" in done.output


def test_without_headers_the_command_names_their_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))

    done = CliRunner().invoke(relight, ["compile", "--check"])

    assert done.exit_code == 1
    assert "python3-dev" in done.output
