"""camt.052, 053 and 054: what came in, what went back, what is neither, and what cannot be believed."""

import re
from datetime import date

import pytest

from relight.flow.claims.errors import UnableToImport
from tests.unit.payments.files.reading import read
from tests.unit.payments.files.written import ACCOUNT, Paid, camt, details, entry, many, statement


@pytest.mark.parametrize("kind", ["camt.052", "camt.053", "camt.054"])
def test_a_booked_credit_is_a_payment_with_its_reference_and_its_payer(kind: str) -> None:
    found = read(camt(statement([entry(Paid(bank_ref="B1", end_to_end="E1"))], kind=kind), kind=kind), "camt")

    (row,) = found.rows
    assert row.row is not None
    assert row.booking is not None
    assert row.row[1:] == (89900, "NOK", "booked", date(2026, 3, 2), "", "2345676", "Kari Nordmann")
    assert row.booking == (ACCOUNT, "B1", "E1", "NO3612345678901", False, "")
    assert row.row.ref.startswith("20260302-B1-")


@pytest.mark.parametrize(
    "text",
    [
        entry(Paid(), mark="DBIT"),
        entry(Paid(), state="PDNG"),
        entry(Paid(), state="INFO"),
        entry(Paid(), state="<Cd>PDNG</Cd>"),
        entry(Paid(amount="0.00")),
        entry(Paid(), before="<Btch><NbOfTxs>20</NbOfTxs></Btch>"),
        entry(Paid(), before="<Btch><NbOfTxs>20</NbOfTxs></Btch>", inside=""),
    ],
)
def test_what_is_no_payment_is_shown_as_such(text: str) -> None:
    found = read(camt(statement([text, entry(Paid())])), "camt")

    assert found.counts == (1, 1, 0)


def test_a_batch_is_read_payment_by_payment_where_its_details_have_sums_that_come_to_its_own() -> None:
    inside = "".join(details(paid, own_amount=True) for paid in many(3))
    found = read(camt(statement([entry(Paid("304.50", bank_ref="BATCH"), inside=inside)])), "camt")

    assert [(row.amount, row.reference) for row in found.payments] == [
        (10050, "0000000"), (10150, "0000001"), (10250, "0000002"),
    ]  # fmt: skip


def test_a_batch_whose_details_have_no_sums_cannot_be_split() -> None:
    inside = "".join(details(paid) for paid in many(3))
    found = read(camt(statement([entry(Paid("304.50"), inside=inside)])), "camt")

    assert found.counts == (0, 3, 0)


@pytest.mark.parametrize("amount", ["304.40", "404.50", "305.00"])
def test_details_that_do_not_come_to_the_entrys_sum_are_not_believed(amount: str) -> None:
    inside = "".join(details(paid, own_amount=True) for paid in many(3))
    found = read(camt(statement([entry(Paid(amount), inside=inside), entry(Paid())])), "camt")

    assert found.counts == (1, 0, 3)
    assert "do not come to its sum" in found.reasons


def test_charges_explain_why_details_come_to_more_than_the_entry() -> None:
    charges = '<Chrgs><TtlChrgsAndTaxAmt Ccy="NOK">0.50</TtlChrgsAndTaxAmt></Chrgs>'
    inside = "".join(details(paid, own_amount=True) for paid in many(3))
    batch = entry(Paid("304.00"), inside=inside).replace("<NtryDtls>", f"{charges}<NtryDtls>")

    assert [row.amount for row in read(camt(statement([batch])), "camt").payments] == [10050, 10150, 10250]


def test_one_unreadable_payment_of_a_batch_costs_itself_alone() -> None:
    texts = [details(paid, own_amount=True) for paid in many(3)]
    texts[1] = texts[1].replace("101.50", "1O1.50")
    found = read(camt(statement([entry(Paid("304.50"), inside="".join(texts))])), "camt")

    assert [row.amount for row in found.payments] == [10050, 10250]
    assert found.problems == [(4, "Amt")]


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("899.00", "89,9", "Amt"),
        ("899.00", "899.001", "Amt"),
        ("899.00", "-899.00", "Amt"),
        ("899.00", "99999999999999999", "Amt"),
        ('Ccy="NOK"', 'Ccy="NOX"', "Amt"),
        ("CRDT", "CRXT", "CdtDbtInd"),
        ("BOOK", "BO0K", "Sts"),
        ("<Sts>BOOK</Sts>", "", "Sts"),
        ("<Sts>BOOK</Sts>", "<Sts>BOOK</Sts><RvslInd>maybe</RvslInd>", "RvslInd"),
        ("<BookgDt><Dt>2026-03-02", "<BookgDt><Dt>2026-02-30", "BookgDt"),
        ("<BookgDt><Dt>2026-03-02", "<BookgDt><Dt>1926-03-02", "BookgDt"),
        ("<Sts>BOOK</Sts>", '<Sts>BOOK</Sts><Amt Ccy="NOK">1.00</Amt>', "Amt"),
    ],
)
def test_a_field_that_cannot_be_read_is_named_with_its_line_and_the_rest_goes_in(
    before: str, after: str, field: str
) -> None:
    bad = entry(Paid()).replace(before, after)
    found = read(camt(statement([entry(Paid("1.00")), bad, entry(Paid("2.00"))])), "camt")

    assert found.problems == [(5, field)]
    assert [row.amount for row in found.payments] == [100, 200]
    assert found.series.runs[0].rejected == 1


def test_zeros_beyond_the_currencys_digits_are_read() -> None:
    assert read(camt(statement([entry(Paid("899.00000"))])), "camt").payments[0].amount == 89900


@pytest.mark.parametrize(
    ("told", "reference"),
    [
        ("<Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd>", "RF18539007547034"),
        ("<Strd><CdtrRefInf><Ref>+71&lt;000000000000001+12345678&lt;</Ref></CdtrRefInf></Strd>",
         "+71<000000000000001+12345678<"),
        ("<Ustrd>234 56 76</Ustrd>", "2345676"),
        ("<Ustrd>Takk for</Ustrd><Ustrd>lyset</Ustrd>", "Takk for lyset"),
        ("<Ustrd>hei</Ustrd><Strd><CdtrRefInf><Ref>2345676</Ref></CdtrRefInf></Strd>", "2345676"),
        ("<Strd><RfrdDocInf><Nb>F-17</Nb></RfrdDocInf></Strd>", "F-17"),
    ],
)  # fmt: skip
def test_references_stand_as_the_payer_gave_them_and_the_structured_one_wins(told: str, reference: str) -> None:
    inside = f"<TxDtls><RmtInf>{told}</RmtInf></TxDtls>"

    assert read(camt(statement([entry(Paid(), inside=inside)])), "camt").payments[0].reference == reference


def test_an_entry_without_details_is_one_payment() -> None:
    (row,) = read(camt(statement([entry(Paid(), inside="")])), "camt").payments

    assert (row.amount, row.reference, row.payer_name) == (89900, "", "")


@pytest.mark.parametrize(
    "text",
    [
        entry(Paid(), mark="DBIT", reversal=True),
        entry(Paid(), mark="DBIT", inside=details(Paid(), extra="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")),
        entry(Paid(), mark="DBIT").replace(
            "<NtryDtls>",
            "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RDDT</Cd><SubFmlyCd>UPDD</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls>",
        ),
    ],
)
def test_money_that_goes_back_is_a_return(text: str) -> None:
    (row,) = read(camt(statement([text])), "camt").rows

    assert row.row is not None
    assert row.booking is not None
    assert row.row.state == "returned"
    assert row.booking.is_return


def test_a_return_that_was_taken_back_is_money_that_came_in() -> None:
    (row,) = read(camt(statement([entry(Paid(), reversal=True)])), "camt").payments

    assert (row.state, row.amount, row.reference) == ("booked", 89900, "2345676")


def test_a_statement_whose_entries_do_not_lead_to_its_closing_balance_is_not_believed() -> None:
    whole = camt(
        statement([entry(Paid("100.00")), entry(Paid("30.00"), mark="DBIT")], opening="10.00", closing="80.00")
    )
    changed = whole.replace(b">100.00<", b">700.00<")

    assert read(whole, "camt").counts == (1, 1, 0)
    found = read(changed, "camt")
    assert found.counts == (0, 1, 1)
    assert "changed on the way" in found.reasons


def test_a_statement_whose_summary_counts_other_payments_is_not_believed() -> None:
    header = "<TxsSummry><TtlCdtNtries><NbOfNtries>2</NbOfNtries><Sum>200</Sum></TtlCdtNtries></TxsSummry>"
    entries = [entry(Paid("100.00")), entry(Paid("100.00")), entry(Paid("9.00"), mark="DBIT")]

    assert read(camt(statement(entries, header=header)), "camt").counts == (2, 1, 0)
    assert read(camt(statement(entries[1:], header=header)), "camt").counts == (0, 1, 1)


@pytest.mark.parametrize("line", [5, 6, 7])
def test_a_file_that_breaks_off_gives_what_was_whole_and_says_where(line: int) -> None:
    whole = camt(statement([entry(paid) for paid in many(5)], number=1))
    cut = b"\n".join(whole.split(b"\n")[:line]) + b"\n<Ntry><Amt Ccy"

    found = read(cut, "camt")

    assert [row.amount for row in found.payments] == [10050 + 100 * at for at in range(line - 3)]
    assert found.problems == [(line + 1, "line")]
    assert not found.series.is_whole


def test_an_entry_in_which_the_file_breaks_off_is_not_booked_by_halves() -> None:
    inside = "\n".join(details(paid, own_amount=True) for paid in many(3))
    whole = camt(statement([entry(Paid("304.50"), inside=inside)]))

    found = read(whole[: whole.index(b"</NtryDtls>")], "camt")

    assert found.payments == []
    assert "breaks off within this entry" in found.reasons


def test_entries_that_ran_into_one_another_are_not_guessed_apart() -> None:
    whole = camt(statement([entry(Paid("1.00")), entry(Paid("2.00")), entry(Paid("3.00"))])).decode()
    glued = whole.replace("</Ntry>\n<Ntry>", "", 1)

    found = read(glued.encode(), "camt")

    assert [row.amount for row in found.payments] == [300]
    assert [line for line, _ in found.problems] == [4, 4]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html><body>Log in</body></html>", "holds body, not a camt"),
        (
            b'<?xml version="1.0"?><Document><CstmrCdtTrfInitn><PmtInf/></CstmrCdtTrfInitn></Document>',
            "CstmrCdtTrfInitn",
        ),
        (b"<Document/>", "holds no camt"),
        (b"<Document", "no camt file"),
        (b"<\x00\x00", "no camt file"),
        (b'<?xml version="1.0" encoding="klingon"?><Document/>', "encoding"),
    ],
)
def test_what_is_no_camt_file_is_refused_in_a_sentence(content: bytes, says: str) -> None:
    with pytest.raises(UnableToImport, match=says):
        read(content, "camt")


def test_other_encodings_and_prefixes_are_read() -> None:
    latin = camt(statement([entry(Paid(payer="Åse Ødegård"))]), start='<?xml version="1.0" encoding="ISO-8859-1"?>\n')
    text = camt(statement([entry(Paid(payer="Åse Ødegård"))])).decode().replace('encoding="UTF-8"', 'encoding="UTF-16"')
    prefixed = text.replace('encoding="UTF-16"', "").replace("xmlns=", "xmlns:a=").replace("</", "</a:")
    prefixed = re.sub(r"<([A-Za-z])", r"<a:\1", prefixed)

    names = [
        read(content, "camt").payments[0].payer_name
        for content in (latin.decode().encode("latin-1"), text.encode("utf-16"), prefixed.encode())
    ]

    assert names == ["Åse Ødegård"] * 3
