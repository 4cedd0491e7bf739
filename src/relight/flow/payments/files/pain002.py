"""What a bank says of orders to collect, before the money would have come (pain.002, ISO 20022). Streamed."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from relight.flow.claims.errors import UnableToImport
from relight.flow.payments.files.markup import BrokenMarkup, Element, Is, Piece, UnsafeMarkup, pieces

_REPORT = "CstmrPmtStsRpt"
_REFUSED = "RJCT"


class Refusal(NamedTuple):
    """What was refused, and the bank's reason: one collection (`ref`), a block of a file, or a whole file."""

    line: int
    reason: str
    ref: str = ""
    message: str = ""
    block: str = ""


def read_pain002(path: Path) -> Iterator[Refusal]:
    """The refusals of a file, in its order. Raises `UnableToImport` for what is none, or would harm its reader."""
    yield from _read(path, _Place())


def _read(path: Path, place: "_Place") -> Iterator[Refusal]:
    try:
        with path.open("rb") as file:
            for piece in pieces(file, _is_container):
                yield from place.take(piece)
    except OSError as refused:
        raise UnableToImport(f"{path} cannot be opened: {refused.strerror}. Check the name and its rights.") from None
    except (UnsafeMarkup, BrokenMarkup) as wrong:
        raise UnableToImport(f"{path.name}: {wrong} Fetch it again.") from None
    if not place.seen:
        raise UnableToImport(f"{path.name} is no pain.002: it holds no {_REPORT}.")


def read_receipt(path: Path) -> tuple[str, str]:
    """Which file a bank speaks of (its message), and the status that it gives to the whole: RJCT, ACCP, PART, ….
    Both are empty where it gives none. Raises `UnableToImport`."""
    place = _Place()
    for _ in _read(path, place):
        pass
    return place.message, place.status


class _Place:
    """Where in the file we are: the file and the block that the bank speaks of, and what it says of the whole file."""

    def __init__(self) -> None:
        self.seen, self.message, self.status = False, "", ""
        self.block: Element | None = None

    def take(self, piece: Piece) -> Iterator[Refusal]:
        """Follow a piece; what it refuses."""
        self.seen = self.seen or _REPORT in piece.path
        element = piece.element
        match element.name:
            case "OrgnlGrpInfAndSts" if piece.kind is Is.WHOLE:
                self.message, self.status = element.words("OrgnlMsgId"), element.words("GrpSts")
                if element.words("GrpSts") == _REFUSED:
                    yield Refusal(element.line, _reason(element), message=self.message)
            case "OrgnlPmtInfAndSts":
                if self.block is not None and piece.kind is Is.CLOSE:
                    yield from _block(self.block, self.message)
                self.block = element if piece.kind is Is.OPEN else None
            case "TxInfAndSts" if element.words("TxSts") == _REFUSED:
                yield Refusal(element.line, _reason(element), ref=element.words("OrgnlEndToEndId"))
            case "OrgnlPmtInfId" | "PmtInfSts" | "StsRsnInf" if self.block is not None:
                self.block.children.append(element)
            case _:
                pass


def _is_container(path: tuple[str, ...]) -> bool:
    return len(path) <= 2 or (len(path) == 3 and path[2] == "OrgnlPmtInfAndSts")


def _block(block: Element, message: str) -> Iterator[Refusal]:
    """A block that was refused whole."""
    if block.words("PmtInfSts") == _REFUSED:
        yield Refusal(block.line, _reason(block), message=message, block=block.words("OrgnlPmtInfId"))


def _reason(element: Element) -> str:
    reason = element.first("StsRsnInf", "Rsn")
    return (reason.words("Cd") or reason.words("Prtry")) if reason else ""
