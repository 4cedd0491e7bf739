"""The plans of the statements that a night run asks all day: `python -m bench.plans` writes bench/plans/ anew.

Two batches are decided by the role that runs in production; every statement of the road that its connection has
prepared by then is kept with its generic plan, by which it is run. Costs are left out: what matters is which index is
used, and that no large table is read from end to end (here, `block` and others are nearly empty).
"""

import re
from pathlib import Path

import psycopg
from psycopg import sql

from bench import population
from bench.decide import NOW
from bench.home import private
from bench.population import NIGHT, Plan
from relight.flow.database import Database, Tx
from relight.flow.road import gather, record
from relight.flow.road.turn import Turner

FOLDER = Path(__file__).with_name("plans")
_CASES = 24_000
_PARTNERS = 3
_PREPARED = "SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements ORDER BY prepare_time"
_NAMES = {
    re.sub(r"%\(\w+\)s", "$", text): f"{folder}-{name}"
    for folder, known in (("facts", gather.SQL), ("record", record.SQL))
    for name, text in vars(known).items()
}


def run() -> dict[str, str]:
    """Each statement's plan, by its file's and its own name."""
    with private() as home, home.owner() as owner, home.database(size_max=1) as db, home.filling() as filling:
        partners = [_fill(owner, db, filling, number) for number in range(_PARTNERS)]
        population.settle_down(filling)
        turner = Turner(db)
        for _ in range(2):  # blocks and effects of the first batch are there when the second is planned
            turner.turn(partners[0], "bulk", NOW)
        with db.transaction(partners[0]) as tx:
            return {name: plan for known in tx.rows(_PREPARED) for name, plan in _explained(tx, *known)}


def _fill(owner: psycopg.Connection, db: Database, filling: psycopg.Connection, number: int) -> int:
    partner = population.make_partner(owner, f"planned-{number}", NOW, {})
    policy = population.publish_policies(db, partner, NOW)["broadband"]
    population.fill(filling, partner, policy, Plan(1_000_000 + number * _CASES, _CASES, NIGHT), NOW)
    return partner


def _explained(tx: Tx, prepared: str, text: str, places: int) -> list[tuple[str, str]]:
    """The plan of a prepared statement, if it is one of the road's. It is planned once, whatever it is asked with."""
    name = _NAMES.get(re.sub(r"\$\d+", "$", text))
    if name is None:
        return []
    nothing = sql.SQL("({})").format(sql.SQL(", ").join([sql.NULL] * places)) if places else sql.SQL("")
    asked = sql.SQL("EXPLAIN (COSTS OFF) EXECUTE {}{}").format(sql.Identifier(prepared), nothing)
    return [(name, "\n".join(row[0] for row in tx.connection.execute(asked).fetchall()))]


def main() -> None:
    """Write them, one file each, and nothing that is no longer asked."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name, plan in run().items():
        (FOLDER / f"{name}.txt").write_text(plan + "\n", "utf-8")


if __name__ == "__main__":
    main()
