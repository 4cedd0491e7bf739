"""A mail relay that Relight did not write (aiosmtpd), on a host of its own: it takes what comes, twice if need be.

    python -m tests.chaos.relay ADDRESS FILE

Each message that it accepts is a line in FILE, with the key that the message names, before the sender is told so.
"""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from relight.drivers.bounces import KEY_HEADER, unescape
from tests.chaos.network import Host

PORT = 2525


class Counting:
    """Takes every message."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Note one message, and say that it is taken."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        key = unescape(str(message_from_bytes(content)[KEY_HEADER]))
        with self._file.open("a") as file:
            file.write(f"{key}\n")
        return "250 2.0.0 OK"


@contextmanager
def relay(host: Host, folder: Path) -> Iterator[None]:
    """A relay on this host for as long as the block lasts."""
    command = [*host.prefix, sys.executable, "-m", "tests.chaos.relay", host.address, str(_file(folder))]
    with (folder / "relay.out").open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def taken(folder: Path) -> Counter[str]:
    """How often the relay took which message, by the messages' keys."""
    file = _file(folder)
    return Counter(file.read_text().splitlines() if file.exists() else ())


def _file(folder: Path) -> Path:
    return folder / "mails.txt"


async def _serve(address: str, file: Path) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Counting(file), loop=loop), address, PORT)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2])))
