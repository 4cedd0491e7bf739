"""A mail relay that Relight did not write: Debian's postfix, and aiosmtpd as the customers' mail server behind it.

    with MailRelay() as relay:
        driver = SmtpDriver({**relay.settings})
        ...
        relay.messages()[0]["Subject"]

Postfix runs on a configuration, a spool and a log of its own in a temporary folder, on a free port of 127.0.0.1.
Bounces come back by its own queue into `bounce_maildir`. Customers whose address has "unknown" in it do not exist
(550 5.1.1), "full" have a full mailbox (452 4.2.2). All processes and files are gone after the block.
"""

import contextlib
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any

BOUNCE_DOMAIN = "relight.test"
_POSTFIX = Path("/usr/lib/postfix/sbin")
_SECONDS_MAX = 30.0

_SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_MAIN = """\
compatibility_level = 3.6
queue_directory = {run}/spool
data_directory = {run}/data
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.{domain}
mydestination =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{sink_port}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtp_host_lookup = native
smtp_tls_security_level = none
smtpd_tls_security_level = none
maillog_file = {run}/maillog
maillog_file_prefixes = {run}
alias_maps =
alias_database =
recipient_delimiter = +
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {run}
virtual_mailbox_maps = inline:{{ bounce@{domain}=bounces/ }}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
delay_warning_time = 1s
"""


class MailRelay:
    """Postfix with a destination behind it. Needs root, since postfix changes its user."""

    def __init__(self) -> None:
        self.port = 0
        self.destination_port = 0  # the customers' mail server itself, to refuse without a relay between
        self._master: subprocess.Popen[bytes] | None = None
        self._sink: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What an SmtpDriver needs to send through the relay and to read its bounces."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "tls": "none",
            "bounce_address": f"bounce@{BOUNCE_DOMAIN}",
            "bounce_maildir": str(self.bounce_maildir),
            "bounce_poll_seconds": 0.1,
        }

    @property
    def bounce_maildir(self) -> Path:
        """Where bounces are delivered to."""
        return self._run / "bounces"

    def __enter__(self) -> "MailRelay":
        if not (_POSTFIX / "master").exists():
            raise RuntimeError("postfix is missing: run `make counterparts` (Debian package postfix)")
        if os.geteuid() != 0:
            raise RuntimeError("the postfix counterpart needs root: postfix starts as root and changes its user")
        self._run = Path(tempfile.mkdtemp(prefix="relight-mail-"))
        self._run.chmod(0o711)  # ours, and postfix's own user has to pass through it
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def messages(self) -> list[EmailMessage]:
        """What arrived in the customers' mailboxes, oldest first; the envelope is in `X-Mail-From` and `X-Rcpt-To`."""
        paths = sorted((self._run / "arrived").glob("*.eml"))
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]

    def deliver(self, raw: bytes, recipient: str) -> None:
        """Somebody else's mail to `recipient`, without a return path, as bounces come."""
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            client.sendmail("", [recipient], raw)

    def stop(self) -> None:
        """End the relay itself; `resume` starts it again on the same port."""
        _end_group(self._master)
        self._master = None
        self.wait_for(lambda: not _accepts(self.port), "postfix is gone")

    def resume(self) -> None:
        """Start the relay again."""
        self._start_postfix()

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """Poll until `condition()` is true and return it; AssertionError with `what` and the log after 30 seconds."""
        deadline = time.monotonic() + _SECONDS_MAX
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"the mail relay did not get to: {what}\n{self._log()}")
            time.sleep(0.05)
        return value

    def _start(self) -> None:
        for name in ("spool", "data", "conf", "arrived", "bounces"):
            (self._run / name).mkdir()
        shutil.chown(self._run / "data", "postfix")
        shutil.chown(self._run / "bounces", 65534, 65534)
        self.destination_port, self.port = sink_port, _ = _free_ports(2)
        sink = Path(__file__).with_name("mail_sink.py")
        self._sink = subprocess.Popen([sys.executable, str(sink), str(sink_port), str(self._run / "arrived")])
        conf = self._run / "conf"
        (conf / "main.cf").write_text(_MAIN.format(run=self._run, domain=BOUNCE_DOMAIN, sink_port=sink_port))
        (conf / "master.cf").write_text(_SERVICES.format(port=self.port))
        self._make_spool()
        self.wait_for(lambda: _accepts(sink_port), "the destination listens")
        self._start_postfix()

    def _make_spool(self) -> None:
        """The queue folders with the owners that `postfix check` would insist on."""
        spool = self._run / "spool"
        for name in (
            "active",
            "bounce",
            "corrupt",
            "defer",
            "deferred",
            "flush",
            "hold",
            "incoming",
            "private",
            "saved",
            "trace",
        ):
            (spool / name).mkdir(mode=0o700)
            shutil.chown(spool / name, "postfix", "root")
        for name, mode in (("maildrop", 0o730), ("public", 0o710)):
            (spool / name).mkdir()
            shutil.chown(spool / name, "postfix", "postdrop")
            (spool / name).chmod(mode)
        (spool / "pid").mkdir(mode=0o755)

    def _start_postfix(self) -> None:
        command = [str(_POSTFIX / "master"), "-c", str(self._run / "conf"), "-d"]
        self._master = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.wait_for(lambda: _accepts(self.port), "postfix listens")

    def _log(self) -> str:
        log = self._run / "maillog"
        return log.read_text(errors="replace")[-4000:] if log.exists() else "(no log)"

    def _end(self) -> None:
        _end_group(self._master)
        _end_process(self._sink)
        shutil.rmtree(self._run, ignore_errors=True)


def _end_group(process: "subprocess.Popen[bytes] | None") -> None:
    """End postfix's master and its children, which share its group and outlive it for a moment."""
    if process is None:
        return
    _end_process(process)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _end_process(process: "subprocess.Popen[bytes] | None") -> None:
    if process is None:
        return
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_ports(how_many: int) -> list[int]:
    sockets = [socket.socket() for _ in range(how_many)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
