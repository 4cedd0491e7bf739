"""Letters as paper and as archive."""

import io
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pikepdf
import pytest
import segno

from relight.flow.messages.context import LANGUAGES, MessageContext, WrongContext
from relight.flow.messages.letter import epc_code, letter_pdf, pay_code
from relight.flow.messages.lint import sample
from relight.flow.messages.port import Channel
from relight.flow.messages.render import render


def letter(context: MessageContext, template: str = "disconnect_notice") -> bytes:
    body = render(template, Channel.LETTER, context).body
    assert body is not None
    return letter_pdf(context, body)


def read(pdf: bytes) -> str:
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode().replace("\xa0", " ")


def window(pdf: bytes) -> str:
    """What shows in a DL window: 20–110 mm from the left, 45–90 mm from the top, at 72 points an inch."""
    area = ["-x", "57", "-y", "128", "-W", "255", "-H", "127"]
    done = subprocess.run(["pdftotext", *area, "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_can_be_read_back_from_its_pdf(language: str) -> None:
    context = sample(language, "disconnect_notice")

    text = read(letter(context))

    assert "Kari" in text
    assert context.reference in text
    assert context.account in text
    assert context.pay_url in text
    assert context.brand.phone in text


def test_the_address_shows_in_the_window_and_the_debt_does_not() -> None:
    shown = window(letter(sample("nb", "disconnect_notice")))

    assert "Kari Nordmann\nStorgata 1\n5003 Bergen" in shown
    assert "Varsel" not in shown
    assert "234,50" not in shown


def test_the_longest_address_still_leaves_the_notice_outside_the_window() -> None:
    lines = ("Kari Nordmann-Hansen", "c/o Ola Nordmann", "Leilighet H0201", "Storgata 1", "5003 Bergen", "Norge")

    shown = window(letter(replace(sample("nb", "disconnect_notice"), recipient=lines)))

    assert all(line in shown for line in lines)
    assert "Varsel" not in shown


def test_a_letter_is_pdf_a_and_can_be_read_aloud() -> None:
    with pikepdf.open(io.BytesIO(letter(sample("nb", "disconnect_notice")))) as pdf, pdf.open_metadata() as metadata:
        assert metadata.pdfa_status == "2A"
        assert metadata["pdfuaid:part"] == "1"
        assert pdf.Root.Lang == "nb-NO"
        assert pdf.Root.MarkInfo.Marked


def test_the_same_letter_is_the_same_bytes_years_later() -> None:
    context = sample("da", "reminder")

    assert letter(context, "reminder") == letter(context, "reminder")


def test_a_name_is_set_as_text_never_as_markup() -> None:
    name = '#panic("x") *fet* $x^2$ @ref <b> \\ `kode`'

    text = read(letter(replace(sample("nb", "reminder"), first_name=name, recipient=(name, "5003 Bergen")), "reminder"))

    assert text.count(name) == 2


def test_a_restored_letter_asks_for_nothing() -> None:
    text = read(letter(sample("nb", "restored"), "restored"))

    assert "Strømmen er tilbake" in text
    assert "Konto" not in text


def test_a_letter_without_an_address_is_refused() -> None:
    with pytest.raises(WrongContext, match="postal address"):
        letter(replace(sample("nb", "reminder"), recipient=()), "reminder")


def test_letters_can_be_set_by_many_threads_at_once() -> None:
    contexts = [replace(sample("nb", "reminder"), first_name=f"Kunde{number}") for number in range(12)]

    with ThreadPoolExecutor(4) as pool:
        letters = list(pool.map(lambda context: letter(context, "reminder"), contexts))

    assert [f"Kunde{number}!" in read(pdf) for number, pdf in enumerate(letters)] == [True] * 12


def test_a_code_is_drawn_with_the_quiet_zone_that_scanners_need() -> None:
    modules = segno.make_qr("https://betal.fjordnett.no/p/Xq3fKz7", error="m").symbol_size(border=0)[0]

    assert f'width="{modules + 8}"' in pay_code("https://betal.fjordnett.no/p/Xq3fKz7")


def test_a_euro_transfer_code_refuses_an_account_that_cannot_be() -> None:
    transfer = {"name": "Stadtwerke Auental GmbH", "amount": 123_450, "reference": "RF18539007547034"}

    assert "<svg" in epc_code(account="DE89 3704 0044 0532 0130 00", **transfer)
    with pytest.raises(WrongContext, match="IBAN"):
        epc_code(account="DE00370400440532013000", **transfer)


def test_only_a_euro_letter_carries_a_bank_code() -> None:
    assert "Mit der Bank-App" in read(letter(sample("de", "reminder"), "reminder"))
    assert "bankappen" not in read(letter(sample("nb", "reminder"), "reminder"))
