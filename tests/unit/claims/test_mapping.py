"""Mappings: the built-in ones are found by the header, and a user's own that is wrong says where."""

from pathlib import Path

import pytest

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.mapping import built_in_mappings, find_mapping
from relight.flow.claims.mapping_file import read_mapping

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
        (": :", "line 1: "),
        ("[1]", "must say"),
        (OWN.replace("payments", "letters"), "`kind` must be one of"),
        (OWN.replace("value_date", "day"), "line 3: there is no field 'day'"),
        ("kind: payments\ncolumns: {ref: a, amount: b}", "value_date"),
        (OWN + "dates: [DD.MM]", "not a date format"),
        (OWN + "decimal: x", "line 4: `decimal` must be"),
        (OWN + 'decimal: ","\ngrouping: ",."', "line 5: , cannot be both"),
        (OWN + "grouping: x", "line 4: `grouping`"),
        (OWN + "delimiter: ab", "line 4: the delimiter"),
        (OWN + "delimiter: '\"'", "line 4: the delimiter"),
        (OWN + "defaults: {currency: [NOK]}", "line 4: `currency` must be a text"),
        (OWN + "words: {state: booked}", "line 4: `state` must say"),
        (OWN + "other_when_empty: [day]", "line 4: there is no field 'day'"),
        (OWN + "recognise: {a: b}", "line 4: `recognise` must be"),
        (OWN + "dates: DD.MM.YYYY\ndates: YYYY-MM-DD", "line 5: "),
        (OWN + "\tdecimal: x", "line 4: a tab"),
        ("kind: payments\ncolumns:\n  ref:\n  amount: a\n  value_date: b", "line 3: `ref` must be a text"),
        (OWN + "encoding: ebcdic-klingon", "no encoding"),
        (OWN + "colums: {}", "line 4: there is no 'colums'"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(UnableToImport, match=says):
        read_mapping(text, "own.yaml")


def test_built_in_mappings_have_different_names() -> None:
    names = [mapping.name for mapping in built_in_mappings()]

    assert len(names) == len(set(names)) >= 6


def test_every_mistake_of_a_mapping_is_named_with_its_line() -> None:
    text = "kind: payments\ncolums: {}\ncolumns:\n  ref: Id\n  amuont: Sum\n"

    with pytest.raises(UnableToImport) as refused:
        read_mapping(text, "own.yaml")

    assert [told.split(":")[0] for told in str(refused.value).split("\n")] == [
        "own.yaml, line 2",
        "own.yaml, line 3",
        "own.yaml, line 5",
    ]


@pytest.mark.parametrize(("content", "says"), [(b"kind: \xff", "not UTF-8"), (b"a: &x [*x]", "line 1")])
def test_a_mapping_file_that_cannot_be_read_says_so(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes(content)

    with pytest.raises(UnableToImport, match=says):
        find_mapping("payments", ["Id", "Sum", "Day"], path)


def test_any_of_several_names_will_do_for_a_needed_column() -> None:
    mapping = read_mapping(OWN.replace("amount: Sum", "amount: [Sum, Total]"), "own.yaml")

    assert mapping.fits(["id", "total", "day"]) is False  # recognised by the first name
    assert mapping.missing(frozenset(("id", "total", "day"))) == []
    assert mapping.missing(frozenset(("id", "day"))) == ["Sum or Total"]


def test_a_name_made_of_several_columns_needs_them_all() -> None:
    mapping = read_mapping(OWN.replace("ref: Id", 'ref: "{Id}-{Day}"'), "own.yaml")

    assert mapping.missing(frozenset(("id", "sum", "day"))) == []
    assert mapping.missing(frozenset(("sum", "day"))) == ["{Id}-{Day}"]


def test_two_columns_of_one_name_are_refused_if_it_matters() -> None:
    header = ["number", "account", "amount", "due_date", "note", "note"]

    find_mapping("invoices", header, None)
    with pytest.raises(UnableToImport, match=r"(?i)two columns are called amount"):
        find_mapping("invoices", [*header, "Amount"], None)


def test_lines_may_stand_for_the_amount() -> None:
    assert find_mapping("invoices", ["number", "account", "due_date", "line_amount"], None).name == "relight"


def test_words_that_yaml_takes_for_yes_and_no_stay_words() -> None:
    mapping = read_mapping(OWN + "words: {state: {booked: [yes, on, 1], failed: no}}", "own.yaml")

    assert mapping.words["state"] == {"yes": "booked", "on": "booked", "1": "booked", "no": "failed"}
