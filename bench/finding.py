"""What it costs to find due work among those who sleep, and to do it: with few and with many of them, and under an old
snapshot.

The statements are production's, run by the role that runs there; PostgreSQL itself says which pages it touched and how
long it took (`EXPLAIN ANALYZE`). Pages do not depend on the neighbours; milliseconds do.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from bench import population
from bench.home import Home
from bench.population import NIGHT, Plan, Shape
from bench.processor import look
from relight.flow.database import Database, Tx
from relight.flow.road.claiming import question
from relight.flow.road.due import Known
from relight.flow.road.due import question as who
from relight.flow.road.searching import FROM_THE_START, PATIENCE, Place
from relight.flow.road.turn import BATCH, Turner

PARTNERS_MAX = 37
FEW = 100_000
_SIZES = (10_000, FEW, 1_000_000)
DUE = 4_000  # five batches
_PARTNER_EACH = 1_000
_FIRST = 100_000_000
_SLEEP = timedelta(days=3)
_PLACES = re.compile(r"%\((\w+)\)s")


def run(home: Home, owner: psycopg.Connection, sleeping: int, now: datetime) -> dict[str, Any]:
    """Fill in sleeping cases up to each size and measure; all of them, and how the last compares with `FEW`."""
    sizes = [*(size for size in _SIZES if size < sleeping), sleeping]
    with home.database() as db, home.filling() as filling:
        policies = sleepers(owner, db, min(PARTNERS_MAX, 1 + sleeping // _PARTNER_EACH), now)
        found: list[dict[str, Any]] = []
        before = 0
        for size in sizes:
            put_to_sleep(filling, policies, before, size, now)
            before = size
            first = _FIRST + sleeping + len(found) * DUE
            ours = next(iter(policies))
            population.fill(filling, ours, policies[ours], Plan(first, DUE, NIGHT), now)
            population.settle_down(filling)
            found.append({"sleeping": size, **_measure(home, ours, now)})
        return {"partners": len(policies), "sizes": found, "grows": _grows(few_of(found), found[-1])}


def few_of(sizes: list[dict[str, Any]]) -> dict[str, Any]:
    """The size that the largest is held against: `FEW`, or the largest itself where that is smaller."""
    return next((size for size in sizes if size["sleeping"] >= FEW), sizes[-1])


def _grows(few: dict[str, Any], many: dict[str, Any]) -> dict[str, float]:
    """By what factor each count of pages, and a turned case's processor time, grew."""
    pages = {name: round(many[name]["pages"] / few[name]["pages"], 2) for name in few if isinstance(few[name], dict)}
    return {**pages, "turn_us": round(many["turn_us"] / few["turn_us"], 2)}


def sleepers(owner: psycopg.Connection, db: Database, count: int, now: datetime) -> dict[int, int]:
    """Partners, each with the version of its policy that cases go under."""
    made = [population.make_partner(owner, f"sleeper-{number}", now, {}) for number in range(count)]
    return {partner: population.publish_policies(db, partner, now)["broadband"] for partner in made}


def put_to_sleep(filling: psycopg.Connection, policies: dict[int, int], before: int, size: int, now: datetime) -> None:
    """Cases that wake in three days, shared out among the partners; nothing else of their customers is needed."""
    more, first = size - before, _FIRST + before
    for number, (partner, policy) in enumerate(policies.items()):
        count = more * (number + 1) // len(policies) - more * number // len(policies)
        if count:
            plan = Plan(first, count, (Shape(steps=0, due_days=4),), wakes_in=_SLEEP, tables=("cases",))
            population.fill(filling, partner, policy, plan, now)
        first += count


def _measure(home: Home, partner: int, now: datetime) -> dict[str, Any]:
    """Who is due, the first batch and, with nearly everything turned while somebody reads an old snapshot, the last."""
    with Database(home.app_url, size_max=1, name="relight-bench").open() as db, old_snapshot(home):
        turner = Turner(db)
        with db.transaction(None) as tx:
            asking = who_is_due(tx, now, Known())
        with db.transaction(partner) as tx:
            first = claim(tx, now, FROM_THE_START)
        turner.turn(partner, "bulk", now)  # which compiles its policy, and prepares its statements
        before, turned = look(db), 0
        for _ in range(DUE // BATCH["bulk"] - 2):
            turned += turner.turn(partner, "bulk", now)
        spent = look(db).since(before)
        with db.transaction(partner) as tx:
            last = claim(tx, now, turner.claimer.search(partner, "bulk").since())
            walking = claim(tx, now, FROM_THE_START)
        turner.drain("bulk", now)
    return {
        "turn_us": round((spent.python + spent.postgres) / turned * 1e6, 1),
        "which_partners": asking,
        "first_batch": first,
        "last_batch_under_old_snapshot": last,
        "the_same_from_the_start": walking,
    }


@contextmanager
def old_snapshot(home: Home) -> Iterator[None]:
    """Somebody reads for a long time: nothing that is turned meanwhile may be cleared away."""
    with psycopg.connect(home.owner_url) as reader:
        reader.execute("SET idle_in_transaction_session_timeout = 0")
        reader.rollback()
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT 1 FROM pg_class LIMIT 1")
        yield
        reader.rollback()


def claim(tx: Tx, now: datetime, since: Place) -> dict[str, Any]:
    return explained(tx, *question("bulk", now, BATCH["bulk"], since))


def who_is_due(tx: Tx, now: datetime, known: Known, what: str = "decide bulk") -> dict[str, Any]:
    return explained(tx, *who(what, now, known, PATIENCE["bulk"]))


def explained(tx: Tx, statement: str, params: dict[str, Any]) -> dict[str, Any]:
    """Pages that the statement touched, and its milliseconds, by the plan that a session keeps for it."""
    names = list(dict.fromkeys(_PLACES.findall(statement)))
    said = _PLACES.sub(lambda place: f"${names.index(place[1]) + 1}", statement)
    given = sql.SQL("EXECUTE probe ({})").format(sql.SQL(", ").join(sql.Literal(params[name]) for name in names))
    tx.run(f"PREPARE probe AS {said}")
    tx.connection.execute(given)  # which plans it
    found = tx.connection.execute(
        sql.SQL("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {}").format(given)
    ).fetchone()
    tx.run("DEALLOCATE probe")
    assert found is not None
    plan = found[0][0]["Plan"]
    pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return {"pages": pages, "rows": plan["Actual Rows"], "ms": round(found[0][0]["Execution Time"], 2)}
