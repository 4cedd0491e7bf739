"""The day that a short answer promises: "15.12", "betaler 15. desember", or "1" for the last day that may be promised.

Only an answer that says nothing else is read so: a sentence with one word that is not known here is for a person. A day
without its year is the next one of that date. Days come before months, as in all our countries.
"""

from datetime import date

from relight.flow.messages.inbound import plain

LAST = "1"
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "mrt": 3, "marz": 3, "apr": 4, "mai": 5, "maj": 5, "mei": 5, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "okt": 10, "oct": 10, "nov": 11, "des": 12, "dec": 12, "dez": 12,
}  # fmt: skip
_LONG = frozenset(
    plain(
        """januar februar mars marts april juni juli august september oktober november desember december dezember
        januari februari maart augustus january february march june july october märz"""
    ).split()
)
# Words that promise, or that stand around a day, in all our languages, as `plain` has them.
_BESIDE = frozenset(
    plain(
        """jeg vi kan skal vil betaler betale betales innen senest den d på ja ok ik we zal betaal betalen op uiterlijk
        voor i will can pay paying by on the of until ich wir zahle zahlen bezahle bis am zum spätestens kann werde"""
    ).split()
)
_YEAR_DIGITS = 4


def promised_day(text: str, *, today: date) -> date | str | None:
    """The day that an answer names and nothing else, `LAST` for "1", or None; a day that is past comes next year."""
    words = plain(text).split()
    if words == [LAST]:
        return LAST
    numbers: list[int] = []
    month = None
    for word in words:
        if (named := _month(word)) is not None and month is None:
            month = named
        elif (number := _number(word)) is not None:
            numbers.append(number)
        elif word not in _BESIDE:
            return None
    return _day(numbers, month, today)


def _month(word: str) -> int | None:
    return _MONTHS.get(word[:3]) if word in _MONTHS or word in _LONG else None


def _number(word: str) -> int | None:
    digits = word[:-2] if word[-2:] in ("th", "st", "nd", "rd") else word
    return int(digits) if digits.isdecimal() and len(digits) <= _YEAR_DIGITS else None


def _day(numbers: list[int], month: int | None, today: date) -> date | None:
    year = None
    if month is not None:
        numbers = [*numbers[:1], month, *numbers[1:]]
    if len(numbers) == 3:
        if numbers[0] > 31:
            numbers.reverse()
        year = numbers.pop()
    if len(numbers) != 2 or (year is not None and year < 2000):
        return None
    day, month_number = numbers
    for one in (year,) if year is not None else (today.year, today.year + 1):
        try:
            found = date(one, month_number, day)
        except ValueError:
            continue
        if year is not None or found >= today:
            return found
    return None
