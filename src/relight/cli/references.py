"""`relight reference`: make and check the numbers on bills by which payments find them (KID, FIK, RF and others)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import yaml

from relight.cli.output import answer, json_option
from relight.core.references.errors import UnableToMakeReference, WrongReference, WrongSetting
from relight.core.references.schemes import SCHEMES, Scheme
from relight.core.references.setting import ReferenceSetting, read_setting

scheme_argument = click.argument("scheme", type=click.Choice(tuple(SCHEMES)), metavar="SCHEME")
setting_option = click.option(
    "--setting", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
    help="A partner's own way: a YAML file with scheme and layouts.",
)  # fmt: skip


@click.group("reference")
def reference() -> None:
    """Make and check payment references: KID, FIK, betalingskenmerk, RF.

    \b
    Example:  relight reference make kid 1234567
    Example:  relight reference check rf "RF18 5390 0754 7034"
    """


@reference.command("schemes")
@json_option
def schemes(as_json: bool) -> None:
    """The kinds of reference that there are.

    \b
    Example:  relight reference schemes
    """
    lines = [f"  {scheme.name:<20} {scheme.title}, up to {scheme.room} characters" for scheme in SCHEMES.values()]
    answer({"schemes": list(SCHEMES)}, as_json=as_json, text="\n".join(lines))


@reference.command("make")
@click.argument("scheme", type=click.Choice(tuple(SCHEMES)), metavar="[SCHEME]", required=False)
@click.argument("number", required=False)
@setting_option
@click.option("--customer", default="", help="With --setting: the customer's number.")
@click.option("--invoice", default="", help="With --setting: the invoice's number.")
@json_option
def make(
    scheme: str | None, number: str | None, setting: Path | None, customer: str, invoice: str, as_json: bool
) -> None:
    """Make a reference from a number, or from a customer's and an invoice's by a partner's setting.

    \b
    Example:  relight reference make kid 1234567
    Example:  relight reference make betalingskenmerk 56789012345
    Example:  relight reference make --setting kid.yaml --customer 4711 --invoice 2026001
    """
    if (setting is None) == (scheme is None) or (setting is None) != (number is not None):
        raise click.UsageError("Give a scheme and a number, or --setting with --customer and --invoice.")
    with _refused():
        if setting is not None:
            own = _setting(setting)
            made, name = own.make(customer=customer, invoice=invoice), own.scheme.name
        else:
            assert scheme is not None
            assert number is not None
            made, name = SCHEMES[scheme].make(number), scheme
    answer({"scheme": name, "reference": made}, as_json=as_json, text=made)


@reference.command("check")
@scheme_argument
@click.argument("text", metavar="REFERENCE")
@setting_option
@json_option
def check(scheme: str, text: str, setting: Path | None, as_json: bool) -> None:
    """Check a reference. Exit code 0: it is one; 1: it is none, and why.

    \b
    Example:  relight reference check kid 12345674
    Example:  relight reference check kid 000047110020266 --setting kid.yaml
    """
    kind = SCHEMES[scheme]
    try:
        stored = kind.check(text)
        numbers = _numbers(kind, stored, setting)
    except WrongReference as wrong:
        answer({"ok": False, "scheme": scheme, "reason": str(wrong)}, as_json=as_json, text=f"{wrong}.")
        raise click.exceptions.Exit(1) from wrong
    told = "".join(f"\n  {kind}: {number}" for kind, number in numbers.items())
    answer(
        {"ok": True, "scheme": scheme, "reference": stored, "numbers": numbers},
        as_json=as_json,
        text=f"{stored} is right.{told}",
    )


def _numbers(scheme: Scheme, reference: str, setting: Path | None) -> dict[str, str]:
    """What the reference is made of, by the partner's setting; nothing without one."""
    if setting is None:
        return {}
    with _refused():
        own = _setting(setting)
    if own.scheme.name != scheme.name:
        raise click.UsageError(f"The setting is for {own.scheme.name}, not for {scheme.name}.")
    numbers = own.read(reference)
    if numbers is None:
        raise WrongReference(f"{reference} is a {scheme.name}, but of none of the setting's layouts")
    return {str(kind): number for kind, number in numbers.items()}


def _setting(path: Path) -> ReferenceSetting:
    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        raise WrongSetting(f"{path.name} is not YAML") from wrong
    if not isinstance(tree, dict):
        raise WrongSetting(f"{path.name} holds no setting; begin with scheme: kid")
    return read_setting(tree)


@contextmanager
def _refused() -> Iterator[None]:
    """What cannot be made is one sentence, and exit code 1."""
    try:
        yield
    except (UnableToMakeReference, WrongSetting) as wrong:
        raise click.ClickException(f"{wrong}.") from wrong
