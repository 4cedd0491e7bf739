"""The soak in short: that it runs and samples what it says, and that its verdict finds what grows."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.processes import to_its_end
from tests.soak.plot import draw
from tests.soak.samples import Sample
from tests.soak.verdict import judge

_QUEUES = {"decide urgent", "decide bulk", "release urgent", "release bulk", "feed"}


def sampled(number: int, **more: Any) -> Sample:
    """A sample of a run in which nothing grows, but for `more`."""
    calm = {
        "at": number * 10.0, "memory_mb": {"web": 80.0}, "files": {"web": 20}, "queue_seconds": {"feed": 0.2},
        "feed_behind": 0, "dead_rows": 10, "live_rows": 1000 + 50 * number, "table_mb": 5.0 + number,
    }  # fmt: skip
    return calm | more


def not_flat(samples: list[Sample]) -> list[str]:
    return [one["figure"] for one in judge(samples) if not one["flat"]]


@pytest.mark.timeout(360)
def test_a_short_soak_has_load_of_every_kind_and_samples_of_every_process(tmp_path: Path) -> None:
    out = tmp_path / "soak.json"

    command = [
        sys.executable,
        "-m",
        "tests.soak",
        "--minutes",
        "0.15",
        "--every",
        "2",
        "--invoices",
        "5",
        "--due",
        "50",
    ]
    done = to_its_end([*command, "--out", str(out)], seconds=280)

    assert done.returncode in (0, 1), done.stderr
    told = json.loads(out.read_text("utf-8"))
    assert min(told["load"].values()) > 0, told["load"]
    assert len(told["samples"]) >= 3
    last = told["samples"][-1]
    assert set(last["memory_mb"]) >= {"web", "worker urgent", "worker bulk"}
    assert all(size > 5 for size in last["memory_mb"].values())
    assert set(last["queue_seconds"]) == _QUEUES
    assert {one["figure"] for one in told["verdicts"]} == {"memory_mb", "files", "queue_seconds", "dead_share"}
    assert "Memory of its own" in out.with_suffix(".svg").read_text("utf-8")


def test_a_calm_hour_is_flat_though_tables_grow() -> None:
    samples = [sampled(number) for number in range(40)]

    assert not_flat(samples) == []


def test_what_grows_is_found() -> None:
    leaking = [sampled(number, memory_mb={"web": 80.0 + number}) for number in range(40)]
    forgetful = [sampled(number, files={"web": 20 + number}) for number in range(40)]
    behind = [sampled(number, queue_seconds={"feed": number * 1.0}) for number in range(40)]
    bloated = [sampled(number, dead_rows=number**3 // 40) for number in range(40)]

    found = [not_flat(samples) for samples in (leaking, forgetful, behind, bloated)]

    assert found == [["memory_mb"], ["files"], ["queue_seconds"], ["dead_share"]]


def test_the_plot_has_a_line_for_each_name_of_each_figure() -> None:
    samples = [sampled(number, memory_mb={"web": 80.0, "worker bulk": 60.0 + number}) for number in range(5)]

    assert draw(samples).count("<polyline") == 5
