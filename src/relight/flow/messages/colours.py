"""Any brand's colour made safe to read: contrast as WCAG 2.2 computes it (success criteria 1.4.3 and 1.4.11)."""

from functools import lru_cache

WHITE = "#ffffff"
INK = "#16212b"
READABLE = 4.5


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two `#rrggbb` colours, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _mixed(colour: str, towards: str, percent: int) -> str:
    mixed = (
        (here * (100 - percent) + there * percent) // 100
        for here, there in zip(_channels(colour), _channels(towards), strict=True)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


@lru_cache(maxsize=256)
def text_on(colour: str) -> str:
    """White or black, whichever reads better on `colour`; the better one always reaches 4.5."""
    return WHITE if contrast(WHITE, colour) >= contrast("#000000", colour) else "#000000"


@lru_cache(maxsize=256)
def readable(colour: str, background: str) -> str:
    """`colour`, moved towards black or white only as far as it takes to be readable on `background`."""
    towards = "#000000" if _luminance(background) > 0.18 else WHITE
    for percent in range(0, 101, 4):
        candidate = _mixed(colour, towards, percent)
        if contrast(candidate, background) >= READABLE:
            return candidate
    return towards
