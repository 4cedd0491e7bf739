"""The customers' mail server: aiosmtpd in a process of its own, started by mail.py with a port and a folder."""

import asyncio
import sys
from itertools import count
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

_numbers = count(1)


class Mailboxes:
    """Takes every message, except for customers who do not exist or whose mailbox is full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "unknown" in address:
            return "550 5.1.1 User unknown"
        if "full" in address:
            return "452 4.2.2 Mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        name = f"{next(_numbers):06}"
        head = f"X-Mail-From: {envelope.mail_from}\r\nX-Rcpt-To: {','.join(envelope.rcpt_tos)}\r\n".encode()
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        draft = self._folder / f"{name}.draft"
        draft.write_bytes(head + content)
        draft.rename(self._folder / f"{name}.eml")
        return "250 2.0.0 OK"


async def main(port: int, folder: Path) -> None:
    """Serve until ended."""
    mailboxes = Mailboxes(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailboxes, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
