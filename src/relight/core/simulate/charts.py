"""Charts of a what-if as SVG: what was recovered by day, and what was sent; one or two policies side by side."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from relight.core.simulate.totals import Totals

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 760, 380, 80, 330, 60, 730
_COLOURS, _DASHES = ("#0b5f6b", "#a34a12"), ("", "7 5")  # told apart by dashes as well as by colour
_STYLE = (
    "text{font-family:Inter,system-ui,'Segoe UI',Arial,sans-serif;font-size:13px;fill:#1d2b2f}"
    ".title{font-size:18px;font-weight:650}.axis{stroke:#b9c9cc}.grid{stroke:#e3ebec}.muted{fill:#51646a}"
)
DAYS = tuple(range(-5, 91))
_TOLD_DAYS = (0, 14, 30, 60, 90)
_WHOLE = 10_000  # all of it, in hundredths of a percent


def recovered(curves: Mapping[str, Sequence[Totals]], billed_name: str) -> str:
    """The share of what was billed that is paid by each day after the due date, in hundredths."""
    points = {name: [_share(totals, day) for day in DAYS] for name, totals in curves.items()}
    least = min(_WHOLE - 1000, max(0, (min(min(shares) for shares in points.values()) // 1000) * 1000))
    body = [_title("Recovered by day after the due date", billed_name)]
    for step in range(6):
        share = least + (_WHOLE - least) * step // 5
        y = _y(share, least)
        body.append(f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y}" y2="{y}"/>')
        body.append(_text(_LEFT - 10, y + 4, f"{share / 100:.0f} %", anchor="end"))
    for day in range(0, 91, 15):
        body.append(_text(_x(day), _BOTTOM + 22, str(day), anchor="middle"))
    body.append(f'<line class="axis" x1="{_LEFT}" x2="{_RIGHT}" y1="{_BOTTOM}" y2="{_BOTTOM}"/>')
    for index, (name, shares) in enumerate(points.items()):
        path = " ".join(f"{_x(day)},{_y(share, least)}" for day, share in zip(DAYS, shares, strict=True))
        body.append(
            f'<polyline points="{path}" fill="none" stroke="{_COLOURS[index]}" stroke-width="2.5"'
            f' stroke-dasharray="{_DASHES[index]}"/>'
        )
        body.append(_legend(index, name))
    told = [
        f"{name}: " + ", ".join(f"day {day}, {_share(totals, day) / 100:.1f} %" for day in _TOLD_DAYS)
        for name, totals in curves.items()
    ]
    return _svg("Recovered by day after the due date", told, body)


def sent(curves: Mapping[str, Sequence[Totals]]) -> str:
    """Messages by channel, cuts and tasks for each policy, as means over the seeds."""
    rows: dict[str, Callable[[Totals], int]] = {
        "SMS": lambda t: t.messages["sms"],
        "E-mail": lambda t: t.messages["email"],
        "Letters": lambda t: t.messages["letter"],
        "Cuts": lambda t: t.cuts,
        "Tasks": lambda t: t.tasks,
    }
    means = {
        name: [sum(count(one) for one in totals) // len(totals) for count in rows.values()]
        for name, totals in curves.items()
    }
    most = max((value for values in means.values() for value in values), default=1) or 1
    body = [_title("What was sent and done", "means over the seeds")]
    room = (_BOTTOM - _TOP - 20) / len(rows)
    for place, label in enumerate(rows):
        y = _TOP + 30 + place * room
        body.append(_text(_LEFT - 10, y + 8, label, anchor="end"))
        for index, values in enumerate(means.values()):
            width = (_RIGHT - _LEFT - 90) * values[place] / most
            top = y - 8 + index * 16
            body.append(
                f'<rect x="{_LEFT}" y="{top:.1f}" width="{width:.1f}" height="13" fill="{_COLOURS[index]}" rx="2"/>'
            )
            body.append(_text(_LEFT + width + 8, top + 11, f"{values[place]:,}".replace(",", " ")))
    body += [_legend(index, name) for index, name in enumerate(means)]
    told = [
        f"{name}: " + ", ".join(f"{label} {value}" for label, value in zip(rows, values, strict=True))
        for name, values in means.items()
    ]
    return _svg("What was sent and done", told, body)


def _share(totals: Sequence[Totals], day: int) -> int:
    billed = sum(one.billed for one in totals)
    paid = sum(one.recovered_by(day) for one in totals)
    return min(_WHOLE, paid * _WHOLE // billed) if billed else 0  # fees are paid too, on top of what was billed


def _x(day: int) -> float:
    return round(_LEFT + (day - DAYS[0]) * (_RIGHT - _LEFT) / (DAYS[-1] - DAYS[0]), 1)


def _y(share: int, least: int) -> float:
    return round(_BOTTOM - (share - least) * (_BOTTOM - _TOP - 20) / (_WHOLE - least), 1)


def _title(title: str, under: str) -> str:
    return _text(20, 28, title, kind="title") + _text(20, 48, under, kind="muted")


def _legend(index: int, name: str) -> str:
    x, y = 430, 24 + 20 * index
    line = f'<line x1="{x}" x2="{x + 34}" y1="{y}" y2="{y}" stroke="{_COLOURS[index]}" stroke-width="3"'
    return f'{line} stroke-dasharray="{_DASHES[index]}"/>' + _text(x + 42, y + 4, name)


def _text(x: float, y: float, text: str, *, kind: str = "", anchor: str = "start") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{mark}>{escape(text)}</text>'


def _svg(name: str, told: Sequence[str], body: Sequence[str]) -> str:
    """The picture, with a title and its figures in words for those who hear it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
        f' role="img" aria-labelledby="name" aria-describedby="told"><title id="name">{escape(name)}</title>'
        f'<desc id="told">{escape(". ".join(told))}.</desc><style>{_STYLE}</style>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>{"".join(body)}</svg>\n'
    )
