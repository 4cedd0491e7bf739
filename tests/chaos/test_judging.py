"""What a chaos run forgives beside a fault, and what it does not: the judge is tried before it is believed."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.chaos import faults, outages
from tests.chaos.logs import complaints
from tests.chaos.network import refusal
from tests.chaos.outages import AFTERWARDS_SECONDS, HOLDS_UP_RESTORES, Outage, beside, unexplained
from tests.chaos.persons import Task

FAIL_OVER = Outage("fail_over", began=100.0, ended=105.0)
WEB_KILLED = Outage("web_killed", began=100.0, ended=100.0)


def line(**fields: object) -> str:
    told = {"level": "error", "timestamp": datetime.fromtimestamp(101, UTC).isoformat(), **fields}
    return json.dumps(told) + "\n"


def said(folder: Path, text: str, *, skew: int = 0, beside: Outage = FAIL_OVER) -> list[str]:
    log = folder / "web-app1.log"
    log.write_text(text)
    return complaints(log, skew, [beside])


def given_up(began: float, *, is_end_unseen: bool) -> Task:
    return Task("given_up", "home-1", {"kind": "message"}, is_end_unseen, [(began, began + 1)])


def test_each_kind_that_explains_something_is_a_fault_there_is() -> None:
    kinds = {fault.__name__ for fault in (*faults.KILLS, *faults.OTHERS, faults.fail_over)} | {"start"}

    assert kinds >= outages.LOSES_MESSAGES | outages.DEVICES_AWAY | outages.ENDS_WEB
    assert kinds >= set(faults.LASTS_SECONDS)


def test_a_wait_that_a_fault_covers_is_explained() -> None:
    assert unexplained(101, 112, [FAIL_OVER], HOLDS_UP_RESTORES) == 0


def test_a_wait_is_explained_for_as_long_as_a_fault_can_be_felt_and_no_longer() -> None:
    mended = FAIL_OVER.ended + AFTERWARDS_SECONDS

    assert unexplained(98, mended + 3, [FAIL_OVER], HOLDS_UP_RESTORES) == 5


def test_faults_that_follow_one_another_explain_one_wait_together() -> None:
    killed = [Outage("worker_killed", at, at) for at in (100, 109, 118)]

    assert unexplained(99, 130, killed, HOLDS_UP_RESTORES) == 3


def test_a_killed_web_server_explains_no_late_restore() -> None:
    assert unexplained(101, 104, [WEB_KILLED], HOLDS_UP_RESTORES) == 3


def test_a_span_that_ends_before_the_fault_is_not_beside_it() -> None:
    assert not beside(90, 99, [FAIL_OVER], HOLDS_UP_RESTORES)
    assert beside(90, 100, [FAIL_OVER], HOLDS_UP_RESTORES)


def test_a_page_that_says_503_while_the_database_is_away_is_expected(tmp_path: Path) -> None:
    page = line(logger="django.request", event="page_failed", status=503)

    assert said(tmp_path, page) == []
    assert len(said(tmp_path, page, beside=WEB_KILLED)) == 1


def test_the_clock_of_the_host_that_logged_is_allowed_for(tmp_path: Path) -> None:
    ahead = datetime.fromtimestamp(101 + 90, UTC).isoformat()
    page = line(logger="django.request", event="page_failed", status=503, timestamp=ahead)

    assert said(tmp_path, page, skew=90) == []
    assert len(said(tmp_path, page)) == 1


def test_a_loop_that_failed_is_a_bug_whatever_was_away(tmp_path: Path) -> None:
    assert len(said(tmp_path, line(event="loop_failed", loop="decide urgent"))) == 1
    assert len(said(tmp_path, line(logger="django.request", event="page_failed", status=500))) == 1


def test_a_traceback_is_told_with_what_it_says_and_where(tmp_path: Path) -> None:
    text = 'Traceback (most recent call last):\n  File "turn.py", line 7, in turn\n    raise KeyError(3)\nKeyError: 3\n'

    (told,) = said(tmp_path, f"relight: works\n{text}relight: works\n")

    assert "turn.py" in told
    assert told.endswith("KeyError: 3")


def test_lines_below_an_error_are_nobodys_business(tmp_path: Path) -> None:
    assert said(tmp_path, line(level="warning", event="database_away") + "relight: plain words\n") == []


def test_a_mail_whose_end_nobody_saw_beside_a_fault_is_what_a_person_is_asked_about() -> None:
    lost = given_up(99, is_end_unseen=True)

    assert lost.why == "messages_left_to_a_person"
    assert lost.is_explained([Outage("worker_killed", 99.5, 99.5)])
    assert not lost.is_explained([Outage("worker_killed", 80, 80)])


def test_a_mail_that_was_given_up_and_never_left_is_wrong() -> None:
    assert given_up(101, is_end_unseen=False).why == ""


def test_an_ordinary_user_is_told_that_hosts_take_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert "root" in refusal()


def test_where_the_kernel_allows_no_hosts_its_own_words_are_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = tmp_path / "ip"
    refused.write_text("#!/bin/sh\necho 'Operation not permitted' >&2\nexit 1\n")
    refused.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert "Operation not permitted" in refusal()
