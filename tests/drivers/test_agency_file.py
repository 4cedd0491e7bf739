"""The agency's folder: packages appear whole and once, whatever is killed, and its files are read and kept."""

import asyncio
import csv
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from relight.drivers import agency_file
from relight.drivers.agency_file import AgencyFileDriver
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.handover.port import Document, Letter, Package, StatusRefused, statuses_in

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CLAIM = {"number": "F1", "reference": "=1+1", "service": "broadband", "issued_date": None, "due_date": "2026-02-01",
         "amount": 89900, "principal": 89900, "costs": 3500, "interest": 0,
         "lines": [{"number": 1, "text": "-Fiber, mars", "kind": "service", "amount": 89900, "vat": 17980,
                    "disputed": 0}]}  # fmt: skip
NOTICE = {"id": 7, "step": "warn", "template": "collection_warning", "channel": "letter", "recipient": "Kari\nVei 1",
          "documents": ["notice-7.pdf"]}  # fmt: skip
BODY = {"format": "relight.handover/1", "what": "place", "case": "1-2-3-0", "claims": [CLAIM], "notices": [NOTICE]}
PLACE = Package("place", "1-2-3-0", BODY, (Document("notice-7.pdf", b"%PDF-1.7 the letter"),))


def put(folder: Path, package: Package = PLACE, key: str = "1-2-3-0", now: datetime = NOW) -> Outcome:
    driver = AgencyFileDriver({"folder": str(folder)}, clock=lambda: now)
    return asyncio.run(driver.send(package, Attempt(key, 1, NOW + timedelta(seconds=2))))


def opened(folder: Path, key: str = "1-2-3-0") -> dict[str, bytes]:
    with zipfile.ZipFile(folder / "out" / f"{key}.zip") as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_package_is_one_archive_whose_manifest_names_all_that_is_in_it(tmp_path: Path) -> None:
    outcome = put(tmp_path)

    files = opened(tmp_path)
    manifest = json.loads(files["manifest.json"])

    assert (outcome.result, outcome.code) == (Result.DONE, "written")
    assert outcome.facts["sha256"] == sha256((tmp_path / "out" / "1-2-3-0.zip").read_bytes()).hexdigest()
    assert {one["name"]: (one["sha256"], one["bytes"]) for one in manifest["files"]} == {
        name: (sha256(content).hexdigest(), len(content)) for name, content in files.items() if name != "manifest.json"
    }
    assert files["documents/notice-7.pdf"] == b"%PDF-1.7 the letter"


def test_tables_are_read_by_spreadsheets_and_no_cell_begins_a_formula(tmp_path: Path) -> None:
    put(tmp_path)

    files = opened(tmp_path)
    tables = {name: list(csv.DictReader(io.StringIO(files[f"{name}.csv"].decode("utf-8-sig"))))
              for name in ("claims", "lines", "notices")}  # fmt: skip

    assert [(row["number"], row["reference"], row["principal"]) for row in tables["claims"]] == [
        ("F1", "'=1+1", "89900")
    ]
    assert [(row["claim"], row["text"]) for row in tables["lines"]] == [("F1", "'-Fiber, mars")]
    assert tables["notices"][0]["recipient"] == "Kari\nVei 1"


def test_a_key_is_published_once_even_when_the_agency_took_the_file_away(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "out" / "1-2-3-0.zip").unlink()

    again = put(tmp_path)

    assert (again.result, again.code) == (Result.DONE, "already_there")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("killed_after", ["waiting", "keys"])
def test_what_was_cut_off_in_between_is_finished_and_never_seen_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_after: str
) -> None:
    class Killed(BaseException):
        pass

    def kill(folder: Path) -> None:
        if folder.name == killed_after:
            raise Killed

    monkeypatch.setattr(agency_file, "_sync_folder", kill)
    with pytest.raises(Killed):
        put(tmp_path)
    between = list((tmp_path / "out").iterdir())
    monkeypatch.undo()

    outcome = put(tmp_path)

    assert between == []
    assert outcome.result is Result.DONE
    assert json.loads(opened(tmp_path)["handover.json"])["case"] == "1-2-3-0"


def test_a_folder_that_is_not_there_is_tried_again_and_not_made(tmp_path: Path) -> None:
    outcome = put(tmp_path / "unmounted")

    assert (outcome.result, outcome.code) == (Result.BUSY, "ENOENT")
    assert not (tmp_path / "unmounted").exists()


def test_nothing_is_written_when_the_release_is_too_old(tmp_path: Path) -> None:
    outcome = put(tmp_path, now=NOW + timedelta(seconds=2))

    assert outcome.result is Result.LATE
    assert not (tmp_path / "out").exists()


def test_a_recall_has_a_file_of_its_own(tmp_path: Path) -> None:
    put(tmp_path)

    put(tmp_path, Package("recall", "1-2-3-0", {**BODY, "what": "recall", "why": "paid"}), key="1-2-9-0")

    assert json.loads(opened(tmp_path, "1-2-9-0")["handover.json"])["why"] == "paid"
    assert "claims.csv" not in opened(tmp_path, "1-2-9-0")


def test_what_the_agency_left_is_read_by_name_and_put_away_with_what_was_wrong(tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    for name in ("b.jsonl", "a.jsonl", ".half.jsonl", "notes.txt"):
        (inbox / name).write_text("{}\n", "utf-8")
    driver = AgencyFileDriver({"folder": str(tmp_path)})

    letters = driver.letters()
    driver.put_away(letters[0], ["line 1: id: missing"])
    driver.put_away(letters[1], [])

    assert [letter.name for letter in letters] == ["a.jsonl", "b.jsonl"]
    assert driver.letters() == []
    kept = sorted(path.name.partition("-")[0] + path.suffix for path in (inbox / "read").iterdir())
    assert kept == ["a.jsonl", "a.txt", "b.jsonl"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b'{"id": 1}\n\n{"id": 2}\n', [(1, {"id": 1}), (3, {"id": 2})]),
        (b'\xef\xbb\xbf{"id": 1}', [(1, {"id": 1})]),
        (b'[{"id": 1},\n {"id": 2}]', [(1, {"id": 1}), (2, {"id": 2})]),
        (b"[{]", [(1, "[{]")]),
        (b"\xff\n", [(1, "\ufffd")]),
        (b"", []),
    ],
)
def test_a_file_is_a_status_a_line_or_a_list(text: bytes, lines: list[tuple[int, Any]]) -> None:
    assert statuses_in(Letter("a.jsonl", text)) == lines


def test_of_very_much_the_first_files_are_read_and_the_rest_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relight.drivers.agency_file.LETTER_BYTES_MAX", 100)
    inbox = tmp_path / "in"
    inbox.mkdir()
    for name in ("a.jsonl", "b.jsonl", "c.jsonl"):
        (inbox / name).write_text(" " * 60, "utf-8")
    driver = AgencyFileDriver({"folder": str(tmp_path)})

    first = driver.letters()
    for letter in first:
        driver.put_away(letter, [])
    then = driver.letters()

    assert [letter.name for letter in first] == ["a.jsonl", "b.jsonl"]
    assert [letter.name for letter in then] == ["c.jsonl"]


def test_this_agency_has_no_webhook(tmp_path: Path) -> None:
    with pytest.raises(StatusRefused, match="files"):
        AgencyFileDriver({"folder": str(tmp_path)}).webhook({}, b"{}", NOW)
