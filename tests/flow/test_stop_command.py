"""`relight stop` and `relight resume`: whoever types no more than that is obeyed, and is on record."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli import switch
from relight.cli.main import relight
from relight.flow.database import Database
from relight.flow.partners.stopping import heed_stops
from tests.flow.test_rates_command import Connected
from tests.journeys.processes import wait_for

Command = Callable[..., Result]
SWITCH = "SELECT stopped_at IS NOT NULL, stopped_by FROM"


class OwnedInstallation(Connected):
    """An installation whose owner can be reached too."""

    def __init__(self, urls: dict[str, str]):
        super().__init__(urls["app"])
        self._owner = urls["owner"]

    def owner_url(self) -> str:
        """Who may stop everybody."""
        return self._owner


@pytest.fixture
def command(database_urls: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command as the host's account `drift`."""
    monkeypatch.setattr("getpass.getuser", lambda: "drift")
    return lambda *words: CliRunner().invoke(relight, words, obj=OwnedInstallation(database_urls))


@pytest.fixture
def going_again(owner: psycopg.Connection) -> Iterator[None]:
    """Whatever a test stops of the installation goes on after it."""
    yield
    owner.execute("UPDATE installation SET stopped_at = NULL, stopped_by = ''")


def test_who_types_no_name_stops_a_partner_as_the_hosts_account(
    command: Command, owner: psycopg.Connection, partner: int
) -> None:
    slug = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert slug is not None

    stopped = command("stop", "--partner", slug[0])
    still = owner.execute(f"{SWITCH} partner WHERE id = %s", (partner,)).fetchone()
    resumed = command("resume", "--partner", slug[0])
    again = owner.execute(f"{SWITCH} partner WHERE id = %s", (partner,)).fetchone()

    assert (stopped.exit_code, resumed.exit_code) == (0, 0), stopped.output + resumed.output
    assert (still, again) == ((True, "operator drift"), (False, "operator drift"))


@pytest.mark.usefixtures("going_again")
def test_who_types_no_name_stops_everybody(command: Command, owner: psycopg.Connection) -> None:
    stopped = command("stop", "--all")
    still = owner.execute(f"{SWITCH} installation").fetchone()
    resumed = command("resume", "--all")
    again = owner.execute(f"{SWITCH} installation").fetchone()

    assert (stopped.exit_code, resumed.exit_code) == (0, 0), stopped.output + resumed.output
    assert (still, again) == ((True, "operator drift"), (False, "operator drift"))


@pytest.mark.usefixtures("going_again")
def test_a_name_that_is_given_is_on_record_beside_the_account(command: Command, owner: psycopg.Connection) -> None:
    command("stop", "--all", "--by", "Kari, on call")

    assert owner.execute(f"{SWITCH} installation").fetchone() == (True, "Kari, on call (operator drift)")


@pytest.mark.usefixtures("partner", "other_partner")
def test_where_there_are_several_partners_the_refusal_names_the_way_to_stop_all(command: Command) -> None:
    refused = command("stop")

    assert refused.exit_code != 0
    assert "--all" in refused.output
    assert "--partner" in refused.output


@pytest.mark.usefixtures("going_again")
def test_each_switch_says_where_the_other_one_holds(command: Command, owner: psycopg.Connection, partner: int) -> None:
    slug = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert slug is not None
    command("stop", "--all")
    command("stop", "--partner", slug[0])

    everybody = command("resume", "--all")
    command("stop", "--all")
    alone = command("resume", "--partner", slug[0])
    both = command("resume", "--all")

    assert everybody.output.startswith("It goes on, but for ")
    assert slug[0] in everybody.output
    assert alone.output == "Nothing goes on yet: everybody is stopped. `relight resume --all` lets go of that.\n"
    assert slug[0] not in both.output


def test_who_waits_for_the_batches_under_way_is_told_so(
    command: Command, db: Database, owner: psycopg.Connection, partner: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch, "_WAITS_SILENTLY_SECONDS", 0.05)
    slug = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert slug is not None
    said = list[str]()
    monkeypatch.setattr(switch.click, "echo", lambda words, **_: said.append(words))

    with ThreadPoolExecutor(1) as pool, db.transaction(partner) as batch:
        heed_stops(batch)
        stopped = pool.submit(command, "stop", "--partner", slug[0])
        wait_for(lambda: said, "the command says that it waits")
        assert not stopped.done()
        batch.connection.commit()
        assert stopped.result(timeout=30).exit_code == 0

    assert said[0].startswith("Waiting for the batches under way")
    assert said[1].startswith("Stopped.")
