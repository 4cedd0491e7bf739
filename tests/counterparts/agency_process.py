"""A collection agency's server: keeps the first package under a key, checks signatures, and can be told to misbehave.

    python agency_process.py SECRET FILE

Its address is the first line that it prints. Every package that it kept is a line of JSON in FILE. It shares no code
with Relight: signatures are made here anew.
"""

import base64
import hashlib
import hmac
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

KEY = base64.b64decode(sys.argv[1].removeprefix("whsec_"))
FILE = Path(sys.argv[2])
KEPT: dict[str, dict[str, object]] = {}
NEXT: list[dict[str, object]] = []


class Agency(BaseHTTPRequestHandler):
    """POST /cases takes a package; POST /next says how the next request is to be answered."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/next":
            NEXT.append(json.loads(body))
            self._answer(200, {})
            return
        odd = NEXT.pop(0) if NEXT else {}
        if not odd.get("deaf"):
            self._take(body, odd)
        if odd.get("hang_up"):
            self.close_connection = True
            self.connection.close()

    def _take(self, body: bytes, odd: dict[str, object]) -> None:
        if not self._is_genuine(body):
            self._answer(401, {"error": "the signature does not fit"})
            return
        if "status" in odd:
            self._answer(int(str(odd["status"])), {}, retry_after=str(odd.get("retry_after", "")))
            return
        key, told = self.headers["Idempotency-Key"], json.loads(body)
        if told["what"] != "place" and told["case"] not in {kept["case"] for kept in KEPT.values()}:
            self._answer(404, {"error": "no such case"})
            return
        if key not in KEPT:
            KEPT[key] = told
            with FILE.open("a", encoding="utf-8") as file:
                file.write(json.dumps(told) + "\n")
        if not odd.get("hang_up"):
            self._answer(201, {"agency_case": f"NI-{len(KEPT)}"})

    def _is_genuine(self, body: bytes) -> bool:
        content = b".".join((self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), body))
        wanted = "v1," + base64.b64encode(hmac.digest(KEY, content, hashlib.sha256)).decode()
        return hmac.compare_digest(wanted, self.headers["webhook-signature"])

    def _answer(self, status: int, told: dict[str, object], *, retry_after: str = "") -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The file says what came."""


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Agency)
    print(f"http://127.0.0.1:{server.server_port}/cases", flush=True)
    server.serve_forever()
