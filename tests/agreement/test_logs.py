"""The guards and the audit share no code, and come to the same: of drawn logs, many with something amiss, either both
let an act pass or both object to it. The long form of a hundred thousand logs is run by hand.
"""

from dataclasses import replace

import pytest

from relight.core.facts import CaseFacts
from tests.agreement.amiss import CHANGES
from tests.agreement.logs import Log, objections
from tests.agreement.rows import case_of
from tests.agreement.verdicts import Disagreement, Judged, audited, compare, draw, write_logs
from tests.flow.conftest import database_urls

__all__ = ["database_urls"]
SEEDS = range(62)


@pytest.fixture(scope="module")
def logs() -> list[Log]:
    """Logs of some sixty policies, as lived and with something amiss."""
    return draw(SEEDS, lives=2, amiss=12)


@pytest.fixture(scope="module")
def judged(logs: list[Log], database_urls: dict[str, str]) -> Judged:
    """Both verdicts on each."""
    return compare(database_urls, logs)


def test_guards_and_audit_agree_on_every_log(judged: Judged) -> None:
    assert [_told(one) for one in judged.disagreements] == []


def _told(one: Disagreement) -> tuple[object, ...]:
    return one.log.seed, one.log.step, one.log.amiss, one.guards, one.audit


def test_about_half_of_the_logs_are_unlawful_and_every_way_of_being_so_was_tried(judged: Judged) -> None:
    objected, passed = judged.counted["verdict.objected"], judged.counted["verdict.passed"]

    assert objected + passed == judged.counted["logs"] >= 500
    assert 0.3 < objected / (objected + passed) < 0.8
    assert {name for name in CHANGES if not judged.counted[f"amiss.{name}"]} == set()
    assert judged.counted["act.command"] > 100
    assert judged.counted["act.by_people"] > 100


@pytest.mark.parametrize("country", ["NO", "DK", "NL", "SE", "DE", "GB"])
def test_every_country_is_judged(judged: Judged, country: str) -> None:
    assert judged.counted[f"country.{country}"] > 0


def test_what_only_one_of_them_can_see_is_a_disagreement(logs: list[Log], database_urls: dict[str, str]) -> None:
    """The guards are told that the customer is protected, and the rows are not; then the other way round."""
    log = next(log for log in logs if log.due is not None and not log.amiss and not objections(log))
    protected = replace(log, after=_protected(log.after))

    by_guards = compare(database_urls, [replace(log, before=_protected(log.before))])
    by_audit = _stored_apart(database_urls, stored=protected, told=log)

    assert [(bool(one.guards), one.audit) for one in by_guards.disagreements] == [(True, ())]
    assert by_audit == ((), ("protected",))


def _protected(facts: CaseFacts) -> CaseFacts:
    return replace(facts, flags={**facts.flags, "protected": "yes"})


def _stored_apart(urls: dict[str, str], *, stored: Log, told: Log) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The guards' objections to one log, and the audit's to another in its place."""
    write_logs(urls, [stored])
    return objections(told), audited(urls)[case_of(0), stored.number]
