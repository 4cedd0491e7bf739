"""An agency as tests speak of it: set up with the partner, its folder read as its staff would, its answers written."""

import io
import itertools
import json
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from relight.flow.cases.opening import open_cases
from relight.flow.cases.people import operator
from relight.flow.database import Tx
from relight.flow.handover import operations
from relight.flow.handover.handlers import Wanted, prepare
from relight.flow.road.publishing import publish_at_once
from tests.flow.factories import Account, make_account, make_claim

AGENCY = "nordinkasso"
TITLE = "Nord Inkasso AS"
_numbers = itertools.count(1)

POLICY = """
policy: broadband-agency-no
for: {country: NO, service: [broadband], debtor: consumer, actor: network}
law: [no]
opens: {overdue: 1 day}
restore_when: zero
close_when: zero
steps:
  reminder:
    after: 4 days
    do:
      - {message: reminder, channel: [sms, email, letter]}
      - {message: disconnect_notice, channel: {all: [sms, email]}}
  limit:
    after: 1 month
    do: [{supply: walled_garden}, {message: service_limited, channel: best}]
  warn: {after: 3 days, do: [{message: collection_warning, channel: [letter], term: 14 days}]}
  agency: {after: 15 days, do: [{handover: nordinkasso}]}
"""


def set_up(tx: Tx, now: datetime, *, checked: bool = True, kind: str = "agency") -> None:
    """The agency, looked up in the register unless said, for a tenth of what it collects."""
    operations.add_agency(tx, name=AGENCY, title=TITLE, kind=kind, org_number="912345678", now=now)
    if checked:
        check(tx, now)
    day = date(2026, 1, 1)
    operations.note_fee(tx, AGENCY, from_date=day, least=0, basis_points=1000, amount=None, by="bente", now=now)


def check(tx: Tx, now: datetime, *, days: int = 365) -> None:
    """Somebody looks into the register."""
    operations.note_check(
        tx,
        AGENCY,
        register="Finanstilsynet",
        number="FT00012345",
        source="the register's own page",
        checked=now.date(),
        until=now.date() + timedelta(days=days),
        by="bente",
        now=now,
    )


def out(folder: Path) -> list[dict[str, Any]]:
    """The packages in the folder, oldest key first: each `handover.json` with its archive's files beside it."""
    found = [_opened(path) for path in sorted((folder / "out").glob("*.zip"), key=lambda path: path.stat().st_mtime_ns)]
    return [{**json.loads(files["handover.json"]), "files": files} for files in found]


def _opened(path: Path) -> Mapping[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def says(folder: Path, *statuses: Mapping[str, Any], name: str = "") -> Path:
    """The agency leaves a file of statuses."""
    inbox = folder / "in"
    inbox.mkdir(exist_ok=True)
    path = inbox / (name or f"status-{next(_numbers):06}.jsonl")
    path.write_text("".join(json.dumps(status) + "\n" for status in statuses), "utf-8")
    return path


def status(case: str, what: str, at: datetime, **more: Any) -> dict[str, Any]:
    """One status with an id of its own."""
    return {"id": f"m{next(_numbers)}", "case": case, "status": what, "at": at.isoformat(), **more}


def paid(case: str, amount: int, at: datetime, *, payment: str = "", **more: Any) -> dict[str, Any]:
    """The agency received money from the customer."""
    told = {"amount": amount, "currency": "NOK", "date": at.date().isoformat()}
    return status(case, "paid", at, **told, payment=payment or f"NI-{next(_numbers):08}", **more)


class Placed(NamedTuple):
    """A case that an agency has, made without living through the road before it."""

    account: Account
    claim_id: int
    case_id: int
    ref: str


def place(tx: Tx, now: datetime, *, amount: int = 89900) -> Placed:
    """An unpaid bill, its case, and the hand-over that left for it."""
    publish_at_once(tx, POLICY, by=operator("test"), now=now)
    account = make_account(tx, now)
    claim_id = make_claim(tx, account, now, amount=amount)
    open_cases(tx, [account.id], now)
    case_id = tx.value("SELECT id FROM dunning_case WHERE account_id = %(a)s", {"a": account.id})
    ref = f"{tx.partner_id}-{case_id}-1-0"
    effect_id = tx.value(
        "INSERT INTO effect (partner_id, case_id, account_id, event_number, step_number, key, kind, channel, template,"
        " state, due_at, created_at) VALUES (%(partner)s, %(case)s, %(account)s, 1, 1, %(ref)s, 'handover', %(agency)s,"
        " 'place', 'done', %(now)s, %(now)s) RETURNING id",
        {"partner": tx.partner_id, "case": case_id, "account": account.id, "ref": ref, "agency": AGENCY, "now": now},
    )
    prepare(tx, [Wanted(effect_id, "place", {}, [(claim_id, amount)])], now)
    operations.went(tx, effect_id, what="place", now=now)
    return Placed(account, claim_id, case_id, ref)
