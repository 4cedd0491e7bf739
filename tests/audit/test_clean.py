"""What the production road did holds every invariant, and each of them was really looked at."""

import json

from relight.audit.report import INVARIANTS
from tests.audit.story import Copy


def test_ninety_days_of_a_street_hold_every_invariant(copy: Copy) -> None:
    report = copy.report()

    assert report.violations == []
    assert list(report.checked) == list(INVARIANTS)
    assert all(report.checked.values()), report.checked


def test_what_is_unfinished_is_judged_as_of_now_unless_said(copy: Copy) -> None:
    report = copy.report(as_of=None)

    assert report.violations == []


def test_an_audit_since_the_end_has_nothing_left_to_look_at_but_the_walls(copy: Copy) -> None:
    in_full, since = copy.report(), copy.report(since=copy.story.ends_at)

    assert since.violations == []
    assert since.checked["I2"] == since.checked["I3"] == since.checked["I8"] == 0
    assert 0 < since.checked["I7"] <= in_full.checked["I7"]


def test_a_report_is_json_and_words(copy: Copy) -> None:
    cut = copy.cut_of(copy.story.dark)
    copy.plant("UPDATE effect SET attempts = 7 WHERE id = %(id)s", id=cut.effect)

    report = copy.report()
    data, text = json.loads(json.dumps(report.as_data())), report.as_text()

    assert data["violations"][0] | {"why": "", "todo": ""} == {
        "invariant": "I5", "case": cut.case, "event": cut.event, "why": "", "todo": "", "code": "misnumbered",
        "partner": data["violations"][0]["partner"],
    }  # fmt: skip
    assert f"case {cut.case}, event {cut.event}" in text
    assert "counts 7 attempts, and 1 are on record" in text
    assert "I5  FAIL" in text
    assert "I4  ok" in text
