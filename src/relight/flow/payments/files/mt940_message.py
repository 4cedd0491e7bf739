"""One MT940 message as its fields come by: account, number, balances, and the entry that is being read."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from relight.flow.payments.files.mt940_fields import (
    EntryLine,
    Field,
    NotAField,
    Told,
    balance,
    entry_line,
    number_of,
    told,
)
from relight.flow.payments.files.statements import Statement, end_of

EXPECTED = ("EC", "ED")
CREDITS = ("C", "RD")
_ONCE = frozenset(("20", "25", "28C", "60F", "60M", "62F", "62M"))


@dataclass(slots=True)
class Entry:
    """`:61:` with what `:86:` says of it. `wrong` is why it cannot be read; then there is no `said`."""

    line: int
    said: EntryLine | None
    wrong: str = ""
    told: Told = field(default_factory=Told)


@dataclass(slots=True)
class Message:
    """A message being read; `place` counts those of the file from 0."""

    place: int
    statement: Statement
    account: str = ""
    seen: set[str] = field(default_factory=set[str])
    entry: Entry | None = None
    wrong: str = ""  # why the frame itself cannot be read
    is_sure: bool = True
    moved: int = 0  # signed minor units

    def take(self, found: Field, zone: ZoneInfo) -> Entry | None:
        """Follow a field; an entry that it finishes."""
        if found.tag == "86" and self.entry is not None:
            if not found.is_broken:
                self.entry.told = told(found.texts)
            return self.finish()
        finished = self.finish()
        if found.tag in self.seen & _ONCE:
            self.wrong = f":{found.tag}: stands twice in one statement: two ran into one. Fetch the file again."
        self.seen.add(found.tag)
        if found.tag == "61":
            self.entry = self._begun(found)
        else:
            try:
                self._frame(found, zone)
            except NotAField as wrong:
                self.wrong = self.wrong or str(wrong)
        return finished

    def finish(self) -> Entry | None:
        """The entry that was open, counted; None where none was."""
        entry, self.entry = self.entry, None
        if entry is not None:
            self._count(entry)
        return entry

    @property
    def is_closed(self) -> bool:
        """Whether the closing balance was met."""
        return bool(self.seen & {"62F", "62M"})

    def contradiction(self) -> str:
        """Why nothing of it may be booked; empty when it adds up, or when nobody can tell."""
        if self.wrong:
            return self.wrong
        opening, closing = self.statement.opening, self.statement.closing
        if not self.is_sure or opening is None or closing is None or opening + self.moved == closing:
            return ""
        return (
            f"From {opening} its entries lead to {opening + self.moved}, and it says {closing} (in minor units): it "
            "was changed on the way. Fetch the file again."
        )

    def _begun(self, found: Field) -> Entry:
        try:
            if not self.statement.currency:
                raise NotAField("The entry stands before the opening balance (:60F:), so its currency is not known.")
            return Entry(found.line, entry_line(found.texts[0], self.statement.currency))
        except NotAField as wrong:
            return Entry(found.line, None, str(wrong))

    def _count(self, entry: Entry) -> None:
        if entry.said is None:
            self.is_sure = False
        elif entry.said.mark not in EXPECTED:
            self.moved += entry.said.amount if entry.said.mark in CREDITS else -entry.said.amount

    def _frame(self, found: Field, zone: ZoneInfo) -> None:
        text, statement = found.texts[0], self.statement
        match found.tag:
            case "25":
                self.account = text.replace(" ", "")
            case "28C":
                statement.number, statement.part = number_of(text)
            case "60F" | "60M":
                statement.opening, statement.currency, _ = balance(text)
            case "62F" | "62M":
                closing, currency, day = balance(text)
                if currency != statement.currency:
                    raise NotAField("The closing balance is in another currency than the opening one. Ask the bank.")
                statement.closing, statement.until = closing, end_of(day, zone)
                statement.is_last = found.tag == "62F"
        if len(self.account) > len(statement.currency) + 10:  # some banks write the currency behind the number
            self.account = self.account.removesuffix(statement.currency)
        statement.chain = f"MT940 {self.account} {statement.currency}".rstrip()
