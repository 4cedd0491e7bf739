"""Who waits for a button is looked at often in the first minutes, and ever less often after."""

from datetime import timedelta

import pytest

from relight.flow.supply.operations import waiting_for_button
from tests.flow import factories
from tests.journeys.world import World


@pytest.mark.parametrize(
    ("waited", "looked", "is_due"),
    [
        (timedelta(seconds=20), timedelta(seconds=6), True),
        (timedelta(minutes=10), timedelta(seconds=20), False),
        (timedelta(minutes=10), timedelta(seconds=31), True),
        (timedelta(days=2), timedelta(seconds=59), False),
        (timedelta(days=2), timedelta(seconds=61), True),
    ],
)
def test_the_longer_one_waits_the_less_often_it_is_looked_at(
    world: World, waited: timedelta, looked: timedelta, is_due: bool
) -> None:
    account, now = world.customer(), world.moment
    with world.db.transaction(world.partner) as tx:
        service = factories.make_service(tx, account, now, kind="electricity", driver="sim", address={"device": "m1"})
        tx.run(
            "INSERT INTO supply (partner_id, service_id, desired, desired_at, observed, read_at)"
            " VALUES (%(p)s, %(service)s, 'full', %(since)s, 'ready', %(read)s)"
            " ON CONFLICT (service_id) DO UPDATE SET desired_at = excluded.desired_at, observed = 'ready',"
            " read_at = excluded.read_at",
            {"p": world.partner, "service": service, "since": now - waited, "read": now - looked},
        )

        found = waiting_for_button(tx, before=now - timedelta(seconds=5), now=now, limit=9, patient=True)
        all_of_them = waiting_for_button(tx, before=now, now=now, limit=9)

    assert bool(found) is is_due
    assert len(all_of_them) == 1
