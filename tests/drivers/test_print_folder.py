"""Letters for the print shop: written whole, once, and never lost or doubled, wherever we are stopped."""

import asyncio
import json
import os
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import typst

from relight.drivers import print_folder
from relight.drivers.print_folder import PrintFolderDriver, count_pages
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.messages.port import Channel, Message

PDF = b"%PDF-1.7\n1 0 obj <</Type /Page>> endobj\n2 0 obj <</Type /Page>> endobj\n3 0 obj <</Type /Pages>> endobj"


def letter(**changed: Any) -> Message:
    fields = {
        "channel": Channel.LETTER,
        "to": "Kåre Ås\nSjøgata 1\n0123 Oslo",
        "sender": "Blåfjell Strøm AS\nPostboks 9\n4001 Stavanger",
        "language": "nb",
        "subject": "Påminnelse",
        "text": "",
        "pdf": PDF,
    }
    return Message(**{**fields, **changed})


def send(folder: Path, message: Message, *, key: str = "case:1:7", seconds: float = 10, **settings: Any) -> Outcome:
    driver = PrintFolderDriver({"folder": str(folder), **settings})
    return asyncio.run(driver.send(message, Attempt(key, 1, datetime.now(UTC) + timedelta(seconds=seconds))))


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_the_print_shop_gets_the_letter_and_what_it_needs_to_know(tmp_path: Path) -> None:
    outcome = send(tmp_path, letter(), colour="colour")

    (name,) = outcome.facts["provider_ids"]
    sheet = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert outcome.result == Result.DONE
    assert (tmp_path / f"{name}.pdf").read_bytes() == PDF
    assert sheet == {
        "key": "case:1:7",
        "address": ["Kåre Ås", "Sjøgata 1", "0123 Oslo"],
        "return_address": ["Blåfjell Strøm AS", "Postboks 9", "4001 Stavanger"],
        "creditor": "Blåfjell Strøm AS",
        "subject": "Påminnelse",
        "language": "nb",
        "pages": 2,
        "colour": "colour",
        "duplex": True,
        "sha256": sha256(PDF).hexdigest(),
    }


def test_the_same_letter_twice_is_one_letter(tmp_path: Path) -> None:
    first = send(tmp_path, letter())
    second = send(tmp_path, letter(pdf=PDF + b"\n% rendered again"))

    assert (first.result, second.result) == (Result.DONE, Result.DONE)
    assert (first.code, second.code) == ("written", "already_there")
    assert first.facts == second.facts
    assert len(visible(tmp_path)) == 2
    assert next(tmp_path.glob("*.pdf")).read_bytes() == PDF


def test_a_letter_that_the_print_shop_has_taken_is_not_printed_again(tmp_path: Path) -> None:
    send(tmp_path, letter())
    for name in visible(tmp_path):
        (tmp_path / name).unlink()

    outcome = send(tmp_path, letter())

    assert outcome.result == Result.DONE
    assert visible(tmp_path) == []


def test_two_effects_are_two_letters(tmp_path: Path) -> None:
    send(tmp_path, letter(), key="case:1:7")
    send(tmp_path, letter(), key="case:1.7")
    send(tmp_path, letter(), key="../case")
    send(tmp_path, letter(), key="x" * 500)

    assert len(visible(tmp_path)) == 8
    assert [path for path in tmp_path.parent.iterdir() if path.suffix in (".pdf", ".json")] == []


class Killed(BaseException):
    """Stands for a power cut: nothing after it runs."""


@pytest.mark.parametrize("calls", range(1, 10))
def test_killed_at_any_point_the_letter_is_whole_and_single_after_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    left = calls
    real = os.fsync

    def power_cut(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        real(descriptor)

    monkeypatch.setattr(print_folder.os, "fsync", power_cut)
    try:
        send(tmp_path, letter())
    except Killed:
        taken = _print_shop_calls(tmp_path)
    else:
        taken = []
    monkeypatch.setattr(print_folder.os, "fsync", real)

    outcome = send(tmp_path, letter())

    taken += _print_shop_calls(tmp_path)
    assert outcome.result == Result.DONE
    assert taken == [PDF]


def _print_shop_calls(folder: Path) -> list[bytes]:
    """Takes what is ready: a letter whose sheet is there."""
    taken: list[bytes] = []
    for sheet in folder.glob("*.json"):
        pdf = sheet.with_suffix(".pdf")
        assert json.loads(sheet.read_bytes())["sha256"] == sha256(pdf.read_bytes()).hexdigest()
        taken.append(pdf.read_bytes())
        sheet.unlink()
        pdf.unlink()
    return taken


def test_a_missing_folder_is_not_made_and_nothing_is_lost(tmp_path: Path) -> None:
    outcome = send(tmp_path / "not-mounted", letter())

    assert (outcome.result, outcome.code, outcome.retry_after_seconds) == (Result.BUSY, "ENOENT", 300)
    assert not (tmp_path / "not-mounted").exists()


def test_a_full_disk_is_busy_and_the_letter_goes_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(print_folder.os, "fsync", full)
        outcome = send(tmp_path, letter())
    assert (outcome.result, outcome.code) == (Result.BUSY, "ENOSPC")
    assert visible(tmp_path) == []

    assert send(tmp_path, letter()).result == Result.DONE
    assert len(visible(tmp_path)) == 2


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"pdf": b"<html>"}, "not_a_pdf"), ({"pdf": b""}, "not_a_pdf"), ({"to": " \n"}, "no_address")],
)
def test_what_is_no_letter_is_refused(tmp_path: Path, changed: dict[str, Any], code: str) -> None:
    outcome = send(tmp_path, letter(**changed))

    assert (outcome.result, outcome.code) == (Result.REFUSED, code)
    assert visible(tmp_path) == []


def test_a_release_too_old_is_not_printed(tmp_path: Path) -> None:
    assert send(tmp_path, letter(), seconds=-0.001).result == Result.LATE
    assert visible(tmp_path) == []


def test_pages_are_counted_in_a_letter_as_we_render_them(tmp_path: Path) -> None:
    source = tmp_path / "letter.typ"
    source.write_text("Hei\n#pagebreak()\nKåre\n#pagebreak()\nÅs\n", encoding="utf-8")

    assert count_pages(typst.compile(source, pdf_standards=["a-2b"])) == 3


def test_pages_packed_in_object_streams_are_counted(tmp_path: Path) -> None:
    pdf = pikepdf.new()
    for _ in range(4):
        pdf.add_blank_page()
    packed = tmp_path / "packed.pdf"
    pdf.save(packed, object_stream_mode=pikepdf.ObjectStreamMode.generate)

    assert count_pages(packed.read_bytes()) == 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [({}, "folder must be set"), ({"folder": "/x", "colour": "pink"}, "colour is black or colour")],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        PrintFolderDriver(settings)
