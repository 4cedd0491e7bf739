"""Web and workers of several hosts start at the same moment on one database: each waits for the other."""

from concurrent.futures import ThreadPoolExecutor

import psycopg

from relight.project import roles
from tests.journeys.processes import wait_for


def _prepare(url: str) -> str:
    with psycopg.connect(url) as connection:
        roles.prepare_schema(connection)
    return "prepared"


def test_two_hosts_that_prepare_the_schema_at_once_both_come_through(database_urls: dict[str, str]) -> None:
    with (
        psycopg.connect(database_urls["owner"]) as first,
        psycopg.connect(database_urls["admin"], autocommit=True) as looker,
        ThreadPoolExecutor(1) as other_host,
    ):
        roles.prepare_schema(first)
        second = other_host.submit(_prepare, database_urls["owner"])
        blocked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
        wait_for(lambda: looker.execute(blocked, [first.info.backend_pid]).fetchall()[0][0], "the other host waits")

        first.commit()

        assert second.result(timeout=30) == "prepared"
