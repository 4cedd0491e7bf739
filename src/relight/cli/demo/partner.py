"""The partner of the demo: emptied and set up anew at each run, by the role that owns the tables.

Other partners of the installation are left alone. Nothing of this is how a real partner is made; `relight partner` is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import click
import psycopg
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from relight.cli.demo.portfolio import BROADBAND, CREDITORS, DRIVER, POWER
from relight.core.policy_reader import packaged_text
from relight.flow.cases.people import operator
from relight.flow.database import Database
from relight.flow.road.publishing import publish_at_once

SLUG = "demo"
BANK = "bank"
POLICIES = ("broadband-no", "power-grid-no")
CHANNELS = ("sms", "email", "letter")
_CUTS_PER_HOUR_MIN = 50

_TABLES = """
    SELECT c.oid::regclass::text, coalesce(array_agg(DISTINCT k.conrelid::regclass::text)
        FILTER (WHERE k.conrelid <> c.oid), '{}')
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'partner_id' AND NOT a.attisdropped
    LEFT JOIN pg_constraint k ON k.confrelid = c.oid AND k.contype = 'f'
    WHERE c.relnamespace = 'relight'::regnamespace AND c.relkind = 'r' GROUP BY c.oid
"""
_PARTNER = """
    INSERT INTO partner (slug, name, country, currency, language, time_zone, mode, site, cuts_per_hour, cuts_per_day,
        driver_settings, created_at)
    VALUES (%(slug)s, 'Nordlys', 'NO', 'NOK', 'nb', 'Europe/Oslo', 'live', 'nordlys.example', %(cuts)s, %(cuts)s * 4,
        %(settings)s, %(now)s)
    ON CONFLICT (slug) DO UPDATE SET mode = 'live', stopped_at = NULL, stopped_by = '', driver_settings = %(settings)s,
        cuts_per_hour = %(cuts)s, cuts_per_day = %(cuts)s * 4, created_at = %(now)s
    RETURNING id
"""
_BRAND = """
    INSERT INTO brand (partner_id, name, sms_sender, email_sender, phone, site, return_address, colour)
    VALUES (%s, 'Nordlys', 'Nordlys', 'hei@nordlys.example', '77 00 00 00', 'nordlys.example',
        E'Nordlys\\nPostboks 1\\n9008 Tromsø', '#0b5f6b')
"""
_ACCOUNTS = {POWER: "15032080119", BROADBAND: "15032080127"}


def make_partner(owner_url: str, db: Database, *, now: datetime, accounts: int, settings: dict[str, Any]) -> int:
    """The demo's partner, empty but for creditors, a brand, a bank and two policies; its id."""
    with psycopg.connect(owner_url, options="-c search_path=relight", autocommit=True) as owner:
        cuts = max(_CUTS_PER_HOUR_MIN, accounts // 10)
        given = {"slug": SLUG, "settings": Jsonb(settings), "now": now, "cuts": cuts}
        partner_id = _value(owner, _PARTNER, given)
        _empty(owner, partner_id)
        for kind in (POWER, BROADBAND):
            owner.execute(
                "INSERT INTO creditor (partner_id, name, bank_account) VALUES (%s, %s, %s)",
                (partner_id, CREDITORS[kind], _ACCOUNTS[kind]),
            )
        owner.execute(_BRAND, (partner_id,))
        owner.execute(
            "INSERT INTO source (partner_id, name, kind, complete_until) VALUES (%s, %s, 'bank', %s)",
            (partner_id, BANK, now),
        )
    with db.transaction(partner_id) as tx:
        for name in POLICIES:
            publish_at_once(tx, packaged_text(name), by=operator("demo"), now=now)
    return partner_id


@contextmanager
def alone(owner_url: str) -> Iterator[None]:
    """Nobody else plays the demo in this installation meanwhile: its partner would be emptied under us."""
    with psycopg.connect(owner_url, autocommit=True) as held:
        if not _value(held, "SELECT pg_try_advisory_lock(hashtext('relight demo'))", {}):
            raise click.ClickException(
                "A demo runs in this installation already."
                " End it first (Ctrl-C there), or set RELIGHT_HOME to another folder."
            )
        yield


def driver_settings(folder: Path | None, hosted: Path) -> dict[str, Any]:
    """Simulated devices, inboxes for messages and the test provider; without a folder all but the last in memory."""
    devices = {"driver": "simulator", **({"folder": str(folder / "devices")} if folder else {})}
    inbox = {"driver": "inbox", "receipts": False, **({"folder": str(folder / "messages")} if folder else {})}
    return {
        "supply": {DRIVER: devices},
        "messages": {channel: {**inbox, "channel": channel} for channel in CHANNELS},
        "payments": {"testpay": {"secret": "the demo's own", "folder": str(hosted)}},
    }


def _empty(owner: psycopg.Connection[Any], partner_id: int) -> None:
    """Delete the partner's rows, those that point at others first."""
    pointing = {table: set(others) for table, others in owner.execute(_TABLES).fetchall()}
    for table in TopologicalSorter(pointing).static_order():
        if table in pointing:
            statement = SQL("DELETE FROM {} WHERE partner_id = %s").format(Identifier(table))
            owner.execute(statement, (partner_id,))


def _value(owner: psycopg.Connection[Any], statement: str, given: dict[str, Any]) -> Any:
    found = owner.execute(statement, given).fetchone()
    assert found is not None
    return found[0]
