"""Files that order collections and call them back, read by others' readers."""

from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import resources
from xml.etree import ElementTree as Xml

import netsgiro
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as some
from netsgiro.objects import Agreement, parse
from stdnum import iban

from relight.flow.payments.files.agreements import read_agreements
from relight.flow.payments.files.avtalegiro import avtalegiro
from relight.flow.payments.files.betalingsservice import withdrawn
from relight.flow.payments.files.bs_delivery import delivery
from relight.flow.payments.files.ordered import Ordered
from relight.flow.payments.files.pain008 import blocks_of, camt055, pain008, plain

ONE = Ordered(
    "RLC1C7N0", 89900, "NOK", date(2026, 3, 16), "", "", "2345676", None, "Kari Nordmann", "", "2345676", "F-1001",
    True, "Nordlys Kraft AS", "15032080119", "55555555", "",
)  # fmt: skip
OTHER = ONE._replace(ref="RLC1C8N0", amount=100, reference="0080000116883", bank_notifies=False)
OTHER = OTHER._replace(collect_date=date(2026, 3, 20))
EURO = Ordered(
    "RLC1C7N0", 6150, "EUR", date(2026, 3, 23), "FRST", "CORE", "NL-4711/1", date(2026, 1, 5), "Søren Müller-Žižek",
    "DE89370400440532013000", "RF18539007547034", "F-1001", True, "Duinwater & Søn", "NL91ABNA0417164300",
    "DE98ZZZ09999999999", "",
)  # fmt: skip
DANISH = ONE._replace(
    currency="DKK", mandate="000123", group_number="00001", creditor_account="DK5000400440116243",
    creditor_org="12345678",
)  # fmt: skip
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAMES = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.008.001.02", "c": "urn:iso:std:iso:20022:tech:xsd:camt.055.001.01"}


def said(element: Xml.Element, path: str, of: str = "p") -> str:
    found = element.find("/".join(f"{of}:{name}" for name in path.split("/")), NAMES)
    assert found is not None, path
    return found.text or ""


def test_a_payment_request_is_read_back_by_an_independent_reader() -> None:
    read = parse(avtalegiro([ONE, OTHER], number=17).decode("iso-8859-1"))

    (assignment,) = read.assignments
    first, second = assignment.transactions
    assert (read.data_transmitter, read.data_recipient) == ("55555555", "00008080")
    assert (assignment.type, assignment.account) == (netsgiro.AssignmentType.TRANSACTIONS, "15032080119")
    assert (first.kid, first.amount, first.date) == ("2345676", Decimal("899.00"), date(2026, 3, 16))
    assert first.type == netsgiro.TransactionType.AVTALEGIRO_WITH_BANK_NOTIFICATION
    assert (first.payer_name, first.reference) == ("Kari Nordm", "F-1001")
    assert first.text.strip() == "Nordlys Kraft AS F-1001"
    assert second.type == netsgiro.TransactionType.AVTALEGIRO_WITH_PAYEE_NOTIFICATION
    assert (assignment.get_num_transactions(), assignment.get_total_amount()) == (2, Decimal("900.00"))


def test_its_sums_and_counts_are_those_of_its_lines() -> None:
    lines = avtalegiro([ONE, OTHER], number=17).decode("iso-8859-1").splitlines()

    assert {len(line) for line in lines} == {80}
    assert lines[-2][8:41] == f"{2:08}{len(lines) - 2:08}{90000:017}"
    assert lines[-2][41:53] == "160326200326"
    assert lines[-1][8:47] == f"{2:08}{len(lines):08}{90000:017}160326"


def test_a_deletion_names_the_same_requests() -> None:
    read = parse(avtalegiro([ONE], number=18, deletion=True).decode("iso-8859-1"))

    (assignment,) = read.assignments
    assert assignment.type == netsgiro.AssignmentType.AVTALEGIRO_CANCELLATIONS
    (deleted,) = assignment.transactions
    assert deleted.type == netsgiro.TransactionType.AVTALEGIRO_CANCELLATION
    assert (deleted.kid, deleted.amount, deleted.date) == ("2345676", Decimal("899.00"), date(2026, 3, 16))


def test_each_account_of_a_creditor_gets_an_assignment() -> None:
    iban_of = ONE._replace(ref="RLC1C9N0", creditor_account="NO9386011117947")

    read = parse(avtalegiro([ONE, iban_of], number=1).decode("iso-8859-1"))

    assert sorted(one.account for one in read.assignments) == ["15032080119", "86011117947"]


def test_agreements_are_read_as_the_independent_reader_reads_them(tmp_path) -> None:
    lines = [f"NY000010{8080:08}{1091949:07}{102000:08}{'0' * 49}", f"NY212420{'0' * 9}{2:07}99991042764{'0' * 45}"]
    lines += [f"NY219470{at:07}{kind}{kid:>25}{notify}{'0' * 38}" for at, kind, kid, notify in (
        (1, 1, "000112000507155", "J"), (2, 2, "001006300507304", "N"))]  # fmt: skip
    lines += [f"NY212488{2:08}{4:08}{'0' * 56}", f"NY000089{2:08}{6:08}{0:017}190417{'0' * 33}"]
    text = "\n".join(lines)
    path = tmp_path / "agreements.txt"
    path.write_text(text)

    (found,) = read_agreements(path)

    theirs = [one for one in parse(text).assignments[0].transactions if isinstance(one, Agreement)]
    assert [(one.kid, one.bank_notifies) for one in found.agreements] == [(one.kid, one.notify) for one in theirs]
    assert [one.is_gone for one in found.agreements] == [False, True]
    assert (found.account, found.is_all, found.problems) == ("99991042764", False, [])


def test_a_list_that_lost_a_line_is_no_full_list(tmp_path) -> None:
    lines = [f"NY212420{'0' * 9}{2:07}99991042764{'0' * 45}", f"NY219470{1:07}0{'000112000507155':>25}J{'0' * 38}"]
    path = tmp_path / "agreements.txt"
    path.write_text("\n".join([*lines, f"NY212488{2:08}{4:08}{'0' * 56}"]))

    (found,) = read_agreements(path)

    assert not found.is_all
    assert [problem.reason for problem in found.problems] == [
        "The assignment says 2 agreements and holds 1. Fetch the file again."
    ]


def test_a_sepa_file_says_what_a_bank_asks_for() -> None:
    more = EURO._replace(ref="RLC1C8N0", amount=100, sequence="RCUR")
    late = more._replace(ref="RLC1C9N0", collect_date=date(2026, 3, 24))

    root = Xml.fromstring(pain008(blocks_of([EURO, more, late], "RL1C7"), message_id="RL1C7", sender="Kari", at=AT))

    (body,) = root
    blocks = body.findall("p:PmtInf", NAMES)
    assert said(body, "GrpHdr/NbOfTxs") == "3"
    assert said(body, "GrpHdr/CtrlSum") == "63.50"
    assert [(said(one, "PmtTpInf/SeqTp"), said(one, "ReqdColltnDt"), said(one, "CtrlSum")) for one in blocks] == [
        ("FRST", "2026-03-23", "61.50"), ("RCUR", "2026-03-23", "1.00"), ("RCUR", "2026-03-24", "1.00"),
    ]  # fmt: skip
    assert len({said(one, "PmtInfId") for one in blocks}) == 3
    first = blocks[0]
    assert [said(first, path) for path in ("PmtMtd", "PmtTpInf/SvcLvl/Cd", "PmtTpInf/LclInstrm/Cd", "ChrgBr")] == [
        "DD", "SEPA", "CORE", "SLEV",
    ]  # fmt: skip
    assert said(first, "CdtrSchmeId/Id/PrvtId/Othr/Id") == "DE98ZZZ09999999999"
    assert said(first, "CdtrSchmeId/Id/PrvtId/Othr/SchmeNm/Prtry") == "SEPA"
    row = "DrctDbtTxInf"
    assert said(first, f"{row}/PmtId/EndToEndId") == "RLC1C7N0"
    assert said(first, f"{row}/DrctDbtTx/MndtRltdInf/MndtId") == "NL-4711/1"
    assert said(first, f"{row}/DrctDbtTx/MndtRltdInf/DtOfSgntr") == "2026-01-05"
    assert said(first, f"{row}/Dbtr/Nm") == "Soren Muller-Zizek"
    assert iban.is_valid(said(first, f"{row}/DbtrAcct/Id/IBAN"))


def test_the_elements_of_a_sepa_file_stand_in_the_order_of_the_standard() -> None:
    root = Xml.fromstring(pain008(blocks_of([EURO], "RL1C7"), message_id="RL1C7", sender="Kari", at=AT))

    block = root.find("p:CstmrDrctDbtInitn/p:PmtInf", NAMES)
    assert block is not None
    assert [child.tag.split("}")[1] for child in block] == [
        "PmtInfId", "PmtMtd", "NbOfTxs", "CtrlSum", "PmtTpInf", "ReqdColltnDt", "Cdtr", "CdtrAcct", "CdtrAgt", "ChrgBr",
        "CdtrSchmeId", "DrctDbtTxInf",
    ]  # fmt: skip
    assert [child.tag.split("}")[1] for child in block[-1]] == [
        "PmtId", "InstdAmt", "DrctDbtTx", "DbtrAgt", "Dbtr", "DbtrAcct", "RmtInf",
    ]  # fmt: skip


@given(some.lists(some.integers(1, 10**9), min_size=1, max_size=20))
def test_a_sepa_file_adds_up_whatever_it_holds(amounts: list[int]) -> None:
    rows = [EURO._replace(ref=f"RLC1C{at}N0", amount=amount) for at, amount in enumerate(amounts)]

    root = Xml.fromstring(pain008(blocks_of(rows, "M"), message_id="M", sender="K", at=AT))

    told = [Decimal(one.text or "0") for one in root.iter(f"{{{NAMES['p']}}}InstdAmt")]
    sums = {Decimal(one.text or "0") for one in root.iter(f"{{{NAMES['p']}}}CtrlSum")}
    assert sums == {sum(told)} == {Decimal(sum(amounts)) / 100}


def test_a_sepa_file_is_valid_by_the_schema_that_others_check_theirs_by() -> None:
    schema = xmlschema.XMLSchema(resources.files("sepaxml").joinpath("schemas/pain.008.001.02.xsd").read_text())
    rows = [EURO, EURO._replace(ref="RLC1C8N0", sequence="RCUR", payer_name="Ж", bill="Ж" * 200, instrument="B2B")]

    written = pain008(blocks_of(rows, "RL1C7-260302090000"), message_id="RL1C7-260302090000", sender="K & Ø", at=AT)

    assert [error.reason for error in schema.iter_errors(written.decode())] == []
    assert list(schema.iter_errors(written.decode().replace("<Ccy", "<X").replace(">FRST<", ">FIRST<")))


def test_what_is_called_back_names_its_file_its_block_and_itself() -> None:
    (sent,) = blocks_of([EURO], "RL1C7")

    root = Xml.fromstring(camt055([sent], message_id="RL1X8", sender="Kari", at=AT))

    (body,) = root
    block = "Undrlyg/OrgnlPmtInfAndCxl"
    assert said(body, f"{block}/OrgnlGrpInf/OrgnlMsgId", "c") == "RL1C7"
    assert said(body, f"{block}/OrgnlPmtInfId", "c") == "RL1C7-1"
    assert said(body, f"{block}/TxInf/OrgnlEndToEndId", "c") == "RLC1C7N0"
    assert said(body, "CtrlData/CtrlSum", "c") == "61.50"


def test_names_are_written_in_letters_that_every_bank_takes() -> None:
    assert plain("Ærø Łódź Straße & Søn") == "AEro Lodz Strasse   Son"


def test_what_is_withdrawn_from_betalingsservice_is_a_table_for_whoever_deletes_it() -> None:
    written = withdrawn([DANISH])

    head, row = written.decode("utf-8-sig").splitlines()
    found = dict(zip(head.split(";"), row.split(";"), strict=True))
    assert (found["customer_number"], found["debtor_group"], found["amount"]) == ("000123", "00001", "899.00")
    assert (found["payment_date"], found["action"]) == ("2026-03-16", "delete")


def test_a_delivery_to_betalingsservice_has_each_field_in_its_place() -> None:
    lines = delivery([DANISH, DANISH._replace(ref="RLC1C9N0", amount=100)], number=7, at=AT).decode("iso-8859-1")

    start, section, name, payment, advice, *_, section_end, end = lines.splitlines()
    assert {len(line) for line in lines.splitlines()} == {128}
    assert (start[5:13], start[16:20], start[20:30], start[49:55]) == ("12345678", "0601", "0000000007", "020326")
    assert (section[13:17], section[22:27], section[54:68]) == ("0112", "00001", "00400440116243")
    assert (name[13:17], name[51:64]) == ("0240", "Kari Nordmann")
    assert (payment[5:13], payment[13:17], payment[27:42]) == ("55555555", "0280", "000000000000123")
    assert (payment[51:59], payment[59], payment[60:73]) == ("16032026", "1", "0000000089900")
    assert payment[73:103].strip() == "RLC1C7N0"
    assert advice[52:90].strip() == "F-1001"
    assert (section_end[31:42], section_end[42:57]) == (f"{2:011}", f"{90000:015}")
    assert (end[20:31], end[31:42], end[42:57]) == (f"{1:011}", f"{2:011}", f"{90000:015}")


@pytest.mark.parametrize(
    ("change", "lacks"),
    [({"creditor_org": ""}, "CVR"), ({"group_number": "x"}, "debtor group"), ({"creditor_account": "DK50"}, "account")],
)
def test_betalingsservice_gets_no_delivery_that_it_could_not_place(change: dict[str, str], lacks: str) -> None:
    with pytest.raises(ValueError, match=lacks):
        delivery([DANISH._replace(**change)], number=1, at=AT)


@pytest.mark.parametrize(
    "write", [lambda: avtalegiro([], number=1), lambda: withdrawn([]), lambda: delivery([], number=1, at=AT)]
)
def test_an_empty_file_is_not_written(write) -> None:
    with pytest.raises(ValueError, match="without collections"):
        write()
