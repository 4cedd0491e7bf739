"""One command in flight a service: the database refuses a second one, and release never asks it to."""

import threading
from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.database import Database, Tx
from relight.flow.road.release import Job, LinkMaker, Releaser
from tests.flow.factories import make_service
from tests.flow.paying import Debtor, make_debtor, with_policy

IN_FLIGHT = "UPDATE effect SET state = 'in_flight', lease_until = %(until)s WHERE id = %(id)s"


@pytest.fixture
def debtor(db: Database, partner: int, now: datetime) -> Debtor:
    """A customer with a service that is to be full, so that its commands leave whatever is owed."""
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        made = make_debtor(tx, now)
        tx.run("UPDATE supply SET generation = 2, desired_at = %(now)s WHERE service_id = %(s)s",
               {"now": now, "s": made.service_id})  # fmt: skip
    return made


def add_command(tx: Tx, debtor: Debtor, now: datetime, *, service_id: int = 0, generation: int = 2, key: str) -> int:
    """A command to full that is due; its effect's id."""
    return tx.value(
        "INSERT INTO effect (partner_id, case_id, account_id, event_number, key, kind, lane, service_id, level,"
        " generation, due_at, created_at) VALUES (%(partner)s, %(case)s, %(account)s, 0, %(key)s, 'supply', 'urgent',"
        " %(service)s, 'full', %(generation)s, %(now)s, %(now)s) RETURNING id",
        {
            "partner": tx.partner_id,
            "case": debtor.case_id,
            "account": debtor.account.id,
            "service": service_id or debtor.service_id,
            "generation": generation,
            "key": key,
            "now": now,
        },
    )


def releaser(db: Database) -> Releaser:
    return Releaser(db, LinkMaker("https://betal.example", lambda partner_id, link_id: f"{partner_id}-{link_id}"))


def states(db: Database, partner: int) -> list[str]:
    with db.transaction(partner) as tx:
        return [row[0] for row in tx.rows("SELECT state FROM effect WHERE kind = 'supply' ORDER BY id")]


def test_a_second_command_in_flight_for_a_service_is_refused_by_the_database(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    until = now + timedelta(minutes=1)
    with db.transaction(partner) as tx:
        first, second = (add_command(tx, debtor, now, key=key) for key in ("first", "second"))
        tx.run(IN_FLIGHT, {"id": first, "until": until})

    with pytest.raises(psycopg.errors.UniqueViolation) as refused, db.transaction(partner) as tx:
        tx.run(IN_FLIGHT, {"id": second, "until": until})

    assert refused.value.diag.constraint_name == "effect_one_command"


def test_two_services_may_be_commanded_at_once(db: Database, partner: int, debtor: Debtor, now: datetime) -> None:
    with db.transaction(partner) as tx:
        other = make_service(tx, debtor.account, now)
        tx.run("UPDATE supply SET generation = 2 WHERE service_id = %(s)s", {"s": other})
        add_command(tx, debtor, now, key="one")
        add_command(tx, debtor, now, service_id=other, key="other")

    _, jobs = releaser(db).release(partner, "urgent", now)

    assert len(jobs) == 2


def test_release_leaves_the_second_command_where_it_is_while_the_first_is_on_its_way(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        tx.run(IN_FLIGHT, {"id": add_command(tx, debtor, now, key="first"), "until": now + timedelta(minutes=1)})
        add_command(tx, debtor, now, key="second")

    looked_at, jobs = releaser(db).release(partner, "urgent", now)

    assert (looked_at, jobs) == (0, [])
    assert states(db, partner) == ["in_flight", "pending"]


def test_of_two_commands_in_one_batch_one_leaves_and_the_other_waits(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        first = add_command(tx, debtor, now, key="first")
        add_command(tx, debtor, now, key="second")

    looked_at, jobs = releaser(db).release(partner, "urgent", now)

    assert looked_at == 2
    assert [job.effect_id for job in jobs] == [first]
    assert states(db, partner) == ["in_flight", "pending"]


def test_a_command_of_an_older_generation_is_cancelled_and_never_leaves(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        add_command(tx, debtor, now, generation=1, key="older")
        newer = add_command(tx, debtor, now, key="newer")

    _, jobs = releaser(db).release(partner, "urgent", now)

    assert [job.effect_id for job in jobs] == [newer]
    assert states(db, partner) == ["cancelled", "in_flight"]


def test_releasers_at_once_let_a_command_leave_once_and_meet_no_refusal(
    db: Database, partner: int, debtor: Debtor, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        for number in range(6):
            add_command(tx, debtor, now, key=f"command {number}")
    together, left, failed = threading.Barrier(6), list[Job](), list[Exception]()

    def work() -> None:
        together.wait()
        try:
            left.extend(releaser(db).release(partner, "urgent", now)[1])
        except Exception as unexpected:  # noqa: BLE001 - a refusal by the index would be one
            failed.append(unexpected)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert len(left) == 1
    assert states(db, partner).count("in_flight") == 1
