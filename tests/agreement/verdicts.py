"""The audit's verdict on each of many logs, beside the guards'."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg

from relight.audit import cuts, law
from relight.audit.history import SQL, Cut
from relight.audit.history import cuts as all_cuts
from relight.audit.reading import Reading, Scope, connect, partners, reading
from relight.audit.rules import days_of, rules_of
from relight.core.facts import CaseFacts, StepFacts
from tests.agreement.amiss import with_something_amiss
from tests.agreement.logs import Log, draw_logs, objections
from tests.agreement.rows import case_of, write

_AS_OF = datetime(2050, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An act that one lets pass and the other objects to."""

    log: Log
    guards: tuple[str, ...]
    audit: tuple[str, ...]


@dataclass(slots=True)
class Judged:
    """What a number of logs came to."""

    counted: Counter[str] = field(default_factory=Counter[str])
    disagreements: list[Disagreement] = field(default_factory=list[Disagreement])


def draw(seeds: range, *, lives: int, amiss: int) -> list[Log]:
    """Logs as they were lived, and of each so many with something amiss."""
    logs: list[Log] = []
    for seed in seeds:
        for log in draw_logs(seed, lives):
            dice = Random(f"amiss-{log.seed}-{log.number}")
            logs.append(log)
            drawn = (with_something_amiss(dice, log) for _ in range(amiss))
            logs += [one for one in drawn if one is not None]
    return logs


def compare(urls: dict[str, str], logs: Sequence[Log]) -> Judged:
    """Ask both of every log; `urls` are the superuser's and the runtime role's (`admin`, `app`)."""
    write_logs(urls, logs)
    found, judged = audited(urls), Judged()
    for place, log in enumerate(logs):
        guards, audit = objections(log), found.get((case_of(place), log.number), ())
        _count(judged, log, guards, audit)
        if guards and not audit and not objections(as_sent(log)):
            judged.counted["stricter.letters_count_from_their_arrival"] += 1
        elif bool(guards) != bool(audit):
            judged.disagreements.append(Disagreement(log, guards, audit))
    return judged


def as_sent(log: Log) -> Log:
    """The log as if letters arrived when they leave. Where a law counts from the sending, the guards wait for the
    arrival, which is later and wrongs nobody; the audit counts as the law does."""

    def of(facts: CaseFacts) -> CaseFacts:
        return replace(facts, steps=tuple(_sent(step) for step in facts.steps))

    def _sent(step: StepFacts) -> StepFacts:
        early = timedelta(days=log.letters_take)
        effects = tuple(
            replace(one, finished_at=one.finished_at - early) if one.channel == "letter" and one.finished_at else one
            for one in step.effects
        )
        return replace(step, effects=effects)

    return replace(log, before=of(log.before), after=of(log.after))


def _count(judged: Judged, log: Log, guards: tuple[str, ...], audit: tuple[str, ...]) -> None:
    judged.counted["logs"] += 1
    judged.counted[f"verdict.{'objected' if guards else 'passed'}"] += 1
    judged.counted[f"country.{log.policy.country}"] += 1
    judged.counted[f"act.{'by_people' if log.due is None else 'command'}"] += 1
    judged.counted.update(f"amiss.{name}" for name in log.amiss or ("nothing",))
    if guards and audit:
        judged.counted.update(f"found.{code}" for code in set(audit))


def write_logs(urls: dict[str, str], logs: Sequence[Log]) -> None:
    """Store these logs, and nothing else."""
    with psycopg.connect(urls["admin"], autocommit=True) as admin:
        write(admin, logs)


def audited(urls: dict[str, str]) -> dict[tuple[int, int], tuple[str, ...]]:
    """The codes of what the audit (I3 and I9) holds against each stored act, by case and event."""
    found: dict[tuple[int, int], tuple[str, ...]] = {}
    with connect(urls["app"]) as connection:
        for partner in partners(connection, None):
            with reading(connection, partner, Scope(None, _AS_OF)) as snapshot:
                bench = cuts.Bench(snapshot, days_of(partner.country), _heard(snapshot))
                for cut in all_cuts(snapshot):
                    place = cut.row["case_id"], cut.row["event_number"]
                    found[place] = (*found.get(place, ()), *_codes(bench, cut))
    return found


def _heard(snapshot: Reading) -> tuple[tuple[str, datetime], ...]:
    return tuple((row["name"], row["complete_until"]) for row in snapshot.rows(SQL.heard_until))


def _codes(bench: cuts.Bench, cut: Cut) -> list[str]:
    rules = rules_of(bench.reading.partner.country)
    broken: list[Any] = [*cuts.judge(bench, cut)]
    broken += law.judge(bench, cut, rules)[1] if cut.claims else []
    return [one.code for one in broken]
