"""The road from an unpaid bill to light again, with simulated devices: what the engine does whatever is connected."""

from tests.journeys.world import World


def test_an_unpaid_broadband_bill_is_followed_to_the_cut_and_back(world: World) -> None:
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=79900)

    world.until_step(account, "limit")
    world.run()
    limited = world.observed(service)
    world.pays(account, 79900)
    world.run()

    assert limited == "walled_garden"
    assert world.observed(service) == "full"
    assert world.steps(account) == ["friendly", "reminder", "limit", "restore"]
    assert world.messages(account) == [
        ("friendly_reminder", "sms"),
        ("reminder", "sms"),
        ("disconnect_notice", "sms"),
        ("disconnect_notice", "email"),
        ("service_limited", "sms"),
        ("payment_received", "sms"),
        ("restored", "sms"),
    ]
    assert world.state(account) == "closed"
