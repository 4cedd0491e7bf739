"""The picture as SVG: a line of days down the left, a card a step, and a bar where the law asks for time.

Colours are told apart by shape and words as well. Text is text, so that it can be searched, read out and enlarged.
"""

import textwrap
from collections.abc import Iterator
from html import escape

from relight.core.show.rows import Least, Picture, Row
from relight.core.show.text import least_line
from relight.core.show.words import Words

WIDTH = 920
_LEFT, _RIGHT, _LINE = 150, 890, 21
_PAD = 16
_CHARACTERS = 92
_BAR_LEFT, _BAR_RIGHT = _LEFT + 2 * _PAD, 860
_STYLE = """
  text { font-family: Inter, system-ui, 'Segoe UI', Arial, sans-serif; font-size: 14px; fill: #1d2b2f }
  .title { font-size: 24px; font-weight: 650 } .whom, .wait, .small { fill: #51646a } .small { font-size: 12.5px }
  .step { font-size: 17px; font-weight: 650 } .day { font-size: 14px; font-weight: 600; fill: #0b5f6b }
  .card { fill: #ffffff; stroke: #d5dfe1 } .cut .card { stroke: #a34a12; stroke-width: 1.6 }
  .rail { stroke: #b9c9cc; stroke-width: 3 } .dot { fill: #0b5f6b } .cut .dot, .cut .day { fill: #a34a12 }
  .chosen { fill: #9fd0d6 } .lawful { fill: #0b5f6b } .branch { stroke: #51646a; fill: none; stroke-width: 1.6 }
"""


def as_svg(picture: Picture, words: Words) -> str:
    """The whole picture, as one SVG document with a title and a description."""
    drawn, height = _draw(picture, words)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-labelledby="t d" lang="{words.language}">'
        f'<title id="t">{escape(picture.title)}</title><desc id="d">{escape(picture.whom)}</desc>'
        f'<style>{_STYLE}</style><rect width="{WIDTH}" height="{height}" fill="#f4f8f8"/>'
    )
    return head + "".join(drawn) + "</svg>\n"


def _draw(picture: Picture, words: Words) -> tuple[list[str], int]:
    drawn = [_text(30, 46, picture.title, "title")]
    y = 72
    for line in _wrapped(picture.whom, 110):
        drawn.append(_text(30, y, line, "whom"))
        y += _LINE
    for line in _wrapped(words.say("legend"), 125):
        drawn.append(_text(30, y, line, "small"))
        y += 18
    y += 14
    tops: dict[str, int] = {}
    rail_from = y + 30
    cards: list[str] = []
    for row in picture.rows:
        tops[row.name] = y
        card, height = _card(row, y, words)
        cards.append(card)
        y += height + 18
    drawn.append(f'<line class="rail" x1="120" y1="{rail_from}" x2="120" y2="{max(rail_from, y - 30)}"/>')
    drawn += cards
    drawn += _branches(picture, tops)
    y += 6
    for line in _footer(picture, words):
        drawn.append(_text(30, y + 10, line, "small"))
        y += 19
    return drawn, y + 24


def _card(row: Row, top: int, words: Words) -> tuple[str, int]:
    lines = [*(("• " + line, "") for told in row.does for line in _wrapped(told)),
             *((line, "wait") for told in row.gates for line in _wrapped(told))]  # fmt: skip
    lines += [
        ("→ " + line, "wait")
        for told, step in row.onwards
        for line in _wrapped(words.say("goes", condition=told, step=step))
    ]
    y = top + 28
    parts = [_text(_LEFT + _PAD, y, row.name.replace("_", " "), "step")]
    y += _LINE
    for line in _wrapped(row.wait):
        parts.append(_text(_LEFT + _PAD, y, line, "wait"))
        y += _LINE
    for line, kind in lines:
        parts.append(_text(_LEFT + _PAD, y, line, kind))
        y += _LINE
    for one in row.least:
        drawn, y = _bar(one, y, words)
        parts += drawn
    height = y - top
    card = f'<rect class="card" x="{_LEFT}" y="{top}" width="{_RIGHT - _LEFT}" height="{height}" rx="10"/>'
    day = _text(108, top + 34, words.days(row.days), "day", anchor="end")
    dot = f'<circle class="dot" cx="120" cy="{top + 30}" r="7"/>'
    return f'<g class="{"cut" if row.cuts else "step-card"}">{card}{"".join(parts)}{day}{dot}</g>', height


def _bar(one: Least, y: int, words: Words) -> tuple[list[str], int]:
    """The time taken as a bar, the least that the law asks for as a mark on it, and both in words."""
    drawn = list[str]()
    for line in _wrapped(least_line(one, words), 104):
        drawn.append(_text(_LEFT + _PAD, y + 2, line, "small"))
        y += 18
    longest = max(one.chosen[1], one.lawful[1], 1)
    scale = (_BAR_RIGHT - _BAR_LEFT) / longest
    width, mark = round(one.chosen[0] * scale, 1), round(one.lawful[1] * scale, 1)
    drawn.append(f'<rect class="chosen" x="{_BAR_LEFT}" y="{y - 8}" width="{width}" height="8" rx="4"/>')
    drawn.append(f'<rect class="lawful" x="{_BAR_LEFT + mark - 1.5}" y="{y - 12}" width="3" height="16"/>')
    return drawn, y + 18


def _branches(picture: Picture, tops: dict[str, int]) -> Iterator[str]:
    """A curve on the right from a step to each step that it can lead to, where the file says where to go."""
    for row in picture.rows:
        for number, (_, step) in enumerate(row.onwards):
            start, end = tops[row.name] + 30, tops[step] + 30
            out = min(_RIGHT + 14 + 6 * number, WIDTH - 4)
            yield f'<path class="branch" d="M {_RIGHT} {start} C {out} {start} {out} {end} {_RIGHT} {end}"/>'
            yield f'<path class="branch" d="M {_RIGHT + 7} {end - 5} L {_RIGHT} {end} L {_RIGHT + 7} {end + 5}"/>'


def _footer(picture: Picture, words: Words) -> Iterator[str]:
    for told in picture.profiles:
        yield from _wrapped(f"{words.say('profiles')} – {told}", 125)
    for told in (picture.holds, picture.ends):
        yield from _wrapped(told, 125)


def _wrapped(text: str, width: int = _CHARACTERS) -> list[str]:
    return textwrap.wrap(text, width)


def _text(x: int, y: int, text: str, kind: str = "", *, anchor: str = "") -> str:
    marks = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x}" y="{y}"{marks}>{escape(text)}</text>'
