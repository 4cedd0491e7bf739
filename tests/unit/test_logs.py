"""What a line of the log may say: words and ids of ours; nothing of a customer, wherever it was about to come from."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from relight.telemetry import logs

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What is logged from now on, as machines read it; the logs are as before when the test ends."""
    monkeypatch.setenv(logs.VARIABLE, "json")
    root = logging.getLogger()
    handlers, level, stream = list(root.handlers), root.level, io.StringIO()
    logs.configure("worker", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_word_that_is_not_listed_is_left_out_and_its_name_told(lines: Lines) -> None:
    structlog.get_logger("relight.flow").warning("not_sent", driver="sms", effect=7, phone="+4790000001", name="Kari")

    (line,) = lines()
    assert (line["driver"], line["effect"]) == ("sms", 7)
    assert line["left_out"] == ["name", "phone"]
    assert "+4790000001" not in str(line)
    assert line["process"] == "worker"


def test_addresses_and_long_numbers_are_taken_out_of_texts(lines: Lines) -> None:
    structlog.get_logger("relight.flow").error(
        "cannot_listen", error="kari@kunde.example at 90000001 is busy, port 2775"
    )

    assert lines()[0]["error"] == "… at … is busy, port 2775"


def test_an_exception_says_where_it_was_and_not_what_it_quotes(lines: Lines) -> None:
    try:
        raise ValueError("duplicate key: (name)=(Kari Nordmann)")
    except ValueError:
        structlog.get_logger("relight.flow").exception("loop_failed", loop="feed")

    line = lines()[0]
    assert line["exception"].startswith("ValueError at test_logs.py:")
    assert "Nordmann" not in str(line)


def test_a_fault_of_the_code_is_named(lines: Lines) -> None:
    try:
        object().nothing  # type: ignore[attr-defined]  # noqa: B018 - the fault
    except AttributeError:
        structlog.get_logger("relight.flow").exception("loop_failed", loop="feed")

    assert "'object' object has no attribute 'nothing'" in lines()[0]["exception"]


def test_other_libraries_keep_their_pattern_and_lose_what_they_filled_in(lines: Lines) -> None:
    logging.getLogger("somebody.else").warning("could not write to %s", "Kari Nordmann")

    (line,) = lines()
    assert line["event"] == "could not write to %s"
    assert "Nordmann" not in str(line)


def test_a_page_that_fails_is_told_without_its_address(lines: Lines) -> None:
    logging.getLogger("django.request").error("%s: %s", "Internal", "/p/secret-link", extra={"status_code": 503})

    (line,) = lines()
    assert (line["event"], line["status"]) == ("page_failed", 503)
    assert "secret-link" not in str(line)


def test_on_a_terminal_people_read_words_instead(monkeypatch: pytest.MonkeyPatch, lines: Lines) -> None:
    monkeypatch.setenv(logs.VARIABLE, "text")
    stream = io.StringIO()
    logs.configure("worker", stream)

    structlog.get_logger("relight.flow").info("working", lanes="urgent")

    assert "working" in stream.getvalue()
    assert "lanes=urgent" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
