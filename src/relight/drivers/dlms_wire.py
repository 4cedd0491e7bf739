"""One line to one electricity meter: DLMS/COSEM over TCP (IEC 62056-47 wrapper), the breaker and the identity only.

Blocking; one thread owns a line from `__enter__` to `__exit__`, and only `abort` may come from another. The APDUs are
`dlms-cosem`'s.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from dlms_cosem import cosem, dlms_data, enumerations, utils
from dlms_cosem.clients.dlms_client import DlmsClient
from dlms_cosem.protocol import xdlms

from relight.drivers.dlms_tcp import Access, LineError, Nonsense, WrapperTransport

# The library logs every APDU, and with it the password of an association request.
logging.getLogger("dlms_cosem").setLevel(logging.ERROR)

_BREAKER = cosem.Obis(0, 0, 96, 3, 10, 255)  # Disconnect Control, class 70
_EXCEPTION_RESPONSE_TAG = b"\xd8"
REMOTE_DISCONNECT, REMOTE_RECONNECT = 1, 2


class MeterRefused(LineError):
    """The meter said no, with its own code. `transient`: it may say yes later."""

    def __init__(self, code: str, detail: str, *, transient: bool = False) -> None:
        super().__init__(code, detail)
        self.transient = transient


class ActionRefused(MeterRefused):
    """The meter would not move its breaker: nothing was done."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Class 70 as read: `closed` is output_state (the relay), `control_state` 0 disconnected, 1 connected, 2 ready
    for reconnection, `control_mode` 0 to 6; `serial` is the meter's own."""

    closed: bool
    control_state: int
    control_mode: int
    serial: str


class MeterLine:
    """An association with one meter, as a context manager; `acted` is true from the first byte of an action on."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._transport = WrapperTransport(access)
        self._client = DlmsClient(
            client_logical_address=access.client_address,
            server_logical_address=access.server_address,
            io_interface=self._transport,
            authentication_method=enumerations.AuthenticationMechanism.LLS if access.password else None,
            password=access.password or None,
        )
        self.acted = False

    def __enter__(self) -> Self:
        self._transport.connect()
        try:
            self._associate()
        except BaseException:
            self._transport.disconnect()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # The association ends with its TCP connection: meters answer a release in ways the library cannot read.
        self._transport.disconnect()

    def abort(self) -> None:
        """Give up whatever the line waits for; may be called from any thread, before or after it connects."""
        self._transport.abort()

    def read(self) -> Breaker:
        """Read serial, relay, control state and mode; raises `LineError`."""
        serial = cosem.CosemAttribute(enumerations.CosemInterface.DATA, self._access.serial_object, 2)
        with _understanding():
            name, closed, state, mode = self._get([serial, *map(_breaker_attribute, (2, 3, 4))])
            return Breaker(closed=_flag(closed), control_state=int(state), control_mode=int(mode), serial=_text(name))

    def read_back(self, before: Breaker) -> Breaker:
        """Read relay and control state again; what cannot change stays as `before`. Raises `LineError`."""
        with _understanding():
            closed, state = self._get([_breaker_attribute(2), _breaker_attribute(3)])
            return replace(before, closed=_flag(closed), control_state=int(state))

    def act(self, method: int) -> None:
        """Move the breaker; raises `ActionRefused` when the meter will not, `LineError` when its answer is missing."""
        wanted = cosem.CosemMethod(enumerations.CosemInterface.DISCONNECT_CONTROL, _BREAKER, method)
        request = xdlms.ActionRequestNormal(cosem_method=wanted, data=dlms_data.IntegerData(0).to_bytes())
        self.acted = True
        try:
            with _understanding():
                status = enumerations.ActionResultStatus(self._ask(request).status)
        except Nonsense as error:
            if self._transport.last_answer[:1] == _EXCEPTION_RESPONSE_TAG:
                # The library has no place for an exception in answer to an action; it means that none was taken.
                raise ActionRefused("exception_response", "the meter would not take the action") from error
            raise
        if status is not enumerations.ActionResultStatus.SUCCESS:
            transient = status is enumerations.ActionResultStatus.TEMPORARY_FAILURE
            raise ActionRefused(status.name.lower(), "the meter refused the action", transient=transient)

    def _associate(self) -> None:
        with _understanding():
            answer = self._ask(self._client.dlms_connection.get_aarq())
            if isinstance(answer, xdlms.ExceptionResponse):
                raise MeterRefused("exception_response", "the meter would not take the association", transient=True)
            if answer.result is not enumerations.AssociationResult.ACCEPTED:
                transient = answer.result is enumerations.AssociationResult.REJECTED_TRANSIENT
                reason = answer.result_source_diagnostics.name.lower()
                raise MeterRefused(reason, "the meter refused the association", transient=transient)

    def _get(self, attributes: Sequence[cosem.CosemAttribute]) -> list[Any]:
        if not self._client.dlms_connection.conformance.multiple_references:
            return [self._get_one(attribute) for attribute in attributes]
        # One round trip instead of four: over a mobile network that is most of the two seconds a release gives.
        wanted = [cosem.CosemAttributeWithSelection(attribute, None) for attribute in attributes]
        values: list[Any] = self._ask(xdlms.GetRequestWithList(cosem_attributes_with_selection=wanted)).result
        for value in values:
            if isinstance(value, enumerations.DataAccessResult):
                raise _read_refused(value)
        return values

    def _get_one(self, attribute: cosem.CosemAttribute) -> Any:
        answer = self._ask(xdlms.GetRequestNormal(cosem_attribute=attribute))
        if isinstance(answer, xdlms.GetResponseNormalWithError):
            raise _read_refused(answer.error)
        return utils.parse_as_dlms_data(answer.data)

    def _ask(self, apdu: Any) -> Any:
        self._client.send(apdu)
        return self._client.next_event()


@contextmanager
def _understanding() -> Iterator[None]:
    """Whatever the library's parsers stumble over is the meter's nonsense, not our crash."""
    try:
        yield
    except LineError:
        raise
    except Exception as error:
        raise Nonsense("malformed_answer", f"the answer cannot be read: {error.__class__.__name__}") from error


def _read_refused(code: enumerations.DataAccessResult) -> MeterRefused:
    transient = code is enumerations.DataAccessResult.TEMPORARY_FAILURE
    return MeterRefused(code.name.lower(), "the meter refused to be read", transient=transient)


def _breaker_attribute(number: int) -> cosem.CosemAttribute:
    return cosem.CosemAttribute(enumerations.CosemInterface.DISCONNECT_CONTROL, _BREAKER, number)


def _flag(value: object) -> bool:
    """A boolean; some meters send it as a number."""
    if not isinstance(value, bool | int):
        raise ValueError("not a boolean")
    return bool(value)


def _text(value: object) -> str:
    """A serial as text: octet or visible string without padding, or a plain number."""
    if isinstance(value, bytes | bytearray):
        return value.decode("ascii").strip("\0 ")
    if isinstance(value, str | int):
        return str(value).strip("\0 ")
    raise ValueError("not a serial")
