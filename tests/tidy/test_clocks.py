"""The database's clock is the only one, and it is read at the edge: nothing below looks for the time itself."""

import ast
import re

import pytest

from tests.tidy.tree import PACKAGE, modules, strings, texts

# Where the host's clock may be read, and why.
HOST_CLOCK = {
    "project/installation.py",  # a database that is not there yet has no clock
    "project/boot.py",
    "project/checks.py",  # doctor compares both clocks
    "cli/partners.py",  # a partner is made by the owner, outside any turn
    "cli/whatif.py",  # a what-if of the own portfolio begins today
    "web/demo/acts.py",  # somebody presses a meter's button
    "drivers/dlms.py",  # drivers speak of what they saw outside, unless they are given a clock
    "drivers/inbox.py",
    "drivers/agency_api.py",
    "drivers/agency_file.py",
    "drivers/print_folder.py",
    "drivers/radius.py",
    "drivers/radius_realm.py",
    "drivers/simulator.py",
    "drivers/smpp.py",
    "drivers/smtp.py",
    "drivers/testpay.py",
}
# Where the database's clock is read: once a turn, a page or a round trip.
DATABASE_CLOCK = {
    "flow/database.py",
    "flow/payments/queries.sql",
    "web/console/middleware.py",
    "flow/road/stopped.sql",  # how long a session of this server has stood still
    "audit/run.py",
    "project/checks.py",
    "project/backup/source.py",  # a moment to come back to is compared with commits
    "project/backup/restoring.py",
}
_READS = {"now", "today", "utcnow"}
_OF = {"datetime", "date", "timezone"}
_SQL_CLOCK = re.compile(
    r"\b(now\s*\(\s*\)|current_(timestamp|date|time)\b|local(timestamp|time)\b"
    r"|(clock|statement|transaction)_timestamp\s*\(|timeofday\s*\()",
    re.IGNORECASE,
)


def reads_host_clock(tree: ast.AST) -> bool:
    """Whether a module asks for the time of day (spans, by a monotonic clock, are no moments)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            of = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
            if (of in _OF and node.attr in _READS) or (of == "time" and node.attr in ("time", "time_ns")):
                return True
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            return any(name.name in ("time", "time_ns") for name in node.names)
    return False


def reads_database_clock(sql: str) -> bool:
    """Whether a statement asks for the time."""
    return bool(_SQL_CLOCK.search(re.sub(r"--.*", "", sql)))


def test_the_hosts_clock_is_read_at_the_edges_only() -> None:
    readers = {name for name, tree in modules() if reads_host_clock(tree)}

    assert readers - HOST_CLOCK == set()
    assert {name for name in HOST_CLOCK if name.startswith(("core/", "flow/"))} == set()


def test_no_statement_asks_for_the_time_but_where_a_turn_begins() -> None:
    readers = {str(path.relative_to(PACKAGE)) for path, sql in texts(under=PACKAGE, ending=(".sql",))
               if reads_database_clock(sql)}  # fmt: skip
    readers |= {name for name, tree in modules() if any(reads_database_clock(text) for text in strings(tree))}
    migrations = {str(path.relative_to(PACKAGE)) for path, text in texts(under=PACKAGE, ending=(".py",))
                  if "migrations" in path.parts and reads_database_clock(text)}  # fmt: skip

    assert readers | migrations == DATABASE_CLOCK


@pytest.mark.parametrize(
    "planted",
    [
        "from datetime import datetime, UTC\nat = datetime.now(UTC)",
        "import datetime\nat = datetime.datetime.utcnow()",
        "from datetime import date\nday = date.today()",
        "from django.utils import timezone\nat = timezone.now()",
        "import time\nat = time.time()",
        "from time import time\nat = time()",
        "from datetime import datetime\nclock = datetime.now",
    ],
)
def test_a_planted_look_at_the_hosts_clock_is_seen(planted: str) -> None:
    assert reads_host_clock(ast.parse(planted))


@pytest.mark.parametrize(
    "planted",
    ["SELECT now()", "UPDATE t SET at = CURRENT_TIMESTAMP", "SELECT current_date - 3", "SELECT clock_timestamp()"],
)
def test_a_planted_look_at_the_databases_clock_is_seen(planted: str) -> None:
    assert reads_database_clock(planted)
    assert not reads_database_clock("SELECT %(now)s -- never now()")
