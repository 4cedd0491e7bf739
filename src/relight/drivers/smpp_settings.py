"""The SMPP driver's settings; `docs/drivers/smpp.md` explains each. Units stand last in the names."""

from dataclasses import dataclass

from relight.drivers.smpp_parts import GSM7, LATIN1


@dataclass(frozen=True, slots=True)
class SmppSettings:
    """Where the SMSC is, how it likes to be talked to, and how it writes. ValueError: a value it cannot have."""

    host: str
    system_id: str
    password: str
    port: int = 2775
    system_type: str = ""
    tls: bool = False
    tls_ca_file: str = ""
    window: int = 50
    response_seconds: float = 10.0
    enquire_link_seconds: float = 30.0
    reconnect_seconds_max: float = 30.0
    throttle_seconds: float = 1.0
    throttle_seconds_max: float = 30.0
    busy_statuses: tuple[int, ...] = ()
    data_coding: int = GSM7
    parts_max: int = 10
    validity_hours: int = 0
    join_seconds: float = 5.0
    submit_id_base: int = 0
    receipt_id_base: int = 0
    receipt_timezone: str = ""
    country_code: str = ""

    def __post_init__(self) -> None:
        if self.data_coding not in (GSM7, LATIN1):
            raise ValueError("smpp: data_coding is 0 (GSM-7) or 3 (latin-1)")
        if self.window < 1 or not 1 <= self.parts_max <= 255:
            raise ValueError("smpp: window is at least 1, parts_max from 1 to 255")
        if not 0 <= self.validity_hours < 24 * 99:
            raise ValueError("smpp: validity_hours is from 0 (the SMSC's own) to 2375")
