"""The alert rules that come along speak of figures that there are, by labels that they have."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from relight.flow.watch.alarms import KINDS
from relight.flow.watch.pulse import FIGURES
from relight.telemetry import metrics
from tests.tidy.tree import ROOT

RULES = ROOT / "ops" / "prometheus" / "relight.rules.yml"
BOARD = ROOT / "ops" / "grafana" / "relight.json"
MANUAL = ROOT / "docs" / "running.md"
_SUFFIXES = ("_total", "_bucket", "_count", "_sum", "")
_ALONE = {"relight_database_up": (), "relight_clock_skew_seconds": (), "relight_alarm": ("partner", "alarm", "urgency")}
_OF_PROMETHEUS = {"le", "instance", "job", "pid"}


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
    for name, chosen in re.findall(r"\b(relight_\w+)(?:\{([^}]*)\})?", expression):
        yield name, set(re.findall(r"(\w+)\s*=", chosen or ""))


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_is_about_a_figure_that_there_is(rule: dict[str, Any]) -> None:
    series = list(spoken_of(rule["expr"]))

    assert series
    for name, labels in series:
        assert family(name), f"{name} is no figure of ours"
        assert labels <= known()[family(name)]
    grouped = {label.strip() for told in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in told.split(",")}
    assert grouped <= {label for name, _ in series for label in known()[family(name)]} | _OF_PROMETHEUS


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
