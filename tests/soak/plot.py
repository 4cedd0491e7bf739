"""The samples as a picture: a panel for each kind of figure, a line for each process or queue."""

from collections.abc import Mapping, Sequence
from html import escape

from tests.soak.samples import Sample
from tests.soak.verdict import Series, series

_WIDTH, _HEIGHT, _LEFT, _GAP, _LEGEND = 760, 150, 60, 46, 190
_COLOURS = ("#0b5394", "#b45f06", "#38761d", "#741b47", "#134f5c", "#990000")
_TITLES = {
    "memory_mb": "Memory of its own, MB",
    "files": "Open files",
    "queue_seconds": "Age of the oldest that is due, seconds",
    "dead_share": "Share of dead rows",
}


def draw(samples: Sequence[Sample]) -> str:
    """An SVG of all samples; time runs from left to right, each panel from nothing to its most."""
    minutes = [sample["at"] / 60 for sample in samples]
    panels = [
        _panel(_TITLES[kind], by_name, minutes, top=30 + at * (_HEIGHT + _GAP))
        for at, (kind, by_name) in enumerate(series(samples).items())
    ]
    height = 30 + len(panels) * (_HEIGHT + _GAP)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + _LEGEND} {height}"'
        f' font-family="sans-serif" font-size="12">{"".join(panels)}</svg>\n'
    )


def _panel(title: str, by_name: Series, minutes: Sequence[float], *, top: float) -> str:
    most = max((max(values) for values in by_name.values()), default=0) or 1
    lines = [
        _line(name, values, minutes, colour=_COLOURS[at % len(_COLOURS)], most=most, top=top, at=at)
        for at, (name, values) in enumerate(by_name.items())
    ]
    frame = f'<rect x="{_LEFT}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#999"/>'
    words = _text(_LEFT, top - 8, title) + _text(4, top + 10, f"{most:,.4g}") + _text(4, top + _HEIGHT, "0")
    end = _text(_LEFT + _WIDTH - 60, top + _HEIGHT + 15, f"{max(minutes, default=0):.0f} min")
    return frame + words + end + "".join(lines)


def _line(
    name: str, values: Sequence[float], minutes: Sequence[float], *, colour: str, most: float, top: float, at: int
) -> str:
    whole = max(minutes, default=0) or 1
    spots = " ".join(
        f"{_LEFT + _WIDTH * minute / whole:.1f},{top + _HEIGHT * (1 - value / most):.1f}"
        for minute, value in zip(minutes[-len(values) :], values, strict=True)
    )
    legend = _text(_LEFT + _WIDTH + 8, top + 12 + 16 * at, name, {"fill": colour})
    return f'<polyline points="{spots}" fill="none" stroke="{colour}"/>{legend}'


def _text(x: float, y: float, words: str, more: Mapping[str, str] | None = None) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in (more or {}).items())
    return f'<text x="{x}" y="{y}"{attributes}>{escape(words)}</text>'
