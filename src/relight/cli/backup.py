"""`relight backup`: copies of the database while it runs, its log as it happens, and the way back from them."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from relight.cli.context import installation, moment, refusals
from relight.cli.output import answer, json_option

_folder = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.group()
def backup() -> None:
    """Copy the database while it runs, and come back from the copy without losing a commit.

    Two parts make a whole: a base copy each night, and the log of every commit after it, written as it happens.
    """


@backup.command("base")
@_folder
@click.option("--keep", type=click.IntRange(min=1), default=7, show_default=True, help="How many copies stay.")
@json_option
@refusals
def base_command(folder: Path, keep: int, as_json: bool) -> None:
    """Make a base copy, check each of its files, and remove what is older than the newest few.

    Example:  relight backup base /srv/backup
    """
    made = installation().backups(folder).make(keep=keep)
    text = f"Copied to {made.folder}, every file checked. The secret that signs pay links lies in it: keep it closed."
    answer({"base": str(made.folder), "complete": made.complete.isoformat()}, as_json=as_json, text=text)


@backup.command("stream")
@_folder
@click.option("--nothing-lost", is_flag=True, help="Answer a commit only when it is in the folder too.")
@refusals
def stream_command(folder: Path, nothing_lost: bool) -> None:
    """Write the log of every commit, until it is ended. Run it beside the workers, on another disk or host.

    With --nothing-lost (embedded server only) not one accepted payment is missing after the host is gone, and after a
    stream that was killed commits wait for the next. One that is told to end, or fails, lets them go on without a copy.

    Example:  relight backup stream /srv/backup
    """
    told = f"Every commit is written to {folder}. Ctrl-C ends it."
    installation().backups(folder).stream(nothing_lost=nothing_lost, is_up=lambda: click.echo(told, err=True))


@backup.command("check")
@_folder
@json_option
@refusals
def check_command(folder: Path, as_json: bool) -> None:
    """Check that the newest copy is whole and that the log after it has no hole; exit code 1 if not.

    Example:  relight backup check /srv/backup
    """
    found = installation().backups(folder).check()
    told = {
        "ok": not found.problems, "since": _iso(found.since), "until": _iso(found.until), "bases": found.bases,
        "segments": found.segments, "problems": list(found.problems),
    }  # fmt: skip
    answer(told, as_json=as_json, text="\n".join(_told(found.since, found.until, found.problems)))
    if found.problems:
        raise click.exceptions.Exit(1)


@backup.command("restore")
@_folder
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new home; empty.")
@click.option("--until", metavar="MOMENT", default=None, help="As of then; the last commit if left out.")
@json_option
@refusals
def restore_command(folder: Path, into: Path, until: str | None, as_json: bool) -> None:
    """Make a new home from a backup. Warnings and cuts are held back in it until you let them go on.

    \b
    Example:  relight backup restore /srv/backup --into /var/lib/relight2
    Example:  relight backup restore /srv/backup --into /var/lib/relight2 --until 2026-03-02T09:00:00+01:00
    """
    backups = installation().backups(folder)
    done = backups.restore(
        into, until=moment(until) if until else None, tell=lambda told: click.echo(f"{told} …", err=True)
    )
    last = f", with all up to {done.last_commit:%Y-%m-%d %H:%M:%S %Z}" if done.last_commit else ""
    text = (
        f"Restored to {done.home}{last}.\n"
        "What was sent or cut after that is not known in it, so everything but restores and receipts is held back.\n"
        f"Next, with RELIGHT_HOME={done.home}: relight audit; relight import payments (the bank's files since then);\n"
        "then relight resume --all. Its own backups go into a new folder. As systemd's services: docs/installing.md,\n"
        '"Coming back".'
    )
    found = {"home": str(done.home), "base": done.base, "last_commit": _iso(done.last_commit)}
    answer(found, as_json=as_json, text=text)


def _told(since: datetime | None, until: datetime | None, problems: Sequence[str]) -> list[str]:
    if problems:
        return list(problems)
    return [f"Whole: any moment from {since:%Y-%m-%d %H:%M:%S} to {until:%Y-%m-%d %H:%M:%S} UTC can be restored."]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
