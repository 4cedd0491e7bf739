"""Hosts of one machine: network namespaces on a switch of their own, whose links can be cut and made slow.

All addresses are inside the namespaces; nothing of the machine's own network is touched. Needs root, and iproute2.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

_NETWORK = "10.77.0"
_CLONE_NEWNET = 0x40000000
_PROGRAMS = ("ip", "tc", "nsenter", "mount")


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace with one link to the switch. `space` is its name, `link` the switch's end of its cable."""

    space: str
    address: str
    link: str
    switch: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """The words before a command that is to run on this host."""
        return ("nsenter", f"--net=/run/netns/{self.space}", "--")

    def cut(self) -> None:
        """Nothing goes in or out, and nobody is told."""
        _inside(self.switch, "link", "set", self.link, "down")

    def mend(self) -> None:
        """The link is there again, at its full speed."""
        _inside(self.switch, "link", "set", self.link, "up")
        subprocess.run(_tc(self.switch, "del", self.link), stderr=subprocess.DEVNULL)

    def slow_down(self, kilobits: int) -> None:
        """The link carries no more than this each second, and what is sent waits its turn."""
        rate = ("tbf", "rate", f"{kilobits}kbit", "burst", "16kb", "latency", "2s")
        subprocess.run([*_tc(self.switch, "replace", self.link), *rate], check=True)

    def enter(self) -> None:
        """This thread's sockets are made on this host from now on."""
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = os.open(f"/run/netns/{self.space}", os.O_RDONLY)
        try:
            if libc.setns(descriptor, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(descriptor)


@contextmanager
def network(names: Sequence[str]) -> Iterator[dict[str, Host]]:
    """Hosts of these names on one switch, by name; gone when the block ends."""
    own = f"rl{os.getpid()}"
    switch = f"{own}-switch"
    hosts = {
        name: Host(f"{own}-{name}", f"{_NETWORK}.{number}", f"to-{name}"[:15], switch)
        for number, name in enumerate(names, start=11)
    }
    made: list[str] = []
    try:
        for space in (switch, *(host.space for host in hosts.values())):
            _ip("netns", "add", space)
            made.append(space)
        _inside(switch, "link", "add", "bridge", "type", "bridge")
        _inside(switch, "link", "set", "bridge", "up")
        for host in hosts.values():
            _plug_in(host)
        yield hosts
    finally:
        for space in made:
            _ip("netns", "delete", space)


def refusal() -> str:
    """Why no hosts can be made here, in a sentence; empty where they can."""
    if os.geteuid() != 0:
        return "Hosts are network namespaces, and those take root."
    if missing := [program for program in _PROGRAMS if not shutil.which(program)]:
        return f"Hosts are made with {', '.join(missing)}, which is missing: run `make counterparts`."
    try:
        with network(("try",)):
            return ""
    except RuntimeError as refused:
        return f"Hosts are network namespaces, which are not allowed here: {refused}"


def _plug_in(host: Host) -> None:
    _inside(host.switch, "link", "add", host.link, "type", "veth", "peer", "name", "eth0", "netns", host.space)
    _inside(host.switch, "link", "set", host.link, "master", "bridge", "up")
    _inside(host.space, "link", "set", "lo", "up")
    _inside(host.space, "address", "add", f"{host.address}/24", "dev", "eth0")
    _inside(host.space, "link", "set", "eth0", "up")


def _tc(space: str, act: str, link: str) -> list[str]:
    return ["ip", "netns", "exec", space, "tc", "qdisc", act, "dev", link, "root"]


def _inside(space: str, *words: str) -> None:
    _ip("-netns", space, *words)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
