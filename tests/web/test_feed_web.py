"""The feed over HTTP: a partner's systems read on from where they stopped, with a token, and see nobody else's."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from jsonschema import Draft202012Validator

from relight.flow.cases.operations import add_note
from relight.flow.database import Database
from relight.flow.feeds.operations import sequence
from relight.flow.feeds.readers import give_token, schema
from tests.flow.conftest import make_partner
from tests.flow.factories import pay
from tests.flow.paying import Debtor, make_debtor, with_policy
from tests.journeys.processes import Workers

NOTES = 5


@pytest.fixture
def debtor(db: Database, partner: int, now: datetime) -> Debtor:
    """A customer on whose case five things were noted, and who then paid."""
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        debtor = make_debtor(tx, now, reference="")
        for number in range(NOTES):
            add_note(tx, case_id=debtor.case_id, actor="kari", now=now, text=f"note {number}")
        pay(tx, debtor.account, 5000, now)
    sequence(db, partner)
    return debtor


@pytest.fixture
def client(site: str) -> Iterator[httpx.Client]:
    """Somebody's system, without any cookies."""
    with httpx.Client(base_url=site, trust_env=False, timeout=30) as client:
        yield client


def slug_of(owner: psycopg.Connection, partner: int) -> str:
    (slug,) = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone() or ("",)
    return str(slug)


def shown(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **more}


def events(text: str) -> list[dict[str, Any]]:
    """Server-sent events, each with its fields; blocks without data are none."""
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in text.split("\n\n") if block]
    return [block for block in blocks if "data" in block]


def test_a_system_reads_on_by_its_token_until_it_has_seen_everything_once(
    client: httpx.Client, owner: psycopg.Connection, partner: int, debtor: Debtor, database_urls: dict[str, str],
    tmp_path: Path,
) -> None:  # fmt: skip
    slug, relight = slug_of(owner, partner), Workers(database_urls, tmp_path).relight
    token = json.loads(relight("feed", "token", "billing", "--partner", slug, "--json").stdout)["token"]

    first = client.get(f"/feed/{slug}?limit=3", headers=shown(token)).json()
    again = client.get(f"/feed/{slug}?limit=3", headers=shown(token)).json()
    rest = client.get(f"/feed/{slug}?after={first['next']}", headers=shown(token)).json()
    nothing = client.get(f"/feed/{slug}?after={rest['next']}", headers=shown(token)).json()
    standing = json.loads(relight("feed", "readers", "--partner", slug, "--json").stdout)

    assert first == again, "what was not acknowledged comes again"
    assert (first["more"], rest["more"]) == (True, False)
    entries = first["entries"] + rest["entries"]
    assert [entry["position"] for entry in entries] == list(range(1, NOTES + 3))
    assert [entry["topic"] for entry in entries[-2:]] == ["payment.ordered", "payment.confirmed"]
    accounts = [entry["account"] for entry in entries]
    assert accounts == [debtor.account.ref] * NOTES + [None, debtor.account.ref], "an ordered payment is nobody's yet"
    assert nothing == {"entries": [], "next": NOTES + 2, "more": False}
    assert standing["readers"][0]["behind"] == 0


def test_an_event_source_that_lost_its_connection_goes_on_by_its_last_id(
    client: httpx.Client, owner: psycopg.Connection, db: Database, partner: int, debtor: Debtor
) -> None:
    address = f"/feed/{slug_of(owner, partner)}"
    with db.transaction(partner) as tx:
        headers = shown(give_token(tx, "crm"), Accept="text/event-stream")

    first = client.get(address, params={"limit": 4}, headers=headers)
    rest = client.get(address, headers={**headers, "Last-Event-ID": events(first.text)[-1]["id"]})

    seen = events(first.text) + events(rest.text)
    assert first.headers["content-type"].startswith("text/event-stream")
    assert [event["id"] for event in seen] == [str(number) for number in range(1, NOTES + 3)]
    assert [json.loads(event["data"])["topic"] for event in seen] == [event["event"] for event in seen]
    assert (first.text.splitlines()[0], rest.text.splitlines()[0]) == ("retry: 0", "retry: 1000")


def test_every_entry_is_as_its_schema_says(
    client: httpx.Client, owner: psycopg.Connection, db: Database, partner: int, debtor: Debtor
) -> None:
    with db.transaction(partner) as tx:
        token = give_token(tx, "archive")
    check = Draft202012Validator(schema())
    Draft202012Validator.check_schema(schema())

    entries = client.get(f"/feed/{slug_of(owner, partner)}", headers=shown(token)).json()["entries"]

    assert [list(check.iter_errors(entry)) for entry in entries] == [[]] * (NOTES + 2)
    assert list(check.iter_errors({**entries[0], "case": None})), "an event of a case names its case"


def test_a_token_opens_its_own_partner_only_and_only_until_it_is_revoked(
    client: httpx.Client, owner: psycopg.Connection, db: Database, partner: int, debtor: Debtor, now: datetime,
    database_urls: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    slug, other = slug_of(owner, partner), slug_of(owner, make_partner(owner, now))
    with db.transaction(partner) as tx:
        before, token = give_token(tx, "billing"), give_token(tx, "billing")

    answers = [
        client.get(f"/feed/{slug}", headers=shown(token)),
        client.get(f"/feed/{slug}", headers=shown(before)),
        client.get(f"/feed/{other}", headers=shown(token)),
        client.get("/feed/nobody", headers=shown(token)),
        client.get(f"/feed/{slug}"),
        client.get(f"/feed/{slug}", headers={"Authorization": "Bearer"}),
    ]
    revoked = Workers(database_urls, tmp_path).relight("feed", "revoke", "billing", "--partner", slug)
    answers.append(client.get(f"/feed/{slug}", headers=shown(token)))

    assert revoked.returncode == 0
    assert [answer.status_code for answer in answers] == [200, 401, 401, 401, 401, 401, 401]
    assert len({answer.text for answer in answers[1:]}) == 1, "nobody learns which partners there are"
    stored = owner.execute("SELECT token_digest FROM feed_reader WHERE partner_id = %s", (partner,)).fetchall()
    assert stored == [("",)]


@pytest.mark.parametrize("asked", ["after=8", "after=-1", "after=x", "limit=0", "limit=1001", "after=²"])
def test_a_place_that_the_feed_does_not_have_is_refused_and_acknowledges_nothing(
    client: httpx.Client, owner: psycopg.Connection, db: Database, partner: int, debtor: Debtor, asked: str
) -> None:
    with db.transaction(partner) as tx:
        token = give_token(tx, "billing")

    refused = client.get(f"/feed/{slug_of(owner, partner)}?{asked}", headers=shown(token))

    assert refused.status_code == 400
    assert refused.json()["error"]
    assert owner.execute("SELECT position FROM feed_reader WHERE partner_id = %s", (partner,)).fetchone() == (0,)
