"""Tells the service manager that started us how far we are: systemd's `sd_notify`, which is one datagram.

Source: sd_notify(3), "Standalone implementations".
"""

import os
import socket
from collections.abc import Mapping

VARIABLE = "NOTIFY_SOCKET"


def ready(environment: Mapping[str, str] = os.environ) -> bool:
    """We are up: those that wait for us may start. False where nobody asked to be told. Raises OSError."""
    address = environment.get(VARIABLE, "")
    if not address:
        return False
    # A name in the abstract namespace is written with an @ for its first byte, which is a zero.
    place = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as teller:
        teller.connect(place)
        teller.sendall(b"READY=1")
    return True
