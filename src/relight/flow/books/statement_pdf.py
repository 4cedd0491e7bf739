"""A statement of account as PDF/A-2a and PDF/UA-1, set by typst as letters are; the same statement, the same bytes."""

import json
from datetime import UTC, datetime, time
from functools import cache
from importlib import resources
from threading import Lock
from typing import Any

import typst

from relight.flow.books.statement import Line, Statement, Wording

# A typst compiler may be used by one thread at a time; it keeps fonts warm in between.
_one_at_a_time = Lock()
_WORDS = ("date", "text", "change", "balance", "opening", "closing", "nothing", "page", "explained")


def statement_pdf(statement: Statement, *, ink: str, language: str = "") -> bytes:
    """The statement as PDF, in the customer's language or another (nb, da, nl, en, de).

    `ink` is the brand's colour, dark enough to be read on white.
    """
    wording = Wording.of(language or statement.head.language)
    data = json.dumps({**_told(statement, wording), "ink": ink}, ensure_ascii=False)
    dated = datetime.combine(statement.last, time(12), UTC)
    with _one_at_a_time:
        pdf = _compiler().compile(
            format="pdf", sys_inputs={"statement": data}, pdf_standards=["a-2a", "ua-1"], timestamp=dated
        )
    assert isinstance(pdf, bytes)
    return pdf


def _told(statement: Statement, wording: Wording) -> dict[str, Any]:
    head, say = statement.head, wording.say
    period = say("period", first=wording.day(statement.first), last=wording.day(statement.last))
    address = [head.customer, head.street, f"{head.postcode} {head.city}".strip()]
    return {
        "title": say("title"),
        "period": period,
        "account": head.account,
        "brand": head.brand,
        "contact": [one for one in (*head.return_address.splitlines(), head.phone, head.site) if one],
        "recipient": [one for one in address if one],
        "about": [(say("account"), head.account), (say("creditor"), head.creditor)],
        "footer": f"{head.brand} · {say('title')} · {head.account}",
        "lang": wording.language,
        "region": head.country,
        "sum": closing_words(statement, wording),
        "first": wording.day(statement.first),
        "last": wording.day(statement.last),
        "opening": wording.money(statement.opening, head.currency),
        "closing": wording.money(statement.closing, head.currency),
        "lines": [_line(one, head.currency, wording) for one in statement.lines],
        "words": {name: say(name) for name in _WORDS},
    }


def closing_words(statement: Statement, wording: Wording) -> str:
    """What is owed at the end, in a sentence."""
    amount = wording.money(abs(statement.closing), statement.head.currency)
    if not statement.closing:
        return wording.say("even")
    return wording.say("owes" if statement.closing > 0 else "favour", amount=amount)


def _line(one: Line, currency: str, wording: Wording) -> dict[str, Any]:
    text = wording.line(one)
    late = wording.say("value_date", day=wording.day(one.value_date)) if one.value_date != one.day else ""
    return {
        "within": not one.change,
        "day": wording.day(one.day),
        "text": text if one.change else f"{text}, {wording.money(one.amount, currency)}",
        "note": late if one.change else "",
        "change": wording.money(one.change, currency),
        "balance": wording.money(one.balance, currency),
    }


@cache
def _compiler() -> typst.Compiler:
    # Only the fonts that typst brings: a statement must not look different on another host.
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    source = resources.files("relight.flow.books") / "statement.typ"
    return typst.Compiler(str(source), font_paths=fonts)
