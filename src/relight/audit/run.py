"""One audit from beginning to end: the installation's walls, then partner by partner, invariant by invariant."""

from collections.abc import Callable, Iterator
from datetime import datetime

from relight.audit import (
    agencies,
    books,
    collections,
    cuts,
    effects,
    feeds,
    interest,
    law,
    ledger,
    messages,
    payments,
    refunds,
    restores,
    walls,
)
from relight.audit.history import SQL as HISTORY
from relight.audit.history import Cut
from relight.audit.history import cuts as all_cuts
from relight.audit.reading import Partner, Reading, Scope, connect, partners, reading
from relight.audit.report import Report, Violation
from relight.audit.rules import days_of, rules_of

Progress = Callable[[Partner, str], None]
_BY_STATEMENTS = (
    ("I1", payments.look),
    ("I2", ledger.look),
    ("I4", restores.look),
    ("I5", effects.look),
    ("I6", feeds.look),
    ("I7", walls.look),
    ("I8", messages.look),
    ("I2", agencies.look_at_money),
    ("I2", books.look),
    ("I2", refunds.look),
    ("I9", agencies.look),
    ("I1", collections.look_at_money),
    ("I3", collections.look_at_holds),
    ("I8", collections.look_at_messages),
)


class NoSuchPartner(LookupError):
    """There is no partner of that slug."""


def audit(
    conninfo: str,
    *,
    partner: str | None = None,
    since: datetime | None = None,
    as_of: datetime | None = None,
    on_progress: Progress | None = None,
) -> Report:
    """Check everything, or what is of `since` and later; of all partners, or of the one with this slug.

    `as_of` is the moment at which what is not finished is judged: now by the database's clock, unless said. `conninfo`
    is for the role that runs in production. Raises `NoSuchPartner` and psycopg's errors; changes nothing.
    """
    report = Report()
    with connect(conninfo) as connection:
        found = partners(connection, partner)
        if not found:
            raise NoSuchPartner(partner or "")
        row = connection.execute("SELECT clock_timestamp() AS now").fetchone()
        assert row is not None
        scope = Scope(since, as_of or row["now"])
        with reading(connection, found[0], scope) as first:
            report.add("I7", *walls.look_at_walls(first))
        for one in found:
            with reading(connection, one, scope) as snapshot:
                _partner(snapshot, report, on_progress or (lambda _partner, _invariant: None))
    report.violations.sort(key=lambda wrong: (wrong.invariant, wrong.partner, wrong.case or 0, wrong.event or 0))
    return report


def _partner(snapshot: Reading, report: Report, tell: Progress) -> None:
    for invariant, look in _BY_STATEMENTS:
        tell(snapshot.partner, invariant)
        report.add(invariant, *look(snapshot))
    tell(snapshot.partner, "I3 and I9")
    _cuts(snapshot, report)
    report.add("I9", *law.look_at_fees(snapshot))
    report.add("I9", *interest.look(snapshot))


def _cuts(snapshot: Reading, report: Report) -> None:
    """Cuts are judged twice, by the invariants and by the law, on the same facts."""
    bench = _bench(snapshot)
    rules = rules_of(snapshot.partner.country)
    told: set[tuple[int, str, str]] = set()
    for cut in all_cuts(snapshot):
        report.add("I3", 1, _fresh(told, cut, "I3", cuts.judge(bench, cut), snapshot))
        asked, broken = law.judge(bench, cut, rules) if cut.claims else (0, [])
        report.add("I9", asked, _fresh(told, cut, "I9", iter(broken), snapshot))


def _fresh(
    told: set[tuple[int, str, str]], cut: Cut, invariant: str, wrong: Iterator[cuts.Wrong], snapshot: Reading
) -> list[Violation]:
    """What is wrong with a cut, once for all attempts at the same command."""
    found: list[Violation] = []
    for one in wrong:
        if (key := (cut.row["effect_id"], one.code, one.why)) not in told:
            told.add(key)
            found.append(_violation(cut, invariant, one, snapshot))
    return found


def _violation(cut: Cut, invariant: str, wrong: cuts.Wrong, snapshot: Reading) -> Violation:
    local = cut.moment.astimezone(snapshot.partner.zone)
    done = f"Service {cut.row['service_ref']} was set to {cut.row['level']}"
    if cut.row["level"] is None:
        done = f"Step {cut.row['step']} was asked of a person for account {cut.row['service_ref']}"
    what = f"{done} on {local:%Y-%m-%d %H:%M}. {wrong.why}"
    return Violation(
        invariant, cut.row["case_id"], cut.row["event_number"], what, wrong.code, wrong.todo, snapshot.partner.slug
    )


def _bench(snapshot: Reading) -> cuts.Bench:
    heard = tuple((row["name"], row["complete_until"]) for row in snapshot.rows(HISTORY.heard_until))
    return cuts.Bench(snapshot, days_of(snapshot.partner.country), heard)
