"""Receipts of several customers' messages, written together: each finds its own message, once."""

from datetime import timedelta

from relight.flow.messages.port import Channel, Receipt, Report
from relight.flow.road.hear import Ear
from tests.journeys.world import World


def test_each_receipt_finds_its_message_by_our_key_or_by_the_providers_id_and_the_first_one_counts(
    world: World,
) -> None:
    accounts = [world.customer() for _ in range(3)]
    for account in accounts:
        world.invoice(account, amount=90_000, due=world.moment.date() - timedelta(days=20))
    world.days(1)
    sent = world.rows(
        "SELECT m.id, e.key, m.provider_ids[1] FROM sent_message m JOIN effect e ON e.id = m.effect_id"
        " WHERE m.provider_ids <> '{}' AND m.delivered_at IS NULL AND m.account_id = ANY (%(accounts)s) ORDER BY m.id",
        accounts=[account.id for account in accounts],
    )
    (first, key, _), (second, _, provider_id), *_ = sent
    world.run()

    def receipt(minutes: int, **named: str) -> Receipt:
        return Receipt(Channel.EMAIL, Report.DELIVERED, world.moment + timedelta(minutes=minutes), **named)

    known = Ear(world.db, world.partner, lambda: world.moment).delivered(
        [
            receipt(1, key=key),
            receipt(2, key="nobody's"),
            receipt(3, provider_id=provider_id),
            receipt(4, key=key),
            receipt(5),
        ]
    )

    assert known == [True, False, True, True, False]
    delivered = dict(world.rows("SELECT id, delivered_at FROM sent_message WHERE delivered_at IS NOT NULL"))
    assert delivered == {first: receipt(1).at, second: receipt(3).at}
    woken = world.rows("SELECT count(*) FROM dunning_case WHERE wakes_at = %(now)s", now=world.moment)
    assert woken == [(2,)]
