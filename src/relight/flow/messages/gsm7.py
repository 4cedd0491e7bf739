"""The alphabet that a text message is paid by: GSM 03.38, its parts, and how to stay inside it."""

import unicodedata

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "^{}\\[~]|€\f"
_SEPTETS = {**dict.fromkeys(_BASIC, 1), **dict.fromkeys(_EXTENSION, 2)}
# What people type, or a currency format holds, that has an everyday likeness but no decomposition of its own.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\xa0\u202f\u2009", " "),
        **dict.fromkeys("\u2018\u2019", "'"),
        **dict.fromkeys("\u201c\u201d\u201e", '"'),
        **dict.fromkeys("\u2013\u2014\u2212\u2022", "-"),
        **dict.fromkeys("\u200b\u00ad", ""),
        **dict(zip("đĐłŁðÐı", "dDlLdDi", strict=True)),
        "\u2026": "...",
        "œ": "oe",
        "Œ": "OE",
        "þ": "th",
        "Þ": "Th",
    }
)

SEPTETS_SINGLE = 160
SEPTETS_JOINED = 153


def outside(text: str) -> str:
    """The characters of `text` that GSM-7 lacks, each once, in order."""
    return "".join(dict.fromkeys(char for char in text if char not in _SEPTETS))


def fold(text: str) -> str:
    """`text` in GSM-7: "Saïd Łukasz" → "Said Lukasz"; æøåäöüßé stay. What has no likeness becomes "?"."""
    return "".join(_folded(char) for char in text.translate(_PLAIN))


def _folded(char: str) -> str:
    if char in _SEPTETS:
        return char
    likeness = "".join(part for part in unicodedata.normalize("NFKD", char) if part in _SEPTETS)
    return likeness or "?"


def parts(text: str) -> int:
    """How many message parts `text` takes; a two-septet character never straddles a boundary. Refuses non-GSM-7."""
    if outside(text):
        raise ValueError(f"not GSM-7: {outside(text)!r}")
    widths = [_SEPTETS[char] for char in text]
    if sum(widths) <= SEPTETS_SINGLE:
        return 1
    count, room = 1, SEPTETS_JOINED
    for width in widths:
        if width > room:
            count, room = count + 1, SEPTETS_JOINED
        room -= width
    return count
