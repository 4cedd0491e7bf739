"""A short life on several hosts, with each kind of death in it; the long one is `python -m tests.chaos`.

By hand, as root, and not among the tests that run by themselves until it passes each time:

    python -m pytest tests/chaos/shortly.py
"""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import faults
from tests.chaos.living import Life, living
from tests.journeys.processes import wait_for

pytestmark = pytest.mark.counterpart

TOLD_WAITS = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'relight%' AND wait_event = 'SyncRep'"
WAKE = """
    UPDATE relight.dunning_case SET wakes_at = clock_timestamp() WHERE id IN (
        SELECT id FROM relight.dunning_case
        WHERE state <> 'closed' AND lane = 'bulk' AND wakes_at > clock_timestamp() FOR UPDATE SKIP LOCKED)
"""
DUE = """
    SELECT count(*) FROM relight.dunning_case
    WHERE state <> 'closed' AND lane = 'bulk' AND wakes_at <= clock_timestamp()
"""
DEATHS = (faults.host_killed, faults.worker_killed, faults.part_of_web_killed, faults.fail_over)


@pytest.fixture(scope="module")
def life() -> Iterator[Life]:
    """Everything runs, and the first who paid is back."""
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="rlc"))
    with living(folder, seed=1, pace_seconds=0.3, homes=30, bills=5, poisoned=0, goes_on=False) as running:
        running.warm_up()
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def test_what_is_told_outside_waits_for_the_replica_and_a_night_run_does_not(life: Life) -> None:
    pair = life.ground.pair
    link = pair.second.host
    (ref,) = wait_for(lambda: life.town.order(1), "somebody is limited and goes to the card page")

    link.cut()
    life.traffic.pays(ref)
    try:
        with pair.first.admin("relight") as admin:
            wait_for(lambda: admin.execute(TOLD_WAITS).fetchone(), "what is told outside waits for the replica")
            heard = set(life.sender.accepted)
            woken = admin.execute(WAKE).rowcount
            wait_for(lambda: admin.execute(DUE).fetchone() < (woken,), "some that were woken are decided")
            heard_since = set(life.sender.accepted) - heard
    finally:
        link.mend()

    assert woken
    assert ref not in heard
    assert not heard_since, "no payment was said to be on record before the replica had it"
    wait_for(lambda: ref in life.sender.accepted, "the payment is heard")


def test_customers_pay_while_workers_webs_and_servers_die(life: Life) -> None:
    for death in DEATHS:
        life.suffer(death, print)

    assert life.come_to_rest() == []
