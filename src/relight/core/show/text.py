"""The picture as text: the same content, for screen readers and terminals."""

from collections.abc import Iterator

from relight.core.show.rows import Least, Picture, Row
from relight.core.show.words import Words


def as_text(picture: Picture, words: Words) -> str:
    """One paragraph a step."""
    return "\n".join(_lines(picture, words)) + "\n"


def _lines(picture: Picture, words: Words) -> Iterator[str]:
    yield picture.title
    yield picture.whom
    yield ""
    for number, row in enumerate(picture.rows, 1):
        yield from _row(number, row, words)
        yield ""
    yield from ([f"{words.say('profiles')}:", *(f"  {told}" for told in picture.profiles)] if picture.profiles else [])
    yield from filter(None, (picture.holds, picture.ends))


def _row(number: int, row: Row, words: Words) -> Iterator[str]:
    yield f"{number}. {row.name}, {words.days(row.days)} ({row.wait})"
    yield from (f"   - {line}" for line in row.does)
    yield from (f"   {line}" for line in row.gates)
    yield from (f"   {least_line(one, words)}" for one in row.least)
    yield from (f"   {words.say('goes', condition=told, step=step)}" for told, step in row.onwards)


def least_line(one: Least, words: Words) -> str:
    """ "law: 4 weeks after disconnect notice: 29 days; chosen: 34–38 days (forbrukerkjøpsloven § 48 a …)" """
    unit, chosen = words.say("days_unit"), words.say("chosen")
    return f"{one.told}: {_range(one.lawful)} {unit}; {chosen}: {_range(one.chosen)} {unit} ({one.law})"


def _range(days: tuple[int, int]) -> str:
    return str(days[0]) if days[0] == days[1] else f"{days[0]}–{days[1]}"
