"""A message as a letter: A4 for a window envelope, PDF/A-2a and PDF/UA-1, so that it can be archived and read aloud.

Typst sets it in a few milliseconds. What a customer or a partner wrote goes in as JSON and is set as text, never as
markup. The same body, date and brand give the same bytes, so that a letter can be proven years later.
"""

import io
import json
from dataclasses import asdict
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache
from importlib import resources
from threading import Lock

import segno
import segno.helpers
import typst
from stdnum import iban, iso11649

from relight.flow.messages.colours import WHITE, readable
from relight.flow.messages.context import MessageContext, WrongContext
from relight.flow.messages.render import Body

# A typst compiler may be used by one thread at a time ("Already borrowed" otherwise); it keeps fonts warm in between.
_one_at_a_time = Lock()


def letter_pdf(context: MessageContext, body: Body) -> bytes:
    """The letter as PDF. `body` comes from `render(…, Channel.LETTER, context).body`.

    Raises `WrongContext` without a postal address to show in the window.
    """
    if not context.recipient:
        raise WrongContext("recipient: a letter needs the lines of a postal address")
    data = json.dumps(_letter(context, body), ensure_ascii=False)
    dated = datetime.combine(context.dated, time(12), UTC)
    with _one_at_a_time:
        # PDF/A for archives and print shops, PDF/UA for those who listen to their letters.
        pdf = _compiler().compile(
            format="pdf", sys_inputs={"letter": data}, pdf_standards=["a-2a", "ua-1"], timestamp=dated
        )
    assert isinstance(pdf, bytes)
    return pdf


def _letter(context: MessageContext, body: Body) -> dict[str, object]:
    brand = context.brand
    return {
        "body": asdict(body),
        "brand": {"name": brand.name, "address": brand.address, "phone": brand.phone, "site": brand.site},
        "recipient": context.recipient,
        "lang": context.language,
        "region": context.country,
        "ink": readable(brand.colour, WHITE),
        "logo": brand.logo_svg,
        "codes": _codes(context, body),
    }


def _codes(context: MessageContext, body: Body) -> list[dict[str, str]]:
    if not body.pay_url:
        return []
    codes = [{"says": body.words["code_page"], "svg": pay_code(body.pay_url)}]
    if context.currency == "EUR" and iban.is_valid(context.account):
        transfer = epc_code(
            name=context.creditor, account=context.account, amount=context.amount_due, reference=context.reference
        )
        codes.append({"says": body.words["code_bank"], "svg": transfer})
    return codes


def pay_code(address: str) -> str:
    """A QR code of the pay link as SVG, with the quiet zone that ISO/IEC 18004 asks for."""
    return _svg(segno.make_qr(address, error="m"))


def epc_code(*, name: str, account: str, amount: int, reference: str) -> str:
    """A SEPA credit transfer as QR (EPC069-12), as SVG. Euro only: `amount` is in cents, `account` an IBAN.

    `reference` is an RF one (ISO 11649) or up to 140 characters of text. Raises `WrongContext` for another account.
    """
    if not iban.is_valid(account):
        raise WrongContext("account: a SEPA code needs an IBAN")
    structured = iso11649.is_valid(reference)
    code = segno.helpers.make_epc_qr(
        name=name[:70],
        iban=iban.compact(account),
        amount=Decimal(amount).scaleb(-2),
        text=None if structured else reference[:140],
        reference=reference if structured else None,
    )
    return _svg(code)


def _svg(code: segno.QRCode) -> str:
    out = io.BytesIO()
    code.save(out, kind="svg", xmldecl=False, border=4)
    return out.getvalue().decode()


@cache
def _compiler() -> typst.Compiler:
    # Only the fonts that typst brings: a letter must not look different on another host.
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    source = resources.files("relight.flow.messages") / "letter.typ"
    return typst.Compiler(str(source), font_paths=fonts)
