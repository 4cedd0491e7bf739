"""The slips that people make when they copy a number: one character wrong, or two neighbours exchanged."""

from collections.abc import Iterator


def one_wrong(number: str, *, among: str = "0123456789") -> Iterator[str]:
    """Every copy of a number with one character wrong."""
    for at, right in enumerate(number):
        for wrong in among:
            if wrong != right:
                yield number[:at] + wrong + number[at + 1 :]


def neighbours_exchanged(number: str) -> Iterator[tuple[str, str]]:
    """Every copy with two unlike neighbours exchanged, and those two as they stood."""
    for at in range(len(number) - 1):
        pair = number[at : at + 2]
        if pair[0] != pair[1]:
            yield number[:at] + pair[::-1] + number[at + 2 :], pair
