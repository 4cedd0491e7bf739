"""`relight rates` and `relight export blocked`: what an operator answers for, and what billing must leave out."""

import csv
import json
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from relight.cli.rates import missing_rates
from relight.flow.claims import interest
from relight.flow.database import Database
from relight.flow.feeds.operations import pull, sequence
from tests.flow.factories import make_account, make_claim, make_service

Command = Callable[..., Result]


class Connected:
    """As much of an installation as these commands ask for."""

    def __init__(self, conninfo: str):
        self.conninfo = conninfo

    def database(self, *, size_max: int = 8) -> Database:
        """The test's database."""
        return Database(self.conninfo, size_max=size_max, name="relight-command").open()


@pytest.fixture
def command(database_urls: dict[str, str], owner: psycopg.Connection, partner: int) -> Command:
    """Runs a command for the test's partner."""
    slug = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert slug is not None

    def run(*words: str, as_json: bool = True) -> Result:
        arguments = [*words, "--partner", slug[0], *(["--json"] if as_json else [])]
        return CliRunner().invoke(relight, arguments, obj=Connected(database_urls["app"]), catch_exceptions=False)

    return run


def test_a_rate_goes_on_record_with_who_set_it_and_the_last_word_counts(
    command: Command, db: Database, partner: int
) -> None:
    command("rates", "set", "2026-07-01", "11,5", "--by", "Ola")
    command("rates", "set", "2026-07-01", "11.75", "--by", "Kari Nordmann")

    shown = json.loads(command("rates", "show").stdout.splitlines()[-1])
    with db.transaction(partner) as tx:
        kept = tx.rows("SELECT basis_points, set_by FROM confirmed_rate ORDER BY id")
    assert shown["tables"][0]["rates"]["2026-07-01"] == "11.75"
    assert [points for points, _ in kept] == [1150, 1175]
    assert kept[1][1].startswith("Kari Nordmann (operator ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("2026-07-01", "11.755"), "two decimals at most"),
        (("2026-07-01", "much"), "is no percentage"),
        (("2026-07-01", "7", "--table", "interest"), "Tables of late interest: late_interest."),
        (("july", "7"), "is no day"),
    ],
)
def test_a_rate_that_cannot_be_is_refused_with_what_to_write(
    command: Command, words: tuple[str, ...], says: str
) -> None:
    refused = command("rates", "set", *words)

    assert refused.exit_code != 0
    assert says in refused.output


def test_doctor_tells_of_a_missing_rate_once_a_notice_has_named_interest(
    db: Database, partner: int, owner: psycopg.Connection
) -> None:
    today = db.clock()
    slug = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert slug is not None
    owner.execute("UPDATE partner SET country = 'SE' WHERE id = %s", (partner,))
    with db.transaction(partner) as tx:
        account = make_account(tx, today)
        claim = make_claim(tx, account, today, due_date=today.date() - timedelta(days=30))
    before = [one for one in missing_rates(db) if slug[0] in one.name]

    with db.transaction(partner) as tx:
        interest.name(tx, [claim], today=today.date(), now=today)
    after = [one for one in missing_rates(db) if slug[0] in one.name]

    assert before == []
    assert [one.found for one in after] == [
        "nobody has read how this country's late interest is counted; none is booked"
    ]


def test_billing_reads_who_was_blocked_and_by_which_law_no_subscription_is_charged(
    command: Command, db: Database, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        for kind, reason in (("broadband", "arrears"), ("broadband", "customer"), ("electricity_grid", "arrears")):
            service = make_service(tx, account, now, kind=kind, ref=f"{account.ref}-{kind}-{reason}")
            tx.run(
                "INSERT INTO block (partner_id, service_id, reason, level, starts_at)"
                " VALUES (%(p)s, %(s)s, %(r)s, 'off', %(now)s)",
                {"p": partner, "s": service, "r": reason, "now": now},
            )
        tx.run("UPDATE block SET ends_at = %(end)s WHERE reason = 'customer'", {"end": now + timedelta(days=2)})
    while sequence(db, partner):
        pass

    told = json.loads(
        command("export", "blocked", "--from", "2026-03-04", "--to", "2026-03-31").stdout.splitlines()[-1]
    )
    later = json.loads(
        command("export", "blocked", "--from", "2026-03-05", "--to", "2026-03-31").stdout.splitlines()[-1]
    )
    lines = command("export", "blocked", "--from", "2026-03-04", "--to", "2026-03-31", as_json=False).stdout

    assert [line["service"] for line in csv.DictReader(lines.splitlines())] == [
        one["service"] for one in told["blocked"]
    ]
    found = {one["service"]: (one["from"], one["to"], one["no_subscription_fee_by"]) for one in told["blocked"]}
    assert found == {
        f"{account.ref}-broadband-arrears": ("2026-03-02T10:00:00+01:00", "", "ekomloven § 4-11 third paragraph"),
        f"{account.ref}-broadband-customer": ("2026-03-02T10:00:00+01:00", "2026-03-04T10:00:00+01:00", ""),
        f"{account.ref}-electricity_grid-arrears": ("2026-03-02T10:00:00+01:00", "", ""),
    }
    assert len(later["blocked"]) == len(found) - 1
    assert [entry.topic for entry in pull(db, partner, "billing", now)] == [
        *(["service.blocked"] * len(found)),
        "service.unblocked",
    ]
