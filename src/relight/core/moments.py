"""Moments as others write them: ISO 8601, as Python reads it, but only such as can be."""

from datetime import datetime, timedelta, tzinfo

_OFFSET_MAX = timedelta(hours=14)  # no place on earth is further from UTC (IANA time zones: -12:00 to +14:00)
_YEAR_MIN, _YEAR_MAX = 1900, 9000  # well within what the database keeps, in any zone


def moment_of(text: str, zone: tzinfo | None = None) -> datetime:
    """An aware moment; one without an offset is in `zone`.

    Raises ValueError for what is none, for one that needs a zone and has none, and for an offset or a year that cannot
    be: the database would refuse it, or keep another.
    """
    found = datetime.fromisoformat(text.strip())
    found = found if found.tzinfo else found.replace(tzinfo=zone)
    offset = found.utcoffset()
    if offset is None or abs(offset) > _OFFSET_MAX or not _YEAR_MIN <= found.year <= _YEAR_MAX:
        raise ValueError(f"{text[:40]!r} is no moment with an offset that there is")
    return found
