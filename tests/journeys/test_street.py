"""The whole road on the real counterparts: from an unpaid bill to light again, as the household notices it."""

import pytest

from tests.journeys.street import OWED, Street

pytestmark = pytest.mark.counterpart


def test_an_unpaid_line_is_led_to_the_pay_page_then_closed_and_is_back_when_paid(street: Street) -> None:
    home = street.move_in(broadband=True)

    street.limit_broadband(home)
    limited, page = street.log_in(home), street.town.radius.enforced(home.username)
    street.until_asked(home.account)
    street.approve(home.account)
    street.until_step(home.account, "cut")
    street.run()
    closed = street.log_in(home)
    street.pays(home.account, OWED)
    street.run()

    assert (limited["code"], limited["Filter-Id"]) == ("Access-Accept", "walled-garden")
    assert page is not None
    assert page["WISPr-Redirection-URL"].startswith("http://pay.")
    assert closed["code"] == "Access-Reject"
    assert street.has_internet(home)
    assert street.heard(home) == ["CoA-Request", "Disconnect-Request"]
    assert street.steps(home.account) == ["friendly", "reminder", "limit", "cut", "restore"]
    assert street.state(home.account) == "closed"
    assert street.mails(home, 1) == ["Varsel om stenging av bredbåndet"]


def test_unpaid_power_is_noticed_by_letter_cut_at_the_meter_and_back_with_its_button(street: Street) -> None:
    home = street.move_in(power=True)

    street.cut_power(home)
    dark = street.breaker(home)
    street.pays(home.account, 2 * OWED)
    street.run()
    ready = street.breaker(home)
    street.presses_button(home)

    assert (dark, ready) == ("disconnected", "ready_for_reconnection")
    assert street.breaker(home) == "connected"
    assert street.actions(home) == ["remote_disconnect", "remote_reconnect"]
    assert [sheet["subject"] for sheet in street.posted(home)] == ["Varsel om stenging av strømmen"]
    assert street.steps(home.account) == ["friendly", "notice", "contact", "cut", "restore"]
    assert street.state(home.account) == "closed"
    assert street.mails(home, 1) == ["Varsel om stenging av strømmen"]
