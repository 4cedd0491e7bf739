"""AvtaleGiro as samples have it: agreements are read as others read them, and requests are written alike."""

import re
from pathlib import Path

import pytest
from netsgiro.objects import Agreement, PaymentRequest, parse

from relight.flow.payments.files.agreements import read_agreements
from relight.flow.payments.files.avtalegiro import avtalegiro
from relight.flow.payments.files.ordered import Ordered

BANK = Path(__file__).parents[3] / "shared" / "data" / "bank"
SAMPLE = BANK / "avtalegiro_payment_request.txt"


@pytest.fixture
def requested() -> list[Ordered]:
    """The sample's requests, as the independent reader reads them."""
    (assignment,) = parse(SAMPLE.read_text("iso-8859-1")).assignments
    rows = [one for one in assignment.transactions if isinstance(one, PaymentRequest)]
    return [
        Ordered(f"RLC1C{at}N0", int(one.amount * 100), "NOK", one.date, "", "", "", None, one.payer_name, "", one.kid,
                one.reference or "", one.type == 21, "Kraft", assignment.account, "55555555", "")
        for at, one in enumerate(rows)
    ]  # fmt: skip


def test_the_sample_of_agreements_is_read_as_others_read_it() -> None:
    path = BANK / "avtalegiro_agreements.txt"

    (found,) = read_agreements(path)

    theirs = list(parse(path.read_text("iso-8859-1")).assignments[0].transactions)
    assert all(isinstance(one, Agreement) for one in theirs)
    assert found.problems == []
    assert not found.is_all  # they are changes
    assert [(one.kid, one.bank_notifies) for one in found.agreements] == [(one.kid, one.notify) for one in theirs]


def test_requests_are_written_as_the_sample_has_them_but_for_texts_and_numbers(requested: list[Ordered]) -> None:
    theirs = SAMPLE.read_text("iso-8859-1").splitlines()
    ours = avtalegiro(requested, number=81).decode("iso-8859-1").splitlines()

    def shape(lines: list[str]) -> list[str]:
        """First lines of requests and the lines around them, without their running numbers."""
        kept = [line for line in lines if re.match(r"NY(21(02|21)30|21(00|02)20|00..10)", line)]
        return sorted(line[:8] + line[15:] if line[6:8] == "30" else line[:8] for line in kept)

    assert shape(ours) == shape(theirs)
    assert ours[-1][8:16] == theirs[-1][8:16]
    assert ours[-1][24:47] == theirs[-1][24:47]
