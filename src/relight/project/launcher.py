"""Runs PostgreSQL's programs as somebody who is not root, which is all they accept."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from relight.project import paths
from relight.project.binaries import Binaries
from relight.project.errors import UnableToStartServer

_ACCOUNTS = ("relight", "postgres", "nobody")
_SECONDS_MAX = 300


@dataclass(frozen=True, slots=True)
class Launcher:
    """How to run PostgreSQL: the words before each command, and who owns its files as seen from outside."""

    prefix: tuple[str, ...]
    uid: int
    gid: int
    programs: Path

    def run(self, program: str, *words: str | Path, keep_open: Sequence[int] = ()) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs to its end; descriptors in `keep_open` are inherited."""
        return subprocess.run(
            [*self.prefix, self.programs / program, *words],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env=_environment(),
            cwd="/",
            pass_fds=keep_open,
            timeout=_SECONDS_MAX,
            check=False,
        )

    def make_folder(self, folder: Path) -> None:
        """Make `folder` private and PostgreSQL's own; refuse one that belongs to somebody else."""
        folder.mkdir(mode=0o700, exist_ok=True)
        there = folder.lstat()
        if folder.is_symlink() or there.st_uid not in {self.uid, os.geteuid()}:
            raise UnableToStartServer(f"{folder} belongs to somebody else.", remedy="Move it away, and try again.")
        self.own(folder)

    def own(self, path: Path) -> None:
        """Hand a file or folder of Relight's to the account PostgreSQL runs as, with all that is in it.

        Those made in a user namespace belong to root, and have to change hands where namespaces are forbidden.
        """
        if path.lstat().st_uid == self.uid:
            return
        for folder, folders, files in os.walk(path, topdown=False):
            for name in (*folders, *files):
                os.chown(Path(folder, name), self.uid, self.gid, follow_symlinks=False)
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose(*, home: Path, data: Path, binaries: Binaries) -> Launcher:
    """The way to run `binaries` for the current user, on `data` if it exists already. `home` exists."""
    uid = os.geteuid()
    owner = data.stat().st_uid if data.exists() else uid
    if uid not in {0, owner}:
        raise UnableToStartServer(
            f"{data} belongs to {_name(owner)}, and you are {_name(uid)}.",
            remedy=f"Run Relight as {_name(owner)}, or set {paths.HOME_VARIABLE} to a folder of your own.",
        )
    if uid != 0 and _has_account(uid):
        return Launcher((), uid, os.getegid(), binaries.folder)
    if owner == uid and (mapped := _mapped(home, binaries)):
        return mapped
    if uid == 0:
        return _switched(home, binaries, owner)
    raise UnableToStartServer(
        f"PostgreSQL wants an account, and user id {uid} has none.",
        remedy="Add it to /etc/passwd, or set DATABASE_URL.",
    )


def _mapped(home: Path, binaries: Binaries) -> Launcher | None:
    """In a user namespace we are somebody else to PostgreSQL and ourselves to the files: nothing has to be changed."""
    # initdb looks its user up, so the id on the inside must be a known one.
    known = sorted((one.pw_uid for one in pwd.getpwall() if one.pw_uid != 0), key=lambda uid: (uid != 1000, -uid))
    if not known or not shutil.which("unshare"):
        return None
    launcher = Launcher(
        ("unshare", "--user", f"--map-user={known[0]}", "--"), os.geteuid(), os.getegid(), binaries.folder
    )
    return launcher if _can_write(launcher, home) and _can_run(launcher) else None


def _switched(home: Path, binaries: Binaries, owner: int) -> Launcher:
    """As an ordinary account, with home and programs where it can reach them (containers often forbid namespaces)."""
    account = pwd.getpwuid(owner) if owner and _has_account(owner) else _ordinary_account()
    words = (f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--inh-caps=-all")
    launcher = Launcher(("setpriv", *words, "--"), account.pw_uid, account.pw_gid, binaries.folder)
    if not shutil.which("setpriv"):
        raise UnableToStartServer(
            "PostgreSQL refuses to run as root, and neither unshare nor setpriv works here.",
            remedy="Install util-linux, run Relight as an ordinary user, or set DATABASE_URL.",
        )
    _let_pass(launcher, home, account.pw_name)
    if _can_run(launcher):
        return launcher
    return Launcher(launcher.prefix, launcher.uid, launcher.gid, _reachable_copy(binaries, home))


def _let_pass(launcher: Launcher, home: Path, account: str) -> None:
    if _can_pass(launcher, home):
        return
    if paths.was_made_by_relight(home):
        home.chmod(0o711)  # may pass through, may not look: what lies inside is 0700 or 0600
    if not _can_pass(launcher, home):
        raise UnableToStartServer(
            f"The account {account}, which PostgreSQL has to run as here, cannot reach {home}.",
            remedy=f"Set {paths.HOME_VARIABLE} to a folder it can reach, as under /var/lib, or set DATABASE_URL.",
        )


def _reachable_copy(binaries: Binaries, home: Path) -> Path:
    """The wheel's programs, copied into home for an account that cannot reach the virtual environment."""
    stat = (binaries.folder / "postgres").stat()
    target = home / f"programs-{binaries.major}-{stat.st_size}-{stat.st_mtime_ns}"
    # The programs look for their libraries beside the package, by a path relative to themselves.
    installed = binaries.folder.resolve().parent
    package = installed.parent
    libraries = package.with_name(f"{package.name}.libs")
    if not target.exists():
        for old in home.glob("programs-*"):
            shutil.rmtree(old)
        making = home / "programs-making"
        shutil.copytree(installed, making / package.name / installed.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, making / libraries.name, symlinks=True)
        _let_others_read(making)
        making.rename(target)
    return target / package.name / installed.name / binaries.folder.name


def _let_others_read(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def _can_pass(launcher: Launcher, folder: Path) -> bool:
    return _says_yes([*launcher.prefix, "test", "-x", str(folder)])


def _can_write(launcher: Launcher, folder: Path) -> bool:
    return _says_yes([*launcher.prefix, "test", "-w", str(folder)])


def _can_run(launcher: Launcher) -> bool:
    # By way of a shell: setpriv itself still has root's reach when it looks for the program.
    return _says_yes([*launcher.prefix, "sh", "-c", 'exec "$0" --version', str(launcher.programs / "postgres")])


def _says_yes(words: list[str]) -> bool:
    return subprocess.run(words, capture_output=True, cwd="/", timeout=30, check=False).returncode == 0


def _ordinary_account() -> pwd.struct_passwd:
    by_name = {one.pw_name: one for one in pwd.getpwall() if one.pw_uid != 0}
    for name in _ACCOUNTS:
        if name in by_name:
            return by_name[name]
    raise UnableToStartServer(
        "PostgreSQL refuses to run as root, and there is no ordinary account here.",
        remedy="Add an account named relight, or set DATABASE_URL.",
    )


def _has_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _name(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name if _has_account(uid) else f"user id {uid}"


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and their like would quietly win over what we say; and our service manager is told by us alone.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "NOTIFY_"))}
    return {**kept, "LC_ALL": "C"}
