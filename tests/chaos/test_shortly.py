"""A short life on several hosts, with each kind of death in it; the long one is `python -m tests.chaos`.

Collected where hosts can be made (conftest.py).
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.chaos import faults, relay
from tests.chaos.ending import judge
from tests.chaos.living import Life, living
from tests.chaos.network import Host
from tests.chaos.outages import Outage
from tests.journeys.processes import wait_for

pytestmark = [pytest.mark.counterpart, pytest.mark.timeout(900)]  # a machine that does other work may take minutes

TOLD_WAITS = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'relight%' AND wait_event = 'SyncRep'"
ASLEEP = """
    SELECT c.id FROM relight.dunning_case c JOIN relight.account a ON a.id = c.account_id
    WHERE c.state <> 'closed' AND c.lane = 'bulk' AND c.wakes_at > clock_timestamp()
      AND NOT EXISTS (SELECT 1 FROM relight.effect e WHERE e.case_id = c.id AND e.state IN ('pending', 'in_flight'))
      AND NOT EXISTS (SELECT 1 FROM relight.checkout k WHERE k.account_id = a.id)
    ORDER BY c.id DESC LIMIT 5 FOR UPDATE SKIP LOCKED
"""
WAKE = "UPDATE relight.dunning_case SET wakes_at = clock_timestamp() WHERE id = ANY (%s)"
DECIDED = "SELECT 1 FROM relight.dunning_case WHERE id = ANY (%s) AND wakes_at > clock_timestamp()"
PAID = "SELECT k.provider_ref FROM relight.checkout k JOIN relight.payment p ON p.account_id = k.account_id"
LEFT_LATER = """
    UPDATE relight.attempt SET started_at = started_at + interval '5 seconds' WHERE id = (
        SELECT max(a.id) FROM relight.attempt a JOIN relight.effect e ON e.id = a.effect_id
        JOIN relight.case_event v ON v.case_id = e.case_id AND v.number = e.event_number
        WHERE v.code = 'restore_decided' AND e.kind = 'supply' AND a.number = 1)
"""
wait = partial(wait_for, seconds=90)  # whatever else this machine does
DEATHS = (faults.host_killed, faults.worker_killed, faults.part_of_web_killed, faults.fail_over)


@pytest.fixture(scope="module")
def life() -> Iterator[Life]:
    """Everything runs, and the first who paid is back."""
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="rlc"))
    try:
        with living(
            folder, seed=1, pace_seconds=0.3, homes=30, bills=5, poisoned=0, goes_on=False, gives_way=False
        ) as running:
            running.warm_up()
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _cut_off(life: Life, host: Host) -> Iterator[None]:
    """The replica is away, and the judge will know of it."""
    began = time.time()
    host.cut()
    try:
        yield
    finally:
        host.mend()
        life.seen.outages.append(Outage("replica_away", began, time.time()))


def _asleep(server: psycopg.Connection) -> list[int]:
    return [row[0] for row in server.execute(ASLEEP)]


def _paid(server: psycopg.Connection) -> set[str]:
    return {row[0] for row in server.execute(PAID)}


def test_what_is_told_outside_waits_for_the_replica_and_a_night_run_does_not(life: Life) -> None:
    pair = life.ground.pair
    (ref,) = wait(lambda: life.town.order(1), "somebody is limited and goes to the card page")

    with pair.first.admin("relight") as admin, pair.second.admin("relight") as replica, ExitStack() as cut_off:
        with admin.transaction():  # nobody who will wait for the replica may hold those: they are ours until then
            asleep = wait(lambda: _asleep(admin), "some sleep, and nothing is under way to them")
            cut_off.enter_context(_cut_off(life, pair.second.host))
            life.traffic.pays(ref)
            wait(lambda: admin.execute(TOLD_WAITS).fetchone(), "what is told outside waits for the replica")
            admin.execute(WAKE, (asleep,))
        wait(lambda: admin.execute(DECIDED, (asleep,)).fetchone(), "some that were woken are decided")
        heard = set(life.sender.accepted)
        wait(lambda: heard <= _paid(replica), "the replica has every payment of which somebody was told")

    assert ref not in heard
    wait(lambda: ref in life.sender.accepted, "the payment is heard")


def test_customers_pay_while_workers_webs_and_servers_die(life: Life) -> None:
    for death in DEATHS:
        life.suffer(death, print)

    assert life.come_to_rest() == []


def test_a_restore_that_is_late_and_a_mail_that_came_twice_are_seen(life: Life) -> None:
    with life.ground.pair.first.admin("relight") as admin:
        admin.execute(LEFT_LATER)
    key, *_ = wait(lambda: relay.taken(life.folder), "somebody gets a mail")
    with (life.folder / "mails.txt").open("a") as file:
        file.write(f"{key}\n")

    calm = judge(life.db, life.town.partner, life.folder, life.sender.accepted, [])
    stormy = judge(life.db, life.town.partner, life.folder, life.sender.accepted, [Outage("fail_over", 0, time.time())])

    assert [one for one in calm.wrong if "seconds after it could have" in one and "beside no fault" in one]
    assert stormy.figures["late_beside_a_fault"] > calm.figures["late_beside_a_fault"] == 0
    assert [one for one in stormy.wrong if one.startswith("email ") and one.endswith("was sent 2 times")]
