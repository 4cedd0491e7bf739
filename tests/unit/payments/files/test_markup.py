"""XML that is meant to harm whoever reads it: refused in a sentence, before anything of it is taken in."""

import resource
from pathlib import Path

import pytest

from relight.flow.claims.errors import UnableToImport
from tests.unit.payments.files.reading import read
from tests.unit.payments.files.written import Paid, camt, entry, statement

LAUGHS = "".join(f'<!ENTITY l{at} "{"".join(f"&l{at - 1};" for _ in range(10)) if at else "ha"}">' for at in range(12))
GOOD = camt(statement([entry(Paid())]))


def with_doctype(doctype: str, reference: str) -> bytes:
    text = camt(statement([entry(Paid(payer="PAYER"))]), start=f'<?xml version="1.0"?>\n{doctype}\n').decode()
    return text.replace("PAYER", reference).encode()


def refused(content: bytes) -> str:
    with pytest.raises(UnableToImport) as refusal:
        read(content, "camt")
    return str(refusal.value)


def test_a_billion_laughs_are_not_laughed() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    reason = refused(with_doctype(f"<!DOCTYPE d [{LAUGHS}]>", "&l11;"))

    assert "declares a document type" in reason
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes


@pytest.mark.parametrize("declares", ['<!ENTITY x SYSTEM "file://{path}">', '<!ENTITY % x SYSTEM "file://{path}"> %x;'])
def test_no_file_of_ours_is_fetched_into_a_payment(tmp_path: Path, declares: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the keys")

    reason = refused(with_doctype(f"<!DOCTYPE d [{declares.format(path=secret)}]>", "&x;"))

    assert "declares a document type" in reason
    assert "the keys" not in reason


def test_an_external_document_type_is_refused_and_never_asked_for() -> None:
    assert "declares a document type" in refused(with_doctype('<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd">', "x"))


def test_nesting_without_end_is_refused() -> None:
    assert "deep" in refused(GOOD.replace(b"<NtryDtls>", b"<x>" * 5000))


@pytest.mark.parametrize(
    ("inserted", "says"),
    [
        (b"<Nm>" + b"x" * 20_000 + b"</Nm>", "more than 10,000 characters"),
        (b"<Nm/>" * 6_000, "more than 5,000 elements"),
        (b'<Nm a="' + b"x" * 3_000_000 + b'"/>', "a tag of over a million signs"),
        (b"<!--" + b"x" * 3_000_000 + b"-->", "a tag of over a million signs"),
    ],
)
def test_a_file_that_swells_in_one_place_is_refused(inserted: bytes, says: str) -> None:
    assert says in refused(GOOD.replace(b"<RltdPties>", b"<RltdPties>" + inserted))


def test_an_entity_that_nobody_declared_breaks_the_file_there() -> None:
    found = read(camt(statement([entry(Paid("1.00")), entry(Paid(payer="&who;"))])), "camt")

    assert [row.amount for row in found.payments] == [100]
    assert "broken here" in found.reasons
