"""What watches over imports reads a few of their rows, however many files came in the years before."""

from datetime import datetime
from typing import Any

import psycopg
import pytest

from relight.flow.database import Database, Tx
from relight.flow.watch import alarms, pulse

RUNS = 100_000
_YEARS_OF_FILES = """
INSERT INTO import_run (partner_id, kind, file_name, sha256, started_at, finished_at, accepted)
SELECT %(partner)s, (ARRAY['invoices', 'payments'])[1 + n %% 2], 'f' || n, md5(n::text) || md5(n::text),
    %(now)s::timestamptz - make_interval(mins => n * 5),
    CASE WHEN n %% 1000 <> 7 THEN %(now)s::timestamptz - make_interval(mins => n * 5 - 1) END, n
FROM generate_series(10, %(runs)s + 9) n
"""


def read_of(plan: dict[str, Any]) -> int:
    """How many rows of `import_run` a plan came by, those that it threw away included."""
    own = 0
    if plan.get("Relation Name") == "import_run":
        thrown = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        own = (plan["Actual Rows"] + thrown) * plan["Actual Loops"]
    return int(own) + sum(read_of(part) for part in plan.get("Plans", ()))


def explained(tx: Tx, statement: str, params: dict[str, Any]) -> dict[str, Any]:
    return tx.value(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", params)[0]["Plan"]


@pytest.fixture
def years_of_files(owner: psycopg.Connection, partner: int, now: datetime) -> None:
    owner.execute(_YEARS_OF_FILES, {"partner": partner, "now": now, "runs": RUNS})
    owner.execute("ANALYZE import_run")


@pytest.mark.usefixtures("years_of_files")
def test_figures_and_alarms_about_imports_read_a_few_of_a_hundred_thousand(
    db: Database, partner: int, now: datetime
) -> None:
    given = {"partner": partner, "now": now}
    with db.transaction(partner) as tx:
        of_pulse = explained(tx, pulse.SQL.pulse, given)
        of_alarms = explained(tx, alarms.SQL.alarms, alarms.question(partner, now))

    assert read_of(of_pulse) < 10
    assert read_of(of_alarms) < 100
