"""Bills get their reference when they come in, by the partner's own way, and are found by it when they are paid."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from relight.core.references.errors import WrongSetting
from relight.core.references.schemes import SCHEMES
from relight.flow.claims.referencing import keep_setting
from relight.flow.database import Database
from relight.flow.road.intake import import_invoices
from relight.flow.road.report import Report
from tests.flow.banking import Bank
from tests.flow.importing import counts, where, write_csv
from tests.unit.payments.files.written import Paid, entry

HEADER = ("number", "account", "amount", "due_date", "reference", "status")
KID = {"scheme": "kid", "layouts": [[{"customer": 5}, {"invoice": 4}]]}
WAYS = {
    "kid": KID,
    "kid-mod11": {"scheme": "kid-mod11", "layouts": [[{"fixed": "9"}, {"customer": 5}, {"invoice": 5}]]},
    "fik-71": {"scheme": "fik-71", "layouts": [[{"customer": 8}, {"invoice": 6}]]},
    "betalingskenmerk": {"scheme": "betalingskenmerk", "layouts": [[{"customer": 8}, {"invoice": 7}]]},
    "rf": {"scheme": "rf", "layouts": [[{"customer": 6}, {"invoice": 6}]]},
}


class Office(Bank):
    """A partner that sends its bills, with its own way to make references."""

    def makes(self, setting: dict[str, Any]) -> None:
        with self.db.transaction(self.partner) as tx:
            keep_setting(tx, setting)

    def bills(self, *rows: tuple[object, ...]) -> Report:
        path = write_csv(self.folder / "bills.csv", HEADER, rows)
        return import_invoices(self.db, self.partner, path, now=self.now)

    def reference(self, number: str) -> str | None:
        return self.value("SELECT reference FROM claim WHERE number = %(number)s", number=number)


@pytest.fixture
def office(db: Database, partner: int, now: datetime, tmp_path: Path) -> Office:
    return Office(db, partner, now, tmp_path)


@pytest.mark.parametrize("name", WAYS)
def test_a_bill_without_a_reference_gets_one_and_is_paid_by_it(office: Office, name: str) -> None:
    office.makes(WAYS[name])
    report = office.bills(("2026", "4711", "899.00", "2026-02-20", "", "open"))
    made = office.reference("2026") or ""

    office.tells(entry(Paid("899.00", made, "B1")))

    assert counts(report) == (1, 1, 0, 0, 0)
    assert SCHEMES[name].check(made) == made
    assert office.value("SELECT principal FROM claim WHERE number = '2026'") == 0


def test_a_reference_with_a_wrong_check_digit_is_rejected_by_its_line_and_the_rest_goes_in(office: Office) -> None:
    office.makes(KID)
    right = SCHEMES["kid"].make("047110007")
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)

    report = office.bills(
        ("7", "4711", "100.00", "2026-02-20", wrong, "open"), ("8", "4711", "100.00", "2026-02-20", right, "open")
    )

    assert counts(report) == (2, 1, 0, 0, 1)
    assert where(report) == [(2, "reference")]
    assert "check digit" in report.errors[0].reason
    assert office.reference("8") == right


def test_a_bill_whose_numbers_do_not_fit_goes_in_without_and_the_answer_says_so(office: Office) -> None:
    office.makes(KID)

    report = office.bills(("F-7", "4711", "100.00", "2026-02-20", "", "open"))

    assert counts(report) == (1, 1, 0, 0, 0)
    assert office.reference("F-7") == ""
    assert "No reference was made" in report.errors[0].reason


def test_the_same_file_again_changes_nothing(office: Office) -> None:
    office.makes(KID)
    bill = ("7", "4711", "100.00", "2026-02-20", "", "open")
    office.bills(bill)

    again = office.bills(bill)

    assert counts(again) == (1, 0, 1, 0, 0)


def test_credit_notes_and_cancelled_bills_need_no_reference(office: Office) -> None:
    office.makes(KID)

    office.bills(
        ("8", "4711", "-50.00", "2026-02-20", "", "open"), ("9", "4711", "50.00", "2026-02-20", "", "cancelled")
    )

    assert (office.reference("8"), office.reference("9")) == ("", "")


def test_without_a_setting_references_are_taken_as_they_come(office: Office) -> None:
    report = office.bills(("7", "4711", "100.00", "2026-02-20", "12345", "open"))

    assert counts(report) == (1, 1, 0, 0, 0)
    assert office.reference("7") == "12345"


@pytest.mark.parametrize("setting", [{"scheme": "giro"}, {"scheme": "kid"}, []])
def test_a_setting_that_makes_no_references_is_refused(office: Office, setting: Any) -> None:
    with pytest.raises(WrongSetting):
        office.makes(setting)
