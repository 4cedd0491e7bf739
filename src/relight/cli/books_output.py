"""What `relight books …` reads and prints: months, days, and rows for people, for a sheet, or for a script."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import click

from relight.cli.output import answer


class Month(click.ParamType):
    """A month, such as 2026-10; its first day."""

    name = "MONTH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Its first day."""
        try:
            return date.fromisoformat(f"{value}-01")
        except ValueError:
            return self.fail(f"{value!r} is no month; write 2026-10", param, ctx)


class Day(click.ParamType):
    """A day, such as 2026-10-31."""

    name = "DAY"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            return self.fail(f"{value!r} is no day; write 2026-10-31", param, ctx)


csv_option = click.option("--csv", "as_csv", is_flag=True, help="Print it as CSV, for a sheet.")
creditor_option = click.option("--creditor", default="", metavar="NAME", help="Only this creditor's books.")


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV with heads."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue()


def show(
    result: dict[str, Any],
    heads: Sequence[str],
    rows: Sequence[Sequence[Any]],
    ending: str,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Rows for people, for a sheet, or for a script."""
    if as_csv:
        click.echo(table(heads, rows), nl=False)
        return
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(heads))]
    right = [bool(rows) and not isinstance(rows[0][at], str) for at in range(len(heads))]
    lines = [
        "  ".join(
            cell.rjust(width) if r else cell.ljust(width) for cell, width, r in zip(row, widths, right, strict=True)
        )
        for row in cells
    ]
    answer(result, as_json=as_json, text="\n".join([*(line.rstrip() for line in lines), ending]))
