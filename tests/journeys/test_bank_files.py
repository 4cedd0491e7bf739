"""A payment in a bank's file turns the light on as a webhook does, and one that goes back is followed up again."""

from datetime import timedelta
from pathlib import Path

import pytest

from relight.flow.road.intake import import_payments
from relight.flow.road.report import Report
from tests.journeys.world import World
from tests.unit.payments.files.written import Giro, Paid, camt, entry, mt940, mt940_entry, ocr, statement

KID, OWED = "2345676", 79900
PAID = {
    "camt": camt(statement([entry(Paid("799.00", KID, "B1", "E1"))])),
    "ocr": ocr([Giro(OWED, KID)]),
    "mt940": mt940([mt940_entry(OWED, told=f"/REMI/STRD/CUR/{KID}/")], moved=OWED).replace(b"EUR", b"NOK"),
}


def sends(world: World, folder: Path, content: bytes, format: str) -> Report:
    path = folder / "bank.file"
    path.write_bytes(content)
    return import_payments(world.db, world.partner, path, format=format, now=world.moment)


@pytest.mark.parametrize("format_", PAID)
def test_a_payment_in_a_banks_file_gives_the_line_back_at_once(world: World, tmp_path: Path, format_: str) -> None:
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=OWED, reference=KID)
    world.until_step(account, "limit")
    world.run()
    limited = world.observed(service)

    sends(world, tmp_path, PAID[format_], format_)
    world.run()

    assert limited == "walled_garden"
    assert world.observed(service) == "full"
    assert world.steps(account)[-1] == "restore"
    assert world.state(account) == "closed"


def test_a_payment_that_the_bank_takes_back_is_followed_up_anew(world: World, tmp_path: Path) -> None:
    account = world.customer()
    world.service(account)
    world.invoice(account, amount=OWED, reference=KID)
    world.until_step(account, "reminder")
    sends(world, tmp_path, PAID["camt"], "camt")
    world.run()
    closed = world.state(account)

    back = entry(Paid("799.00", "", "B2", "E1"), mark="DBIT", inside=None, reversal=True, day="2026-03-20")
    sends(world, tmp_path, camt(statement([back])), "camt")
    world.run()

    assert closed == "closed"
    assert world.value("SELECT principal FROM claim WHERE account_id = %(a)s", a=account.id) == OWED
    states = world.rows("SELECT state FROM dunning_case WHERE account_id = %(a)s ORDER BY id", a=account.id)
    assert len([state for state in states if state != ("closed",)]) == 1


def test_while_a_bank_file_is_missing_nobody_is_limited(world: World, tmp_path: Path) -> None:
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=OWED, reference=KID)
    world.until_step(account, "reminder")
    world.bank_is_told = False

    def statement_of(number: int) -> bytes:
        until = start + timedelta(days=number)
        return camt(statement([], number=number, until=until.isoformat()))

    start = world.moment - timedelta(days=1)
    sends(world, tmp_path, statement_of(1), "camt")
    for number in range(3, 40):  # the second never came
        world.until(start + timedelta(days=number))
        report = sends(world, tmp_path, statement_of(number), "camt")
    held = world.observed(service), world.steps(account)

    sends(world, tmp_path, statement_of(2), "camt")
    for number in range(40, 50):
        world.until(start + timedelta(days=number))
        sends(world, tmp_path, statement_of(number), "camt")
        world.run()

    assert "2 is missing" in report.missing[0]
    assert held == ("full", ["friendly", "reminder"])
    assert world.observed(service) == "walled_garden"
