"""The web server: granian under WSGI, on loopback unless told otherwise."""

from granian.constants import Interfaces
from granian.server import Server

from relight.telemetry import logs


def serve(*, host: str, port: int, workers: int) -> None:
    """Serve until ended by a signal."""
    Server(
        "relight.project.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=4,
        backlog=1024,
        log_access=False,
        log_dictconfig=logs.server_config(),
        process_name=None,
    ).serve()
