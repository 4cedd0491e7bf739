"""`relight watch`: all is well, somebody should look today, or somebody has to look now; the exit code says which."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from relight.flow.cases.tasks import add_task
from relight.flow.database import Database
from relight.flow.watch.audits import note
from relight.project.errors import UnableToUseDatabaseUrl
from tests.flow import factories

Watch = Callable[..., Result]


class Connected:
    """As much of an installation as the command asks for. `ahead` is how wrong this host's clock is."""

    def __init__(self, conninfo: str, ahead: timedelta = timedelta(0)):
        self.conninfo, self.ahead = conninfo, ahead

    def database(self, *, size_max: int = 8) -> Database:
        """The test's database."""
        return Database(self.conninfo, size_max=size_max, name="relight-command").open()

    def now(self) -> datetime:
        """This host's moment."""
        return datetime.now(UTC) + self.ahead


class Away:
    """An installation whose database has gone."""

    def database(self, *, size_max: int = 8) -> Database:
        """Refuses."""
        raise UnableToUseDatabaseUrl("Nobody answers at db.example.", remedy="Start the server.")


@pytest.fixture
def watch(database_urls: dict[str, str], owner: psycopg.Connection, partner: int, db: Database) -> Watch:
    """Runs the command for the test's partner, which was audited just now."""
    slug = str(owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchall()[0][0])
    with db.transaction(partner) as tx:
        note(tx, [], db.clock(), is_full=True)

    def run(*words: str, ahead: timedelta = timedelta(0)) -> Result:
        installation = Connected(database_urls["app"], ahead)
        return CliRunner().invoke(relight, ["watch", "--partner", slug, *words], obj=installation)

    return run


def test_all_is_well(watch: Watch) -> None:
    seen = watch()

    assert (seen.exit_code, seen.stdout) == (0, "All is well.\n")


def test_what_is_late_asks_for_a_look_today(watch: Watch, owner: psycopg.Connection, partner: int) -> None:
    owner.execute("UPDATE partner SET stopped_at = now() - interval '3 days' WHERE id = %s", (partner,))

    seen = watch()

    assert seen.exit_code == 1
    assert "messages and cuts have been stopped for a day; 3 days by now" in seen.stdout
    assert "`relight resume` lets them go on." in seen.stdout


def test_a_household_that_waits_cannot_wait(watch: Watch, db: Database, partner: int) -> None:
    with db.transaction(partner) as tx:
        now = db.clock()
        account = factories.make_account(tx, now)
        add_task(tx, case_id=None, account_id=account.id, code="not_restored", due_at=now - timedelta(minutes=5),
                 dedup="not-restored", now=now, urgent=True)  # fmt: skip

    seen = watch("--json")

    told = json.loads(seen.stdout.splitlines()[-1])
    assert seen.exit_code == 2
    assert not told["ok"]
    assert [(one["alarm"], one["urgency"], one["count"]) for one in told["alarms"]] == [("restore_failed", "now", 1)]


def test_a_host_whose_clock_is_wrong_is_told(watch: Watch) -> None:
    seen = watch(ahead=timedelta(seconds=9))

    assert seen.exit_code == 1
    assert re.search(r"this host's clock is (9|1\d) seconds from the database's", seen.stdout)  # and what asking took


def test_a_database_that_is_away_is_the_one_alarm() -> None:
    seen = CliRunner().invoke(relight, ["watch"], obj=Away())

    assert seen.exit_code == 2
    assert "the database does not answer: Nobody answers at db.example. Start the server." in seen.stdout


def test_a_partner_that_is_not_there_is_refused_with_the_choice(watch: Watch) -> None:
    seen = watch("--partner", "nobody")

    assert seen.exit_code == 2
    assert "There is no partner 'nobody'" in seen.output
