"""The plans of the statements that are asked all day: `python -m bench.plans` writes bench/plans/ anew.

Of a night run every statement: two batches are decided by the role that runs in production, and each statement of the
road that its connection has prepared by then is kept with its generic plan, by which it is run. Of the other ways that
are asked again and again (urgent claims, releases and ends, the pay page, payments, the feed, imports) the statements
that are named here, planned by themselves, beside payments, links, checkouts, attempts and a log by the ten thousand.
Costs are left out: what matters is which index is used, and that no large table is read from end to end (here, `block`
and others are nearly empty, and what an import has staged is read whole).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from bench import population
from bench.decide import NOW
from bench.home import private
from bench.population import NIGHT, Plan
from bench.statements import plan_of
from bench.statements import statements as all_statements
from relight.flow.database import Database, Tx, statements
from relight.flow.road import gather, record
from relight.flow.road.turn import Turner

SQL = statements("bench", "plans.sql")
STAGE = statements("relight.flow.claims", "stage.sql")
ALLOCATION = statements("relight.flow.claims", "allocation.sql")
FOLDER = Path(__file__).with_name("plans")
# By their file, of the ways that are asked again and again; what is not here is asked once a day, or of small tables.
HOT = {
    "flow/road/facts": ("claim_due_urgent",),
    "flow/effects/release": (
        "due_bulk", "due_urgent", "still_due", "just_decided", "start", "traces", "targets",
        "finish_attempts", "of_outcomes", "end", "again", "lost", "renew",
    ),
    "flow/messages/handlers": ("messages_of", "delivered"),
    "flow/payments/queries": ("page", "opened", "progress"),
    "flow/payments/operations": (
        "links_for", "lock_customer", "checkout_again", "start_checkout", "attach", "orders", "keep_notices",
        "finish_checkouts",
    ),
    "flow/claims/receiving": ("find_accounts", "lock_accounts", "insert_new", "advance"),
    "flow/claims/stage": ("new_accounts", "lock_accounts", "place"),
    "flow/claims/posting": ("post_new",),
    "flow/cases/opening": ("open_cases",),
    "flow/feeds/operations": ("take_head", "sequence", "read", "acknowledge"),
}  # fmt: skip
# Put together of pieces, as flow/claims/allocation.py does it.
ALLOCATED = {name: f"WITH {ALLOCATION.rule}, {getattr(ALLOCATION, name)}, {ALLOCATION.post_pairs}"
             for name in ("by_name", "by_age")}  # fmt: skip
_CASES = 24_000
_PARTNERS = 3
_PREPARED = "SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements ORDER BY prepare_time"
_NAMES = {
    re.sub(r"%\(\w+\)s", "$", text): f"{folder}-{name}"
    for folder, known in (("facts", gather.SQL), ("record", record.SQL))
    for name, text in vars(known).items()
}


def hot() -> dict[str, str]:
    """The named statements of the ways beside the night run, by their file's and their own name."""
    named = {tuple(known.split(":")): text for known, text in all_statements()}
    found = {_file_name(file, name): named[file, name] for file, names in HOT.items() for name in names}
    return found | {_file_name("flow/claims/allocation", name): text for name, text in ALLOCATED.items()}


def _file_name(file: str, name: str) -> str:
    return f"{file.removeprefix('flow/').removeprefix('road/').replace('/', '-')}-{name}"


def run() -> dict[str, str]:
    """Each statement's plan, by its file's and its own name. Raises RuntimeError for one that is not to be planned."""
    with private() as home, home.owner() as owner, home.database(size_max=1) as db, home.filling() as filling:
        partners = [_fill(owner, db, filling, number) for number in range(_PARTNERS)]
        for number, partner in enumerate(partners):
            _fill_more(filling, partner, number)
        population.settle_down(filling)
        turner = Turner(db)
        for _ in range(2):  # blocks and effects of the first batch are there when the second is planned
            turner.turn(partners[0], "bulk", NOW)
        with db.transaction(partners[0]) as tx:
            found = {name: plan for known in tx.rows(_PREPARED) for name, plan in _explained(tx, *known)}
            return found | dict(_hot_plans(tx))


def _fill(owner: psycopg.Connection, db: Database, filling: psycopg.Connection, number: int) -> int:
    partner = population.make_partner(owner, f"planned-{number}", NOW, {})
    policy = population.publish_policies(db, partner, NOW)["broadband"]
    population.fill(filling, partner, policy, _plan(number), NOW)
    return partner


def _plan(number: int, tables: tuple[str, ...] = population.ARREARS) -> Plan:
    return Plan(1_000_000 + number * _CASES, _CASES, NIGHT, tables=tables)


def _fill_more(filling: psycopg.Connection, partner: int, number: int) -> None:
    """What the customers have paid, been sent and been told of; without it there would be nothing to look through."""
    plan = _plan(number, tables=("links",))
    population.fill(filling, partner, 0, plan, NOW)
    refs = {id_: f"order-{id_}" for id_ in range(plan.first, plan.first + plan.count)}
    population.add_checkouts(filling, partner, refs, NOW)
    for text in (SQL.payments, SQL.notices, SQL.attempts, SQL.feed, SQL.pending):
        filling.execute(text, {"partner": partner, "now": NOW, "amount": population.AMOUNT})


def _explained(tx: Tx, prepared: str, text: str, places: int) -> list[tuple[str, str]]:
    """The plan of a prepared statement, if it is one of the road's. It is planned once, whatever it is asked with."""
    name = _NAMES.get(re.sub(r"\$\d+", "$", text))
    if name is None:
        return []
    nothing = sql.SQL("({})").format(sql.SQL(", ").join([sql.NULL] * places)) if places else sql.SQL("")
    asked = sql.SQL("EXPLAIN (COSTS OFF) EXECUTE {}{}").format(sql.Identifier(prepared), nothing)
    return [(name, "\n".join(row[0] for row in tx.connection.execute(asked).fetchall()))]


def _hot_plans(tx: Tx) -> Iterator[tuple[str, str]]:
    for table in (STAGE.claims_table, STAGE.lines_table):
        tx.run(table)
    tx.run("SELECT set_config('relight.now', now()::text, true)")  # as pages are asked
    for name, text in hot().items():
        plan = plan_of(tx.connection, text, options="GENERIC_PLAN, COSTS OFF")
        if plan is None:
            raise RuntimeError(f"{name} cannot be planned by itself: {tx.connection.pgconn.get_error_message()}")
        yield name, "\n".join(plan)


def main() -> None:
    """Write them, one file each, and nothing that is no longer asked."""
    found = run()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name, plan in found.items():
        (FOLDER / f"{name}.txt").write_text(plan + "\n", "utf-8")


if __name__ == "__main__":
    main()
