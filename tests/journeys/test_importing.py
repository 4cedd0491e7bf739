"""An import holds its transaction open: nobody else's light waits for it, and no payment is lost."""

import threading
from pathlib import Path

import psycopg
import pytest

from relight.flow.road.intake import import_invoices
from tests.journeys.processes import holding, wait_for
from tests.journeys.street import OWED, Street

pytestmark = pytest.mark.counterpart


def test_an_import_holds_its_transaction_open_while_payments_arrive(
    street: Street, database_urls: dict[str, str], tmp_path: Path
) -> None:
    imported, other, neighbour = (street.move_in(broadband=True) for _ in range(3))
    for home in (imported, other):
        street.owes(home)
    street.owes(neighbour, due=street.moment.date())
    street.until_step(imported.account, "limit")
    street.run()
    rows = [f"N-{home.account.ref},{home.account.ref},499.00,2026-12-31,broadband" for home in (imported, neighbour)]
    file = tmp_path / "invoices.csv"
    file.write_text("\n".join(["number,account,amount,due_date,service_kind", *rows]) + "\n")
    bystander = "SELECT 1 FROM dunning_case WHERE account_id = %(account)s FOR UPDATE"
    importing = threading.Thread(
        target=import_invoices, args=(street.db, street.partner, file), kwargs={"now": street.moment}
    )
    paying = threading.Thread(target=street.pays, args=(imported.account, OWED))

    with holding(database_urls["owner"], bystander, account=neighbour.account.id) as import_waits:
        importing.start()
        wait_for(import_waits, "the import has written, and does not commit")
        street.pays(other.account, OWED)
        street.run()
        meanwhile = street.has_internet(other), importing.is_alive()
        paying.start()
        wait_for(lambda: _waiting(database_urls["owner"]) == 2, "the payment waits for the import")
        street.run()
        still_limited = not street.has_internet(imported)
    importing.join()
    paying.join()
    street.run()

    assert meanwhile == (True, True)
    assert still_limited
    assert street.has_internet(imported)
    assert street.rows("SELECT account_id, state, amount FROM payment ORDER BY id") == [
        (other.account.id, "confirmed", OWED),
        (imported.account.id, "confirmed", OWED),
    ]
    assert street.debt(imported) == 49900
    assert street.sms(imported)[-1].startswith("Bredbåndet er tilbake.")


def _waiting(database_url: str) -> int:
    with psycopg.connect(database_url) as looker:
        found = looker.execute("SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0")
        row = found.fetchone()
        assert row is not None
        return int(row[0])
