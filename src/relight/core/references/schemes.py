"""The kinds of reference by name, each made and checked in the same way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from relight.core.references.betalingskenmerk import LONG, SHORT, WITH_LENGTH_DIGIT
from relight.core.references.betalingskenmerk import check_betalingskenmerk as check_dutch
from relight.core.references.betalingskenmerk import make_betalingskenmerk as make_dutch
from relight.core.references.errors import WrongReference
from relight.core.references.fik import LENGTHS as FIK_LENGTHS
from relight.core.references.fik import check_fik, make_fik
from relight.core.references.kid import LENGTH_MAX as KID_MAX
from relight.core.references.kid import check_kid, make_kid
from relight.core.references.rf import PAYLOAD_MAX as RF_MAX
from relight.core.references.rf import check_rf, make_rf


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of reference.

    `make` turns a payload into a reference and raises `UnableToMakeReference`; `check` returns the reference as it is
    stored, or raises `WrongReference`. `payload` cuts one that was checked down to what it was made of. `room` is the
    most characters of a payload; where it is `padded`, a shorter one gets zeros before it. `letters`: it may have
    letters too.
    """

    name: str
    title: str
    make: Callable[[str], str]
    check: Callable[[str], str]
    payload: Callable[[str], str]
    room: int
    padded: bool = False
    letters: bool = False


def _check_dutch_of(length: int, text: str) -> str:
    number = check_dutch(text)
    if len(number) != length:
        raise WrongReference(f"{number} has {len(number)} digits: those of this series have {length}")
    return number


def _dutch(length: int) -> Scheme:
    before = 2 if length in WITH_LENGTH_DIGIT else 1 if length == LONG else 0
    return Scheme(
        name="betalingskenmerk" if length == LONG else f"betalingskenmerk-{length}",
        title=f"Dutch betalingskenmerk of {length} digits{'' if length != SHORT else ', without a check digit'}",
        make=partial(make_dutch, length=length),
        check=partial(_check_dutch_of, length),
        payload=lambda number: number[before:],
        room=length - before,
        padded=True,
    )


def _without_last(reference: str) -> str:
    return reference[:-1]


_ALL = (
    Scheme("kid", "Norwegian KID, modulus 10", make_kid, check_kid, _without_last, KID_MAX - 1),
    Scheme(
        "kid-mod11",
        "Norwegian KID, modulus 11",
        partial(make_kid, check="mod11"),
        partial(check_kid, check="mod11"),
        _without_last,
        KID_MAX - 1,
    ),
    Scheme("fik-71", "Danish payment slip +71", make_fik, check_fik, _without_last, FIK_LENGTHS["71"] - 1, padded=True),
    Scheme(
        "fik-75",
        "Danish payment slip +75",
        partial(make_fik, card="75"),
        partial(check_fik, card="75"),
        _without_last,
        FIK_LENGTHS["75"] - 1,
        padded=True,
    ),
    *(_dutch(length) for length in (LONG, SHORT, *WITH_LENGTH_DIGIT)),
    Scheme(
        "rf",
        "RF creditor reference, ISO 11649",
        make_rf,
        check_rf,
        lambda reference: reference[4:],
        RF_MAX,
        letters=True,
    ),
)
SCHEMES: Mapping[str, Scheme] = {scheme.name: scheme for scheme in _ALL}


def scheme_of(name: str) -> Scheme:
    """The scheme of that name; raises KeyError with the names that there are."""
    found = SCHEMES.get(name)
    if found is None:
        raise KeyError(f"no references {name!r}; there are {', '.join(SCHEMES)}")
    return found
