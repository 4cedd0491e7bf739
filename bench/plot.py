"""Results as a picture: figures beside their raw limits and aims, and how cost grows with those who sleep.

python -m bench.plot bench/results/*.json --out docs/images/benchmarks.svg
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

Result = Mapping[str, Any]
Spots = Sequence[tuple[float, float]]

_LEFT, _WIDTH, _RIGHT, _ROW, _HEIGHT, _GAP = 260, 430, 250, 26, 150, 62
_INK, _QUIET, _BAR, _AIM = "#16212b", "#6b7780", "#3d7ea6", "#b45f06"
_LINES = ("#0b5394", "#b45f06", "#38761d", "#741b47")
_AIMS = {"decide": ("case steps", 0.7), "import": ("invoices: 2 sessions, COPY by 1", 0.5)}
_OTHERS = {
    "paypage": "pay pages",
    "feed": "positions in the feed",
    "effects": "text messages, one link",
    "restore": "a restore's way inside, medians",
}
_FINDING = {
    "which_partners": "who has due work",
    "first_batch": "a batch",
    "last_batch_under_old_snapshot": "the last batch, old snapshot",
    "the_same_from_the_start": "the same, from the start",
}


def draw(results: Mapping[str, Result]) -> str:
    """An SVG of what these benchmarks found, by their names; what is not among them is left out."""
    panels, top = [], 20.0
    for make in (_ratios, _pages, _turning):
        drawn, height = make(results, top)
        panels.append(drawn)
        top += height
    size = f'viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {top:.0f}"'
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    words = "Benchmarks: figures beside their raw limits, and the cost of finding due work beside those who sleep"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif" font-size="13">'
        f"<title>{words}</title>{ground}{''.join(panels)}</svg>\n"
    )


def _ratios(results: Mapping[str, Result], top: float) -> tuple[str, float]:
    """A bar each: the figure as a share of the raw limit of the same run; the aim is a line across it."""
    named = {name: words for name, (words, _) in _AIMS.items()} | _OTHERS
    shown = [
        (name, words, results[name]["ratio"]) for name, words in named.items() if results.get(name, {}).get("ratio")
    ]
    if not shown:
        return "", 0
    rows = []
    for at, (name, words, ratio) in enumerate(shown):
        y = top + 24 + at * _ROW
        rows.append(_text(_LEFT - 10, y + 14, words, anchor="end") + _bar(_LEFT, y, _WIDTH * ratio, _ROW - 8, _BAR))
        rows.append(_text(_LEFT + _WIDTH * ratio + 6, y + 14, f"{ratio:.2f}"))
        if name in _AIMS:
            x = _LEFT + _WIDTH * _AIMS[name][1]
            rows.append(_line([(x, y - 3), (x, y + _ROW - 5)], _AIM))
            rows.append(_text(_LEFT + _WIDTH + 8, y + 14, f"aim {_AIMS[name][1]}", colour=_AIM))
    height = 24 + len(shown) * _ROW
    whole = _line([(_LEFT + _WIDTH, top + 20), (_LEFT + _WIDTH, top + height)], _QUIET)
    title = _text(_LEFT, top + 8, "Share of the raw limit of the same run (right edge: as fast as that)", bold=True)
    return title + whole + "".join(rows), height + _GAP


def _pages(results: Mapping[str, Result], top: float) -> tuple[str, float]:
    series = {words: _by_size(results, lambda size, key=key: size[key]["pages"]) for key, words in _FINDING.items()}
    return _panel("Pages that PostgreSQL touches to find due work (case rows only)", series, top)


def _turning(results: Mapping[str, Result], top: float) -> tuple[str, float]:
    series = {"µs of processor time": _by_size(results, lambda size: size["turn_us"])}
    return _panel("Deciding one case, found, turned and written (beside case rows only)", series, top)


def _by_size(results: Mapping[str, Result], figure: Any) -> Spots:
    """A figure for each number of sleeping cases, fewest first."""
    found = results.get("sleeping", results.get("decide", {}))
    sizes = found.get("finding", {}).get("sizes", ())
    return [(size["sleeping"], figure(size)) for size in sizes]


def _panel(title: str, series: Mapping[str, Spots], top: float) -> tuple[str, float]:
    """Lines over the number of cases that sleep, in powers of ten; each from nothing to the most of all."""
    sizes = [size for size, _ in next(iter(series.values()))]
    if len(sizes) < 2:
        return "", 0
    most = max(value for spots in series.values() for _, value in spots)
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def place(size: float, value: float) -> tuple[float, float]:
        along = (math.log10(size) - first) / (last - first)
        return _LEFT + _WIDTH * along, top + 24 + _HEIGHT * (1 - value / most)

    drawn = [_text(_LEFT, top + 8, title, bold=True), _axes(sizes, most, place)]
    for at, (name, spots) in enumerate(series.items()):
        points, colour = [place(*spot) for spot in spots], _LINES[at]
        drawn.append(_line(points, colour) + "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
                                                     for x, y in points))  # fmt: skip
        drawn.append(_text(_LEFT + _WIDTH + 12, top + 38 + 20 * at, f"{name}: {spots[-1][1]:,.0f}", colour=colour))
    return "".join(drawn), 24 + _HEIGHT + _GAP


def _axes(sizes: Sequence[float], most: float, place: Any) -> str:
    left, bottom = place(sizes[0], 0)
    ground = _line([(left, bottom), (left + _WIDTH, bottom)], _QUIET)
    marks = [_text(place(size, 0)[0], bottom + 18, f"{size:,}", anchor="middle", colour=_QUIET) for size in sizes]
    ends = _text(left - 10, bottom, "0", anchor="end", colour=_QUIET)
    ends += _text(left - 10, place(sizes[0], most)[1] + 4, f"{most:,.0f}", anchor="end", colour=_QUIET)
    return (
        ground
        + "".join(marks)
        + ends
        + _text(left, bottom + 34, "rows of cases that sleep; their customers have no other rows", colour=_QUIET)
    )


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x}" y="{y:.1f}" width="{width:.1f}" height="{height}" rx="3" fill="{colour}"/>'


def _line(points: Spots, colour: str) -> str:
    spots = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{spots}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = _INK, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}"{weight}>{escape(words)}</text>'


def main() -> None:
    """Draw the files' results; the benchmark is the last word of a file's name, and of two the later file counts. What
    was measured beside whole portfolios that sleep is left out."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("files", nargs="+", type=Path)
    asked.add_argument("--out", type=Path, required=True)
    given = asked.parse_args()
    read = [(file.stem.rpartition("-")[2], json.loads(file.read_text("utf-8"))) for file in sorted(given.files)]
    given.out.write_text(draw({name: found for name, found in read if "asleep" not in found}), "utf-8")


if __name__ == "__main__":
    main()
