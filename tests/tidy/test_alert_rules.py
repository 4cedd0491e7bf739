"""The alert rules that come along speak of figures that there are, by labels that they have."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from relight.cli import nightly, running
from relight.flow.road import worker
from relight.flow.watch.alarms import KINDS
from relight.flow.watch.pulse import FIGURES
from relight.telemetry import metrics
from tests.tidy.tree import ROOT

RULES = ROOT / "ops" / "prometheus" / "relight.rules.yml"
SCRAPED = RULES.with_name("prometheus.yml")
BOARD = ROOT / "ops" / "grafana" / "relight.json"
MANUAL = ROOT / "docs" / "running.md"
_SUFFIXES = ("_total", "_bucket", "_count", "_sum", "")
_ALONE = {"relight_database_up": (), "relight_clock_skew_seconds": (), "relight_alarm": ("partner", "alarm", "urgency")}
_OF_PROMETHEUS = {"le", "instance", "job", "pid"}
_TOLD_BY_PROMETHEUS = {"up": {"instance", "job"}}  # of each address that it reads, whether it answers


def known() -> dict[str, set[str]]:
    """Every figure and its labels: what processes count, and what lies in the database."""
    counted = {one._name: set(one._labelnames) for one in vars(metrics).values() if hasattr(one, "_labelnames")}
    stored = {name: {"partner", *labels} for name, _, labels in FIGURES.values()}
    return counted | stored | {name: set(labels) for name, labels in _ALONE.items()}


def family(name: str) -> str:
    """The figure that a series is of; empty when there is none."""
    figures = known()
    bases = (name.removesuffix(end) for end in _SUFFIXES if name.endswith(end))
    return next((base for base in bases if base in figures), "")


def spoken_of(expression: str) -> Iterator[tuple[str, set[str]]]:
    """The series of an expression, each with the labels by which it is chosen."""
    for name, chosen in re.findall(r"\b(relight_\w+|up)\b(?:\{([^}]*)\})?", expression):
        yield name, set(re.findall(r"(\w+)\s*!?=", chosen or ""))


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_is_about_a_figure_that_there_is(rule: dict[str, Any]) -> None:
    series = list(spoken_of(rule["expr"]))
    labels_of = {**known(), **_TOLD_BY_PROMETHEUS}

    assert series
    for name, labels in series:
        assert figure(name), f"{name} is no figure of ours"
        assert labels <= labels_of[figure(name)]
    grouped = {label.strip() for told in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in told.split(",")}
    assert grouped <= {label for name, _ in series for label in labels_of[figure(name)]} | _OF_PROMETHEUS


def figure(name: str) -> str:
    """The figure that a series is of, ours or Prometheus's own; empty when there is none."""
    return name if name in _TOLD_BY_PROMETHEUS else family(name)


def test_a_web_that_is_gone_is_paged_by_the_name_under_which_it_is_read() -> None:
    read = {job["job_name"] for job in yaml.safe_load(SCRAPED.read_text("utf-8"))["scrape_configs"]}
    missing = [rule for rule in rules() if any(name == "up" for name, _ in spoken_of(rule["expr"]))]
    missed = {job for rule in missing for job in re.findall(r'up\{job="([^"]*)"\}', rule["expr"])}

    assert "relight-web" in missed <= read
    for rule in missing:
        assert re.fullmatch(r'(up\{job="[\w-]+"\}) == 0 or absent\(\1\)', rule["expr"])
        assert (rule["for"], rule["labels"]["severity"]) == ("2m", "page")


@pytest.mark.parametrize(
    ("loop", "every_seconds"),
    [
        ("collections", running._COLLECTIONS_SECONDS),
        ("audits", nightly._LOOK_EVERY_SECONDS),
        ("reviews", worker._REVIEW_SECONDS),
        ("settlements", running._SETTLEMENTS_SECONDS),
    ],
)
def test_a_loop_that_fails_each_time_is_told_of_however_seldom_it_comes_round(loop: str, every_seconds: int) -> None:
    fires = [
        rule["alert"]
        for rule in rules()
        for chosen, hours_or_minutes, limit in re.findall(
            r"increase\(relight_loop_failures_total(\{.*?\})?\[(\d+[mh])\]\)\) > (\d+)", " ".join(rule["expr"].split())
        )
        if is_chosen(loop, chosen) and lowest_increase(every_seconds, seconds(hours_or_minutes)) > int(limit)
    ]

    assert fires


def is_chosen(loop: str, chosen: str) -> bool:
    """Whether the series of a loop is among those that a rule chooses; all are where it chooses none."""
    told = re.search(r'loop=~"([^"]*)"', chosen)
    return told is None or re.fullmatch(told[1], loop) is not None


def lowest_increase(every_seconds: int, window_seconds: int) -> int:
    """What a counter that grows by one each time has at least grown within a window, wherever that begins."""
    return window_seconds // every_seconds - 1


def seconds(told: str) -> int:
    """ "15m", "3h" """
    return int(told[:-1]) * {"m": 60, "h": 3600}[told[-1]]


def test_the_slow_loops_of_the_rules_are_loops_that_there_are() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    told = {
        loop for rule in rules() for found in re.findall(r'loop=~?"([^"]*)"', rule["expr"]) for loop in found.split("|")
    }

    assert {"reviews", "settlements", "audits"} <= told
    assert [loop for loop in told if f'"{loop}"' not in code and not loop.startswith("decide ")] == []


def test_every_rule_says_how_soon_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]


def test_every_urgency_of_an_alarm_has_its_rule() -> None:
    told = " ".join(rule["expr"] for rule in rules())

    assert {f'urgency="{kind.urgency}"' for kind in KINDS.values()} == set(re.findall(r'urgency="\w+"', told))


def test_the_board_shows_figures_that_there_are() -> None:
    board = json.loads(BOARD.read_text("utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]

    assert len(asked) > 8
    assert [name for one in asked for name, _ in spoken_of(one) if not family(name)] == []


def test_the_manual_tells_every_figure_and_every_alarm() -> None:
    text = MANUAL.read_text("utf-8")

    assert [name for name in known() if f"`{name}" not in text] == []
    assert [code for code in KINDS if f"`{code}`" not in text] == []
    told = set(re.findall(r"`(relight_\w+)", text))
    assert [name for name in sorted(told) if not family(name)] == []


def test_no_figure_names_anybody() -> None:
    labels = {label for of in known().values() for label in of}

    assert labels <= {
        "lane", "outcome", "kind", "driver", "result", "channel", "provider", "answer", "entrance", "status", "loop",
        "error", "pool", "state", "partner", "stage", "reader", "source", "urgency", "due", "alarm",
    }  # fmt: skip
