"""An account's statement: on the page in the reader's language, as PDF in the customer's, and as CSV."""

from collections.abc import Mapping
from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from relight.flow.books import statement as flow
from relight.flow.books.statement_pdf import statement_pdf
from relight.flow.messages.colours import WHITE, readable
from relight.web.console.access import signed_in
from relight.web.console.context import voice_of
from relight.web.console.visit import Seated
from relight.web.database import database


@require_GET
@signed_in
def statement(request: Seated, account_id: int) -> HttpResponse:
    """`?from=` and `?to=` are booking days; this year until today if left out. `?case=` is where one came from."""
    found = _read(request, account_id)
    wording = flow.Wording.of(request.desk.language)
    case = request.GET.get("case", "")
    context = {
        "statement": found,
        "head": found.head,
        "lines": [(one, wording.line(one)) for one in found.lines],
        "credit": -found.closing,
        "explained": wording.say("explained"),
        "case": int(case) if case.isascii() and case.isdigit() and len(case) < 19 else None,
        "query": f"from={found.first}&to={found.last}",
    }
    return render(request, "console/statement.html", context)


@require_GET
@signed_in
def pdf(request: Seated, account_id: int) -> HttpResponse:
    """To print or send: in the customer's own language."""
    found = _read(request, account_id)
    response = HttpResponse(
        statement_pdf(found, ink=readable(found.head.colour, WHITE)), content_type="application/pdf"
    )
    response["Content-Disposition"] = f'inline; filename="{_name(found)}.pdf"'
    return response


@require_GET
@signed_in
def sheet(request: Seated, account_id: int) -> HttpResponse:
    """For a sheet: in the reader's language."""
    found = _read(request, account_id)
    response = HttpResponse(flow.as_csv(found, request.desk.language), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{_name(found)}.csv"'
    return response


def _read(request: Seated, account_id: int) -> flow.Statement:
    first, last = _span(request.GET, voice_of(request).today)
    with database().transaction(request.desk.at.partner_id) as tx:
        return flow.read(tx, account_id, first, last)


def _span(given: Mapping[str, str], today: date) -> tuple[date, date]:
    """Days that make no sense are as if they had not been given; a span that ends before it begins is one day."""
    last = _day(given.get("to", "")) or today
    first = _day(given.get("from", "")) or date(last.year, 1, 1)
    return min(first, last), last


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year < 2200 else None


def _name(found: flow.Statement) -> str:
    """A file's name without what a header or a file system would trip over."""
    account = "".join(letter for letter in found.head.account if letter.isascii() and letter.isalnum()) or "account"
    return f"{account}-{found.first}-{found.last}"
