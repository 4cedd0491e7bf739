"""What an operator may write for a RADIUS realm, and the filter that comes out of it."""

import pytest

from relight.core.levels import Level
from relight.drivers.radius import RadiusDriver
from relight.drivers.radius_garden import PURPOSES, STYLES, read_garden, render_filter
from relight.drivers.radius_settings import Method, read_address, read_settings
from relight.flow.supply.port import WrongSettings

GROUPS = {"limited": "limited", "walled_garden": "walled-garden", "off": "off"}
REALM: dict[str, object] = {"database": "dbname=radius", "secret": "eight-bytes-or-more", "groups": GROUPS}
ALLOW = {
    "pay_page": ["pay.example.no"],
    "payment_providers": ["checkout.stripe.com"],
    "bank_login": ["login.bankid.no"],
    "emergency": ["sip.example.no"],
    "help": ["nav.no"],
}
GARDEN = {"filter": "walled-garden", "portal": "pay.example.no", "resolvers": ["192.0.2.53"], "allow": ALLOW}


def test_what_is_not_said_has_careful_defaults() -> None:
    settings = read_settings(REALM)

    assert settings.coa_secret == settings.secret
    assert settings.methods[Level.OFF] is Method.DISCONNECT
    assert settings.methods[Level.FULL] is Method.COA
    assert (settings.coa_port, settings.auth_port, settings.retries) == (3799, 1812, 2)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"secret": "short"}, "secret"),
        ({"secret": 12345678}, "secret"),
        ({"database": "not a connection string"}, "database"),
        ({"databse": "dbname=radius"}, "databse"),
        ({"groups": {"limited": "limited", "off": "off"}}, "groups.walled_garden"),
        ({"groups": GROUPS | {"ready": "ready"}}, "groups"),
        ({"groups": GROUPS | {"off": "limited"}}, "groups"),
        ({"groups": "off"}, "groups"),
        ({"coa_port": 0}, "coa_port"),
        ({"coa_port": True}, "coa_port"),
        ({"retries": 1.5}, "retries"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"methods": {"off": "coa"}}, "methods.off"),
        ({"methods": {"full": "reboot"}}, "methods.full"),
        ({"require_message_authenticator": "yes"}, "require_message_authenticator"),
        ({"dictionaries": ["/nowhere/dictionary"]}, "dictionaries"),
        ({"attributes": {"limited": {}}}, "attributes.limited"),
        ({"attributes": {"limited": {"Filter-Id": 1.5}}}, "attributes.limited.Filter-Id"),
        ({"attributes": {"limited": {"Nobody-Knows-This": "x"}}}, "attributes.limited"),
        ({"attributes": {"limited": {"Session-Timeout": "soon"}}}, "attributes.limited"),
        ({"garden": {"portal": "pay.example.no"}}, "garden.resolvers"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(WrongSettings) as refusal:
        RadiusDriver(REALM | change)

    assert f"`{named}`" in str(refusal.value)


@pytest.mark.parametrize("missing", ["database", "secret", "groups"])
def test_a_missing_setting_is_named(missing: str) -> None:
    with pytest.raises(WrongSettings, match=f"`{missing}` is missing"):
        read_settings({name: value for name, value in REALM.items() if name != missing})


def test_secrets_are_not_shown() -> None:
    settings = read_settings(REALM | {"database": "dbname=radius password=hush-hush"})

    assert "eight-bytes" not in repr(settings)
    assert "hush-hush" not in repr(settings)
    assert "hush-hush" not in repr(read_address({"username": "anna", "password": "hush-hush"}))


def test_a_connection_string_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(WrongSettings) as refusal:
        read_settings(REALM | {"database": "dbname=radius password=hush hush"})

    assert "hush" not in str(refusal.value)


@pytest.mark.parametrize("missing", list(PURPOSES))
def test_a_garden_must_let_every_purpose_through(missing: str) -> None:
    allow = {purpose: hosts for purpose, hosts in ALLOW.items() if purpose != missing}

    with pytest.raises(WrongSettings, match=rf"garden\.allow\.{missing}"):
        read_garden(GARDEN | {"allow": allow})


@pytest.mark.parametrize("host", ["https://pay.example.no", "pay.example.no/bill", "pay page", 'a.no" drop', ""])
def test_a_garden_takes_host_names_only(host: str) -> None:
    with pytest.raises(WrongSettings, match=r"garden\.allow\.help"):
        read_garden(GARDEN | {"allow": ALLOW | {"help": [host]}})


@pytest.mark.parametrize("style", STYLES)
def test_the_filter_names_every_allowed_host_before_it_rejects_the_rest(style: str) -> None:
    text = render_filter(read_garden(GARDEN), style)

    rejected_at = text.index("reject")
    assert all(text.index(host) < rejected_at for hosts in ALLOW.values() for host in hosts)
    assert "192.0.2.53" in text
    assert "\t" not in text


def test_the_driver_renders_its_own_garden_and_says_when_it_has_none() -> None:
    with_garden, without = RadiusDriver(REALM | {"garden": GARDEN}), RadiusDriver(REALM)

    assert "address=nav.no" in with_garden.garden_filter("mikrotik")
    with pytest.raises(WrongSettings, match="`garden` is not set"):
        without.garden_filter("mikrotik")
    with pytest.raises(ValueError, match="no such filter style"):
        with_garden.garden_filter("cisco")
