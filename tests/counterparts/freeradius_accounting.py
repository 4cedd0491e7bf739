"""The access server's accounting (RFC 2866): a Stop after a disconnect, an Interim-Update after a change."""

import json
import threading
from pathlib import Path

import psycopg
from pyrad.client import Client
from pyrad.dictionary import Dictionary

import relight.drivers

_DICTIONARY = Path(relight.drivers.__file__).parent / "dictionaries" / "radius.txt"


class AccountingClient:
    """Sends accounting records as the access server would; use as a context manager."""

    def __init__(self, port: int, secret: str, nas_address: str) -> None:
        self._nas_address = nas_address
        self._client = Client(
            "127.0.0.1", acctport=port, secret=secret.encode(), dict=Dictionary(str(_DICTIONARY)), retries=3, timeout=3
        )

    def __enter__(self) -> "AccountingClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._client._CloseSocket()  # pyrad has no public way

    def send(self, status: str, username: str, session_id: str) -> None:
        """Send one record (Start, Interim-Update, Stop) and wait for the answer."""
        request = self._client.CreateAcctPacket()
        request["Acct-Status-Type"] = status
        request["User-Name"] = username
        request["Acct-Session-Id"] = session_id
        request["NAS-IP-Address"] = self._nas_address
        self._client.SendPacket(request)


class NasAccounting:
    """A thread that sends what the access server has to report. `muted` keeps it silent."""

    def __init__(self, conninfo: str, client: AccountingClient) -> None:
        self.muted = False
        self._conninfo = conninfo
        self._client = client
        self._stopping = threading.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nas-accounting", daemon=True)

    def start(self) -> None:
        """Begin; returns when it listens."""
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the access server's accounting did not start")

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(15)

    def _run(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection, self._client as client:
            connection.execute("LISTEN nas_accounting")
            self._listening.set()
            while not self._stopping.is_set():
                for notice in connection.notifies(timeout=0.2):
                    report = json.loads(notice.payload)
                    if not self.muted:
                        client.send(report["status"], report["username"], report["session"])
                    if self._stopping.is_set():
                        break
