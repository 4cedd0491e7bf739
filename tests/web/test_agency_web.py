"""Agencies over the web: their signed words come in once and forged ones not at all, and a person calls a case back."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from relight.drivers.agency_signature import key_of, signed
from relight.flow.database import Database
from tests.counterparts.agency import SECRET, WEBHOOK_SECRET
from tests.flow import collecting
from tests.flow.collecting import AGENCY, TITLE, Placed, paid, status
from tests.web.console_visitor import SignIn

SETTINGS = {"driver": "agency_api", "url": "https://agency.example/cases", "secret": SECRET,
            "webhook_secret": WEBHOOK_SECRET}  # fmt: skip


@pytest.fixture
def placed(db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> Placed:
    """A case that an agency with an API has."""
    owner.execute("UPDATE partner SET driver_settings = %s WHERE id = %s",
                  (Jsonb({"handover": {AGENCY: SETTINGS}}), partner))  # fmt: skip
    with db.transaction(partner) as tx:
        collecting.set_up(tx, now)
        return collecting.place(tx, now)


@pytest.fixture
def door(site: str, owner: psycopg.Connection, partner: int) -> Iterator[httpx.Client]:
    """The partner's address for its agencies."""
    (slug,) = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone() or ("",)
    with httpx.Client(base_url=f"{site}/webhooks/{slug}/agencies/", trust_env=False, timeout=30) as client:
        yield client


def tells(door: httpx.Client, told: Any, now: datetime, *, name: str = AGENCY, secret: str = WEBHOOK_SECRET) -> Any:
    body = json.dumps(told).encode()
    return door.post(name, content=body, headers=signed(key_of(secret), "msg", now, body))


def value(db: Database, partner: int, statement: str) -> Any:
    with db.transaction(partner) as tx:
        return tx.value(statement)


def test_what_an_agency_tells_is_on_record_when_it_is_answered_and_counts_once(
    placed: Placed, door: httpx.Client, db: Database, partner: int, now: datetime
) -> None:
    told = [status(placed.ref, "accepted", now, agency_case="NI-1"), paid(placed.ref, 20000, now), paid("4711", 1, now)]

    first, again = tells(door, told, now), tells(door, told, now)

    assert (first.status_code, again.status_code) == (200, 200)
    assert [one["verdict"] for one in first.json()["heard"]] == ["taken", "taken", "unknown_case"]
    assert [one["verdict"] for one in again.json()["heard"]] == ["repeated"] * 3
    assert value(db, partner, "SELECT principal FROM claim") == 89900 - 20000
    assert value(db, partner, "SELECT agency_case FROM handover") == "NI-1"


def test_a_forged_word_leaves_no_trace(
    placed: Placed, door: httpx.Client, db: Database, partner: int, now: datetime
) -> None:
    answer = tells(door, paid(placed.ref, 20000, now), now, secret=SECRET)

    assert answer.status_code == 400
    assert value(db, partner, "SELECT count(*) FROM agency_notice") == 0
    assert value(db, partner, "SELECT principal FROM claim") == 89900


def test_a_word_for_nobody_and_one_that_says_nothing_are_told_so(
    placed: Placed, door: httpx.Client, now: datetime
) -> None:
    nobody, nothing = tells(door, [], now, name="other"), tells(door, {"id": "m1"}, now)

    assert (nobody.status_code, nothing.status_code) == (404, 400)
    assert "status" in nothing.json()["error"]


def test_an_agent_calls_a_case_back_with_a_reason_and_it_thinks_at_once(
    placed: Placed, seat: SignIn, db: Database, partner: int
) -> None:
    agent = seat("agent")
    page = agent.opens(f"cases/{placed.case_id}/")

    empty = agent.fills(agent.opens(f"cases/{placed.case_id}/recall/"), "recall", note=" ")
    seen = agent.fills(agent.opens(f"cases/{placed.case_id}/recall/"), "recall", note="Betalt i butikken")

    assert page.has(TITLE, "Overført", "Trekk tilbake")
    assert empty.status == 422
    assert seen.has("Foretaket får beskjed med en gang.", "Betalt i butikken")
    assert value(db, partner, "SELECT wanted_back FROM handover") == "person"
    assert value(db, partner, "SELECT lane FROM dunning_case") == "urgent"


def test_a_reader_sees_where_a_case_is_and_calls_nothing_back(placed: Placed, seat: SignIn) -> None:
    reader = seat("reader")

    page = reader.opens(f"cases/{placed.case_id}/")
    refused = reader.opens(f"cases/{placed.case_id}/recall/")

    assert page.has(TITLE)
    assert not page.has("Trekk tilbake")
    assert refused.status == 403
