"""How the meters of one system are reached: the settings of the DLMS driver, checked before the first meter is."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self, TypeGuard

from dlms_cosem import cosem

from relight.drivers.dlms_tcp import Access
from relight.flow.supply.port import WrongSettings

_SERIAL_OBJECTS = {
    "device_id": cosem.Obis(0, 0, 96, 1, 0, 255),  # the number on the meter's plate, and in the register
    "logical_device_name": cosem.Obis(0, 0, 42, 0, 0, 255),  # manufacturer's three letters and a number
}
_WORD_MAX = 0xFFFF  # wPorts and TCP ports are 16 bits
_SECONDS_MAX = 600


class WrongAddress(ValueError):
    """A `Target.address` without a host and a port between 1 and 65535."""


@dataclass(frozen=True, slots=True)
class DlmsSettings:
    """Settings of the DLMS driver, by name, with defaults.

    `client_address` (1, the management client) and `server_address` (1, the management logical device) are wPorts.
    `authentication` is `none` or `low`; `low` needs `password`. `serial_object` says what `Target.serial` is compared
    with: `device_id` (0.0.96.1.0.255) or `logical_device_name` (0.0.42.0.0.255). `connect_timeout_seconds` (5),
    `answer_timeout_seconds` (10, for one whole answer), `settle_seconds` (3, how long a relay may take to move after
    the meter said yes), `meters_max` (32 at once), `retry_after_seconds` (60, when a meter is out of reach).
    """

    client_address: int = 1
    server_address: int = 1
    authentication: str = "none"
    password: str = ""
    serial_object: str = "device_id"
    connect_timeout_seconds: float = 5.0
    answer_timeout_seconds: float = 10.0
    settle_seconds: float = 3.0
    meters_max: int = 32
    retry_after_seconds: int = 60

    @classmethod
    def read(cls, settings: Mapping[str, object]) -> Self:
        """Check settings; raises `WrongSettings`, which names the setting and the remedy."""
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                raise WrongSettings(f"dlms: there is no setting {name!r}; there are {', '.join(known)}")
        read = cls(**settings)  # type: ignore[arg-type]
        for name in ("client_address", "server_address", "meters_max", "retry_after_seconds"):
            if not _is_whole(getattr(read, name)):
                raise WrongSettings(f"dlms: {name} is a whole number between 1 and {_WORD_MAX}")
        for name in ("connect_timeout_seconds", "answer_timeout_seconds", "settle_seconds"):
            if not _is_seconds(getattr(read, name), zero=name == "settle_seconds"):
                raise WrongSettings(f"dlms: {name} is a number of seconds, at most {_SECONDS_MAX}")
        read._check_words()
        return read

    def access(self, address: Mapping[str, object]) -> Access:
        """The way in to the meter at `address`; raises `WrongAddress`."""
        host, port = address.get("host"), address.get("port")
        server = address.get("server_address", self.server_address)
        if not isinstance(host, str) or not host:
            raise WrongAddress("the address needs a host")
        if not _is_whole(port) or not _is_whole(server):
            raise WrongAddress(f"port and server_address are whole numbers between 1 and {_WORD_MAX}")
        return Access(
            host=host,
            port=port,
            client_address=self.client_address,
            server_address=server,
            password=self.password.encode("ascii"),
            serial_object=_SERIAL_OBJECTS[self.serial_object],
            connect_seconds=self.connect_timeout_seconds,
            answer_seconds=self.answer_timeout_seconds,
        )

    def _check_words(self) -> None:
        if self.serial_object not in _SERIAL_OBJECTS:
            raise WrongSettings(f"dlms: serial_object is one of {', '.join(_SERIAL_OBJECTS)}")
        if self.authentication not in ("none", "low"):
            raise WrongSettings("dlms: authentication is none or low; meters that ask for keys need a head-end")
        if not isinstance(self.password, str) or not self.password.isascii():
            raise WrongSettings("dlms: password is plain ASCII text")
        if bool(self.password) != (self.authentication == "low"):
            raise WrongSettings("dlms: password belongs to authentication: low, and low needs a password")


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _WORD_MAX


def _is_seconds(value: object, *, zero: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value <= _SECONDS_MAX and (value > 0 or (zero and value == 0))
