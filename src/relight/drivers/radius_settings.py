"""On the road: what an operator writes to connect one RADIUS realm, checked before anything is sent."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from relight.core.levels import Level
from relight.drivers.radius_garden import Garden, read_garden
from relight.flow.supply.port import WrongSettings

LEVELS = (Level.FULL, Level.LIMITED, Level.WALLED_GARDEN, Level.OFF)
LOWERED = (Level.LIMITED, Level.WALLED_GARDEN, Level.OFF)

Attributes = Mapping[str, tuple[str | int, ...]]
"""Attribute name to its values, in order."""


class Method(StrEnum):
    """How an open session learns its new level: changed in place, or ended so that the customer's box logs in anew."""

    COA = "coa"
    DISCONNECT = "disconnect"


@dataclass(frozen=True, slots=True)
class RadiusSettings:
    """One realm's settings. Times are seconds; hosts are names or addresses; `groups[FULL]` may be empty."""

    database: str = field(repr=False)
    secret: bytes = field(repr=False)
    coa_secret: bytes = field(repr=False)
    coa_host: str
    coa_port: int
    auth_host: str
    auth_port: int
    groups: Mapping[Level, str]
    attributes: Mapping[Level, Attributes]
    methods: Mapping[Level, Method]
    timeout_seconds: float
    retries: int
    database_timeout_seconds: float
    accounting_seconds: float
    session_stale_seconds: int
    nas_identifier: str
    require_message_authenticator: bool
    dictionaries: tuple[str, ...]
    workers: int
    garden: Garden | None

    def group(self, level: Level, profile: str) -> str:
        """The group that stands for `level`; full is the customer's own, else the realm's, else ''."""
        if level is Level.FULL:
            return profile or self.groups[Level.FULL]
        return self.groups[level]


_DEFAULTS: Mapping[str, object] = {
    "coa_secret": None,
    "coa_host": None,
    "coa_port": 3799,
    "auth_host": None,
    "auth_port": 1812,
    "attributes": {},
    "methods": {},
    "timeout_seconds": 1.0,
    "retries": 2,
    "database_timeout_seconds": 3.0,
    "accounting_seconds": 2.0,
    "session_stale_seconds": 3600,
    "nas_identifier": "relight",
    "require_message_authenticator": False,
    "dictionaries": (),
    "workers": 32,
    "garden": None,
}
_REQUIRED = ("database", "secret", "groups")


def read_settings(raw: Mapping[str, object]) -> RadiusSettings:
    """Check `raw` (as in the realm's YAML) and return it typed. Raises WrongSettings with the remedy."""
    for name in _REQUIRED:
        if name not in raw:
            raise WrongSettings(f"radius: `{name}` is missing; see docs/drivers/radius.md, 'Settings'")
    for name in raw:
        if name not in _DEFAULTS and name not in _REQUIRED:
            raise WrongSettings(f"radius: `{name}` is not a setting; known are {', '.join((*_REQUIRED, *_DEFAULTS))}")
    given = {**_DEFAULTS, **raw}
    secret = _secret("secret", given["secret"])
    return RadiusSettings(
        database=_conninfo("database", given["database"]),
        secret=secret,
        coa_secret=secret if given["coa_secret"] is None else _secret("coa_secret", given["coa_secret"]),
        coa_host=_optional_text("coa_host", given["coa_host"]),
        coa_port=_whole("coa_port", given["coa_port"], 1, 65535),
        auth_host=_optional_text("auth_host", given["auth_host"]),
        auth_port=_whole("auth_port", given["auth_port"], 1, 65535),
        groups=_groups(given["groups"]),
        attributes=_attributes(given["attributes"]),
        methods=_methods(given["methods"]),
        timeout_seconds=_seconds("timeout_seconds", given["timeout_seconds"]),
        retries=_whole("retries", given["retries"], 0, 10),
        database_timeout_seconds=_seconds("database_timeout_seconds", given["database_timeout_seconds"]),
        accounting_seconds=_seconds("accounting_seconds", given["accounting_seconds"]),
        session_stale_seconds=_whole("session_stale_seconds", given["session_stale_seconds"], 60, 30 * 86400),
        nas_identifier=_text("nas_identifier", given["nas_identifier"]),
        require_message_authenticator=_flag("require_message_authenticator", given["require_message_authenticator"]),
        dictionaries=_paths("dictionaries", given["dictionaries"]),
        workers=_whole("workers", given["workers"], 1, 200),
        garden=None if given["garden"] is None else read_garden(given["garden"]),
    )


@dataclass(frozen=True, slots=True)
class Address:
    """A customer's line as RADIUS knows it. Without a password there is no re-authentication."""

    username: str
    password: str = field(default="", repr=False)
    nas: str = ""


def read_address(raw: Mapping[str, object]) -> Address:
    """A target's address. Raises ValueError with a sentence that holds none of the values."""
    username, password, nas = (raw.get(name) or "" for name in ("username", "password", "nas"))
    if not isinstance(username, str) or not username.strip() or len(username.encode()) > 253:
        raise ValueError("the address needs `username`, a text of at most 253 bytes")
    if not isinstance(password, str) or len(password.encode()) > 128:
        raise ValueError("`password` must be a text of at most 128 bytes (RFC 2865, 5.2)")
    if not isinstance(nas, str):
        raise ValueError("`nas` must be a host name or an address")
    return Address(username=username, password=password, nas=nas)


def nas_address_of(text: str) -> str:
    """The address that radacct holds, without a mask; '' when it is none."""
    try:
        return str(ip_address(text.partition("/")[0]))
    except ValueError:
        return ""


def _groups(raw: object) -> Mapping[Level, str]:
    named = _by_level("groups", raw)
    groups = {level: _optional_text(f"groups.{level}", named.get(level)) for level in LEVELS}
    for level in LOWERED:
        if not groups[level]:
            raise WrongSettings(f"radius: `groups.{level}` is missing; write the RADIUS group that means {level}")
    used = [group for group in groups.values() if group]
    if len(set(used)) != len(used):
        raise WrongSettings("radius: `groups` names one group for two levels; each level needs its own")
    return groups


def _attributes(raw: object) -> Mapping[Level, Attributes]:
    result: dict[Level, Attributes] = {}
    for level, pairs in _by_level("attributes", raw).items():
        if not isinstance(pairs, Mapping) or not pairs:
            raise WrongSettings(f"radius: `attributes.{level}` must map attribute names to values")
        result[level] = {str(name): _values(f"attributes.{level}.{name}", value) for name, value in pairs.items()}
    return result


def _values(name: str, raw: object) -> tuple[str | int, ...]:
    values = raw if isinstance(raw, list | tuple) else [raw]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise WrongSettings(f"radius: `{name}` must be a text, a whole number or a list of them")
    return tuple(values)


def _methods(raw: object) -> Mapping[Level, Method]:
    methods = {level: Method.DISCONNECT if level is Level.OFF else Method.COA for level in LEVELS}
    for level, value in _by_level("methods", raw).items():
        if value not in list(Method):
            raise WrongSettings(f"radius: `methods.{level}` must be coa or disconnect")
        methods[level] = Method(str(value))
    if methods[Level.OFF] is not Method.DISCONNECT:
        raise WrongSettings("radius: `methods.off` must be disconnect: no CoA ends a session")
    return methods


def _by_level(name: str, raw: object) -> Mapping[Level, object]:
    if not isinstance(raw, Mapping):
        raise WrongSettings(f"radius: `{name}` must map levels to values")
    wrong = [key for key in raw if key not in LEVELS]
    if wrong:
        raise WrongSettings(f"radius: `{name}` has the level {wrong[0]!r}; known are {', '.join(LEVELS)}")
    return {Level(key): value for key, value in raw.items()}


def _text(name: str, raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise WrongSettings(f"radius: `{name}` must be a text that is not empty")
    return raw


def _conninfo(name: str, raw: object) -> str:
    text = _text(name, raw)
    try:
        conninfo_to_dict(text)
    except ProgrammingError:  # its text may repeat the password
        raise WrongSettings(f"radius: `{name}` must be a PostgreSQL connection string") from None
    return text


def _optional_text(name: str, raw: object) -> str:
    return "" if raw is None else _text(name, raw)


def _secret(name: str, raw: object) -> bytes:
    secret = raw if isinstance(raw, bytes) else _text(name, raw).encode()
    if len(secret) < 8:
        raise WrongSettings(f"radius: `{name}` is too short; use at least 8 bytes, better 32 random ones (RFC 2865, 3)")
    return secret


def _whole(name: str, raw: object, least: int, most: int) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
        raise WrongSettings(f"radius: `{name}` must be a whole number from {least} to {most}")
    return raw


def _seconds(name: str, raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw) or not 0.05 <= raw <= 60:
        raise WrongSettings(f"radius: `{name}` must be seconds, from 0.05 to 60")
    return float(raw)


def _flag(name: str, raw: object) -> bool:
    if not isinstance(raw, bool):
        raise WrongSettings(f"radius: `{name}` must be true or false")
    return raw


def _paths(name: str, raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list | tuple):
        raise WrongSettings(f"radius: `{name}` must be a list of files")
    for path in raw:
        if not isinstance(path, str) or not Path(path).is_file():
            raise WrongSettings(f"radius: `{name}` names {path!r}, which is not a file here")
    return tuple(raw)
