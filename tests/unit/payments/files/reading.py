"""Reading a bank file's bytes, as tests do it again and again."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zoneinfo import ZoneInfo

from relight.flow.claims.rows import PaymentRow
from relight.flow.payments.files.reading import BankFile, open_bank_file
from relight.flow.payments.files.series import Series
from relight.flow.payments.rows import ReadPayment

ZONE = ZoneInfo("Europe/Oslo")


class Content(NamedTuple):
    """What a file came to."""

    rows: list[ReadPayment]
    series: Series

    @property
    def payments(self) -> list[PaymentRow]:
        """What came in and what went back."""
        return [found.row for found in self.rows if found.row is not None]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Payments, others, unreadable ones."""
        return len(self.payments), sum(found.is_other for found in self.rows), sum(map(bool, self.problems))

    @property
    def problems(self) -> list[tuple[int, str]]:
        """Where something is wrong, and in which field."""
        return [(problem.line, problem.field) for found in self.rows for problem in found.problems]

    @property
    def reasons(self) -> str:
        """Why, in one text."""
        return " ".join(problem.reason for found in self.rows for problem in found.problems)


def read(content: bytes, format: str) -> Content:
    """All rows of a file. Raises `UnableToImport`."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "bank.file")
        path.write_bytes(content)
        file: BankFile = open_bank_file(path, format=format, zone=ZONE)
        rows = list(file.read())
        return Content(rows, file.series)
