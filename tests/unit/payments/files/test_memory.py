"""Reading takes the same memory however long the file is."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relight.flow.payments.files.reading import open_bank_file
from tests.unit.payments.files.reading import ZONE
from tests.unit.payments.files.written import Giro, Paid, camt, details, entry, many, mt940, mt940_entry, ocr, statement

ROWS = 400
GROWTH_BYTES_MAX = 350  # a row: what names and counts take (about 140); rows kept whole take 580 and more


def notifications(count: int) -> bytes:
    return camt(
        *(statement([entry(paid)], kind="camt.054", number=at) for at, paid in enumerate(many(count), start=1)),
        kind="camt.054",
    )


def one_batch(count: int) -> bytes:
    total = sum(10050 + 100 * at for at in range(count))
    inside = "\n".join(details(paid, own_amount=True) for paid in many(count))
    return camt(
        statement([entry(Paid(f"{total // 100}.{total % 100:02}"), inside=inside)], kind="camt.054"), kind="camt.054"
    )


WRITERS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "entries": ("camt", lambda count: camt(statement([entry(paid) for paid in many(count)]))),
    "notifications": ("camt", notifications),
    "one batch": ("camt", one_batch),
    "giros": ("ocr", lambda count: ocr([Giro(1000 + at, f"{at:07}", at) for at in range(count)])),
    "mt940": (
        "mt940",
        lambda count: mt940(
            [mt940_entry(100, own=f"R{at}", told="/REMI/x/") for at in range(count)], moved=100 * count
        ),
    ),
}


@pytest.fixture
def small_heap() -> Iterator[None]:
    """What was there before does not count: the collector comes as often as in a process that only reads a file."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("name", WRITERS)
def test_four_times_the_rows_take_no_more_memory(tmp_path: Path, name: str) -> None:
    format_, write = WRITERS[name]
    peaks: list[int] = []

    for count in (ROWS, 4 * ROWS):
        path = tmp_path / f"{count}.bank"
        path.write_bytes(write(count))
        tracemalloc.start()
        rows = sum(found.row is not None for found in open_bank_file(path, format=format_, zone=ZONE).read())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert rows == count

    assert (peaks[1] - peaks[0]) / (3 * ROWS) < GROWTH_BYTES_MAX
