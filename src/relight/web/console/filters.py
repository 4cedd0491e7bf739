"""Filters of the list of cases: read from the address, remembered per user and partner, written back as an address."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from relight.core.money import NotAnAmount, parse_amount

STATES = ("open", "active", "watching", "closed")
LEVELS = ("limited", "walled_garden", "off", "restoring")
SORTS = ("overdue", "next", "opened", "account")
PLAIN = "q="
NO_STEP = "-"
_DEFAULT_SORT = "-overdue"
_PAGE_MAX = 10_000
_TEXT_MAX = 80


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list shows. Amounts are kept as typed, and read into minor units by `as_params`."""

    q: str = ""
    state: str = "open"
    step: str = ""
    waits: str = ""
    level: str = ""
    held: str = ""
    tasks: str = ""
    least: str = ""
    most: str = ""
    sort: str = _DEFAULT_SORT
    page: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Filters":
        """From a query string; whatever makes no sense is as if it had not been given."""
        text = {field.name: str(given.get(field.name, ""))[:_TEXT_MAX].strip() for field in fields(cls)}
        sort = text["sort"] if text["sort"].removeprefix("-") in SORTS else _DEFAULT_SORT
        page = int(text["page"]) if text["page"].isascii() and text["page"].isdigit() else 1
        return cls(
            q=text["q"].replace("\x00", ""),
            state=text["state"] if text["state"] in STATES else "open",
            step=text["step"],
            waits=text["waits"],
            level=text["level"] if text["level"] in LEVELS else "",
            held="1" if text["held"] else "",
            tasks="1" if text["tasks"] else "",
            least=text["least"] if _amount(text["least"]) is not None else "",
            most=text["most"] if _amount(text["most"]) is not None else "",
            sort=sort,
            page=min(max(page, 1), _PAGE_MAX),
        )

    def query(self, **changes: str | int) -> str:
        """The query string of this list with changes; back to the first page unless that is the change."""
        changed: Filters = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]  # by name
        default = Filters()
        kept = {f.name: getattr(changed, f.name) for f in fields(self)}
        # Never empty: a bare address means "as I left it", and this one means what it says.
        return urlencode({name: value for name, value in kept.items() if value != getattr(default, name)}) or PLAIN

    def as_params(self) -> dict[str, object]:
        """Parameters of the list's statements."""
        return {
            "state": self.state,
            "step": self.step,
            "waits": self.waits,
            "level": self.level,
            "held": bool(self.held),
            "tasks": bool(self.tasks),
            "least": _amount(self.least),
            "most": _amount(self.most),
            "sort": self.sort,
        }

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the page and the order differs from the plain list."""
        return replace(self, page=1, sort=_DEFAULT_SORT) != Filters()


def _amount(text: str) -> int | None:
    """An amount typed into a filter, in minor units: "1 500", "1500,50" or "1500.50"."""
    try:
        return parse_amount(text.replace(",", "."), "NOK", grouping=" ") if text else None
    except NotAnAmount:
        return None
