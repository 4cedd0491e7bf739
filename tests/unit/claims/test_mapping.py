"""Mappings: the built-in ones are found by the header, and a user's own that is wrong says where."""

from pathlib import Path

import pytest

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.mapping import built_in_mappings, find_mapping, read_mapping

OWN = "mapping: own\nkind: payments\ncolumns: {ref: Id, amount: Sum, value_date: Day}\n"


@pytest.mark.parametrize(
    ("kind", "header", "name"),
    [
        ("invoices", ["number", "account", "amount", "due_date", "whatever"], "relight"),
        ("invoices", ["fakturanr", "KUNDENR", "Beløp", "Forfallsdato"], "norsk"),
        ("invoices", ["invoiceNumber", "customerID", "InvoiceAmount", "DueDate"], "accounts-receivable"),
        ("payments", ["ref", "amount", "value_date"], "relight-payments"),
        ("cases", ["account", "step", "completed_date", "claims", "proof"], "relight-cases"),
    ],
)
def test_a_header_is_recognised(kind: str, header: list[str], name: str) -> None:
    assert find_mapping(kind, header, None).name == name


def test_an_unknown_header_names_the_columns_that_would_do() -> None:
    with pytest.raises(UnableToImport, match=r"\(a, b\).*number, account, amount, due_date"):
        find_mapping("invoices", ["a", "b"], None)


def test_a_mapping_of_another_kind_is_refused() -> None:
    with pytest.raises(UnableToImport, match="reads payments, not invoices"):
        find_mapping("invoices", ["ref"], "relight-payments")


def test_a_mapping_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(UnableToImport, match="accounts-receivable, norsk, relight"):
        find_mapping("invoices", ["ref"], "norks")


def test_a_mapping_whose_columns_are_missing_names_them() -> None:
    with pytest.raises(UnableToImport, match="Forfallsdato"):
        find_mapping("invoices", ["Fakturanr", "Kundenr", "Beløp"], "norsk")


def test_a_users_own_file_is_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN)

    found = find_mapping("payments", ["Id", "Sum", "Day"], path)

    assert found.name == "own"
    assert found.recognise == ("Id", "Sum", "Day")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (": :", "not YAML"),
        ("[1]", "must say"),
        (OWN.replace("payments", "letters"), "`kind` must be one of"),
        (OWN.replace("value_date", "day"), "unknown day"),
        ("kind: payments\ncolumns: {ref: a, amount: b}", "value_date"),
        (OWN + "dates: [DD.MM]", "not a date format"),
        (OWN + "decimal: x", "must be"),
        (OWN + "encoding: ebcdic-klingon", "no encoding"),
        (OWN + "colums: {}", "unknown colums"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(UnableToImport, match=says):
        read_mapping(text, "own.yaml")


def test_built_in_mappings_have_different_names() -> None:
    names = [mapping.name for mapping in built_in_mappings()]

    assert len(names) == len(set(names)) >= 6
