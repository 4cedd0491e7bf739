"""Opening a bank file by its format."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from relight.flow.claims.errors import UnableToImport
from relight.flow.payments.files.camt import CamtFile
from relight.flow.payments.files.mt940 import Mt940File
from relight.flow.payments.files.ocr import OcrFile
from relight.flow.payments.files.series import Series
from relight.flow.payments.rows import ReadPayment

BANK_FORMATS = ("camt", "ocr", "mt940")
_START_BYTES = 512


class BankFile(Protocol):
    """A bank file whose sums have been looked at. `series` is whole once `read` has come to its end."""

    series: Series

    def read(self) -> Iterator[ReadPayment]:
        """Payments, returns and what is neither, in the order of the file; once."""
        ...


def open_bank_file(path: Path, *, format: str, zone: ZoneInfo) -> BankFile:
    """Look at a file's sums, and be ready to read its rows. `zone` is the partner's, for days without an offset.

    Raises `UnableToImport` for a file of another format, or one that would harm its reader.
    """
    refuse_unlike(path, format)
    readers: dict[str, type[CamtFile] | type[OcrFile] | type[Mt940File]] = {
        "camt": CamtFile, "ocr": OcrFile, "mt940": Mt940File,
    }  # fmt: skip
    return readers[format](path, zone)


def refuse_unlike(path: Path, format: str) -> None:
    """Raise `UnableToImport` where a file's first bytes show that it is not of the format that was said."""
    try:
        if path.exists() and not path.is_file():
            raise UnableToImport(f"{path} is not a file. Give a bank's file.")
        with path.open("rb") as file:
            start = file.read(_START_BYTES)
    except OSError as refused:
        raise UnableToImport(f"{path} cannot be opened: {refused.strerror}. Check the name and its rights.") from None
    if not start.strip():
        raise UnableToImport(f"{path.name} is empty. Fetch it from the bank again.")
    found = _looks_like(start)
    if found and found != format:
        raise UnableToImport(f"{path.name} looks like {found}, not {format}. Import it with --format {found}.")


def _looks_like(start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<") or start.startswith((b"\xff\xfe<", b"\xfe\xff\x00<")):
        return "camt"
    if text.startswith(b"NY000010"):
        return "ocr"
    return "mt940" if text.startswith((b":20:", b"{1:")) else ""
