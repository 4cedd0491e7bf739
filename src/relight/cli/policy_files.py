"""A policy as commands take it: a file, or the name of one that comes with Relight."""

from pathlib import Path

import click

from relight.core.findings import Finding, Findings
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_names, packaged_text, read_policy

_MAX_BYTES = 1 << 20

policy_argument = click.argument("file", metavar="FILE_OR_NAME")


def find_text(file_or_name: str) -> tuple[str, str | Findings]:
    """The file's name and its text, or what keeps it from being read as text; refuses where there is neither."""
    path = Path(file_or_name)
    if not path.is_file():
        if file_or_name not in packaged_names():
            names = ", ".join(packaged_names())
            raise click.ClickException(f"There is no file {file_or_name!r}, and no such policy with Relight: {names}.")
        return f"{file_or_name}.yaml", packaged_text(file_or_name)
    if path.stat().st_size > _MAX_BYTES:
        return path.name, _at_the_top(path, "the file is too large for a policy", "is it the right file?")
    try:
        return path.name, path.read_text("utf-8")
    except UnicodeDecodeError as wrong:
        return path.name, _at_the_top(path, f"the file is not UTF-8 at byte {wrong.start}", "save it as UTF-8")
    except OSError as refused:
        raise click.ClickException(f"{path} cannot be read: {refused.strerror}.") from refused


def find_policy(file_or_name: str) -> tuple[str, Policy]:
    """The text and the policy; refuses with every finding where it cannot be used."""
    source, text = find_text(file_or_name)
    read = read_policy(text, source=source) if isinstance(text, str) else text
    if isinstance(read, Findings):
        raise click.ClickException(f"The policy cannot be used yet:\n{read}")
    assert isinstance(text, str)
    return text, read


def _at_the_top(path: Path, message: str, remedy: str) -> Findings:
    return Findings((Finding(1, 1, "", message, remedy),), path.name)
