"""A package for an agency as files: a ZIP with JSON for machines, CSV for people, the documents, and hashes of all."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from relight.flow.handover.port import Package

_LIKE_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_CLAIMS = ("number", "reference", "service", "issued_date", "due_date", "amount", "principal", "costs", "interest")
_LINES = ("claim", "number", "text", "kind", "amount", "vat", "disputed")
_NOTICES = ("id", "step", "template", "channel", "amount", "pay_by_date", "sent_at", "delivered_at", "undeliverable_at",
            "recipient", "documents")  # fmt: skip
_STAMP = (1980, 1, 1, 0, 0, 0)  # the same package is the same octets


def zipped(package: Package, key: str) -> bytes:
    """The package as one ZIP whose `manifest.json` names every other file with its SHA-256 and size."""
    files = {"handover.json": as_json(package, key)}
    if package.what == "place":
        claims = package.body["claims"]
        files["claims.csv"] = _table(_CLAIMS, claims)
        files["lines.csv"] = _table(
            _LINES, ({**line, "claim": one["number"]} for one in claims for line in one["lines"])
        )
        files["notices.csv"] = _table(_NOTICES, package.body["notices"])
    files |= {f"documents/{document.name}": document.content for document in package.documents}
    manifest = {
        "format": package.body["format"],
        "what": package.what,
        "case": package.ref,
        "key": key,
        "files": [{"name": name, "sha256": sha256(content).hexdigest(), "bytes": len(content)}
                  for name, content in files.items()],
    }  # fmt: skip
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"manifest.json": _json(manifest), **files}.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def as_json(package: Package, key: str) -> bytes:
    """The body, with the key by which a package that comes twice is known."""
    return _json({**package.body, "key": key})


def _json(tree: Mapping[str, Any]) -> bytes:
    return json.dumps(tree, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"


def _table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """UTF-8 with a mark, so that spreadsheets read it; no cell can begin a formula."""
    made = io.StringIO()
    table = csv.writer(made, lineterminator="\r\n")
    table.writerow(columns)
    for row in rows:
        table.writerow([_cell(row.get(name)) for name in columns])
    return made.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return " ".join(_cell(one) for one in value)
    text = str(value)
    return f"'{text}" if not isinstance(value, int) and text.startswith(_LIKE_FORMULAS) else text
