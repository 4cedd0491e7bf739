"""The scripted demo: one seed tells one story, nobody protected is cut, and other partners see nothing of it."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Composed, Identifier

from relight.project import embedded, roles
from tests.demo.conftest import new_home, relight, told

WISH = ("--accounts", "40", "--days", "60", "--seed", "7")
FIELDS = {
    "accounts",
    "claims",
    "cases_opened",
    "cases_cured",
    "messages_sent",
    "limited",
    "disconnected",
    "restored",
    "payments",
    "ledger_balanced",
    "restore_seconds",
    "given_up",
}
DUE_IN_THE_DEMOS_DAYS = "2026-03-05T09:00:00+01:00"
INVOICES = """number,account,amount,currency,due_date,service_kind
F-1,4711,899.00,NOK,2026-02-01,broadband
"""


class Seen:
    """An installation in which a real partner had a case before the demo came twice."""

    def __init__(self, home: Path):
        self.home = home
        self.set_up = self._real_partner()
        self.before = self._real_rows()
        self.first = told(home, *WISH)
        self.after = self._real_rows()
        self.second = told(home, *WISH)

    def rows(self, statement: str | Composed, *params: object) -> list[tuple[Any, ...]]:
        """Rows of any partner."""
        with embedded.server(self.home) as server, psycopg.connect(server.url(roles.OWNER)) as owner:
            owner.execute("SET search_path = relight")
            return owner.execute(statement, params).fetchall()

    def _real_partner(self) -> list[str]:
        file = self.home / "invoices.csv"
        file.write_text(INVOICES)
        done = [
            relight(self.home, "policy", "publish", "broadband-no", "--partner", "default", "--by", "test", "--yes"),
            relight(self.home, "import", "invoices", str(file), "--partner", "default"),
        ]
        assert [one.returncode for one in done] == [0, 0], [one.stderr[-500:] + one.stdout[-500:] for one in done]
        self.rows("UPDATE dunning_case SET wakes_at = %s RETURNING id", DUE_IN_THE_DEMOS_DAYS)
        return [one.stdout for one in done]

    def _real_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        asked = SQL("SELECT * FROM {} WHERE partner_id = (SELECT id FROM partner WHERE slug = 'default') ORDER BY id")
        tables = ("claim", "dunning_case", "effect", "payment")
        return {table: self.rows(asked.format(Identifier(table))) for table in tables}


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    home = new_home()
    yield Seen(home)
    shutil.rmtree(home, ignore_errors=True)


def counts(result: dict[str, Any]) -> dict[str, Any]:
    """All but the times, which are this machine's."""
    return {name: value for name, value in result.items() if name != "restore_seconds"}


def test_the_same_seed_has_the_same_counts_when_told_again_and_in_a_fresh_home(seen: Seen, home: Path) -> None:
    elsewhere = told(home, *WISH)

    assert counts(seen.second) == counts(seen.first)
    assert counts(elsewhere) == counts(seen.first)


def test_another_seed_tells_of_other_people(seen: Seen, home: Path) -> None:
    assert counts(told(home, "--accounts", "40", "--days", "60", "--seed", "8")) != counts(seen.first)


def test_the_last_line_has_every_count_and_a_story_from_bill_to_light(seen: Seen) -> None:
    result = seen.first

    assert set(result) >= FIELDS
    assert result["accounts"] == 40
    assert result["ledger_balanced"] is True
    assert result["given_up"] == 0
    assert min(result["limited"], result["disconnected"], result["restored"]) > 0
    assert 0 < result["restore_seconds"]["p50"] <= result["restore_seconds"]["p95"] <= result["restore_seconds"]["p99"]


def test_services_are_counted_once_whatever_happened_to_them_twice(seen: Seen) -> None:
    services = seen.rows(
        "SELECT level, count(DISTINCT service_id) FROM effect WHERE kind = 'supply' AND state = 'done'"
        " GROUP BY level ORDER BY level"
    )

    result = seen.second
    assert dict(services) == {
        "walled_garden": result["limited"],
        "off": result["disconnected"],
        "full": result["restored"],
    }


def test_another_partner_whose_case_is_due_in_those_days_is_left_alone(seen: Seen) -> None:
    assert seen.before["dunning_case"]
    assert seen.after == seen.before


def test_nobody_protected_is_cut_and_nobody_without_a_persons_word(seen: Seen) -> None:
    protected = seen.rows(
        "SELECT a.ref FROM effect e JOIN account a ON a.id = e.account_id JOIN flag f ON f.account_id = a.id"
        " WHERE e.kind = 'supply' AND e.level = 'off' AND e.state = 'done'"
        " AND (f.value = 'yes' OR (f.value = 'unknown'"
        " AND EXISTS (SELECT FROM service s WHERE s.id = e.service_id AND s.kind = 'electricity_grid')))"
    )
    unapproved = seen.rows(
        "SELECT e.case_id FROM effect e WHERE e.kind = 'supply' AND e.level = 'off' AND e.state = 'done' AND NOT EXISTS"
        " (SELECT FROM approval p WHERE p.case_id = e.case_id AND p.state IN ('granted', 'spent')"
        " AND p.decided_at <= e.created_at)"
    )
    there = seen.rows("SELECT count(DISTINCT account_id) FROM flag WHERE value = 'yes'")

    assert there[0][0] > 0
    assert protected == []
    assert unapproved == []


def test_every_open_case_looks_again_within_a_week_of_the_last_evening(seen: Seen) -> None:
    stuck = seen.rows(
        "SELECT c.id FROM dunning_case c JOIN partner p ON p.id = c.partner_id WHERE p.slug = 'demo'"
        " AND c.state <> 'closed' AND (c.wakes_at IS NULL"
        " OR NOT c.wakes_at BETWEEN '2026-05-01T00:00:00+02:00' AND '2026-05-08T00:00:00+02:00')"
    )

    assert stuck == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--accounts", "0"), "0 is not in the range"),
        (("--days", "366"), "366 is not in the range"),
        (("--seed", "seven"), "'seven' is not a valid integer"),
    ],
)
def test_options_that_cannot_be_met_are_refused_with_a_sentence(
    home: Path, words: tuple[str, ...], complaint: str
) -> None:
    done = relight(home, "demo", *words)

    assert done.returncode != 0
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_somebody_listens_on_is_refused_with_a_sentence(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        done = relight(home, "demo", "--port", str(port))

    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert "Traceback" not in done.stderr
