"""Text as the bytes of an SMS, and back: alphabet, length, parts. Pure; the SMPP driver stands on it.

Alphabets and limits are those of 3GPP TS 23.038 and TS 23.040. `smpplib.gsm` does the same, but cuts an escape sequence
or an emoji in two at a part's edge, and has a backtick where the alphabet has a section sign (§, which our texts use).
"""

import unicodedata
from dataclasses import dataclass

GSM7 = 0
LATIN1 = 3
UCS2 = 8

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
_EXTENDED = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_ENCODE = {letter: bytes([code]) for code, letter in enumerate(_BASIC) if code != _ESCAPE}
_ENCODE |= {letter: bytes([_ESCAPE, code]) for letter, code in _EXTENDED.items()}
_DECODE_EXTENDED = {code: letter for letter, code in _EXTENDED.items()}

# (octets in a message of one part, octets in each part of several); GSM-7 travels one septet to an octet in SMPP.
_LENGTHS = {GSM7: (160, 153), LATIN1: (140, 134), UCS2: (140, 134)}

# What a text editor or a number formatter leaves behind, and what says the same on any phone for half the price.
_PLAIN = str.maketrans(
    {
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u200b": "",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "«": '"',
        "»": '"',
        "–": "-",
        "—": "-",
        "\u2011": "-",
        "−": "-",
        "…": "...",
        "•": "-",
        "\t": " ",
    }
)


@dataclass(frozen=True, slots=True)
class Parts:
    """A text ready for `submit_sm`: the bytes of each part, headers included where there are several."""

    data_coding: int
    bodies: tuple[bytes, ...]


def split(text: str, *, reference: int, prefer: int = GSM7) -> Parts:
    """`text` as one part or several. `prefer` is what the SMSC takes as its plain alphabet, GSM7 or LATIN1.

    A text that the plain alphabet cannot hold goes as UCS-2, unless replacing typographic dashes, quotes and spaces is
    enough to save it. `reference` (0–255) ties the parts together in the phone. ValueError: more than 255 parts.
    """
    coding, letters = _encode(unicodedata.normalize("NFC", text), prefer)
    alone, each = _LENGTHS[coding]
    if sum(map(len, letters)) <= alone:
        return Parts(coding, (b"".join(letters),))
    bodies = _pack(letters, each)
    if len(bodies) > 255:
        raise ValueError(f"{len(bodies)} parts: an SMS has at most 255")
    header = bytes([5, 0, 3, reference & 0xFF, len(bodies)])
    return Parts(coding, tuple(header + bytes([number]) + body for number, body in enumerate(bodies, start=1)))


def _encode(text: str, prefer: int) -> tuple[int, list[bytes]]:
    """The alphabet that fits, and the text letter by letter in it, so that no letter is cut in two."""
    for candidate in (text, text.translate(_PLAIN)):
        try:
            return prefer, [_letter(letter, prefer) for letter in candidate]
        except (KeyError, UnicodeEncodeError):
            continue
    return UCS2, [letter.encode("utf-16-be", "replace") for letter in text]


def _letter(letter: str, coding: int) -> bytes:
    return _ENCODE[letter] if coding == GSM7 else letter.encode("latin-1")


def _pack(letters: list[bytes], size: int) -> list[bytes]:
    """Fill parts of `size` octets in order."""
    bodies = [bytearray()]
    for letter in letters:
        if len(bodies[-1]) + len(letter) > size:
            bodies.append(bytearray())
        bodies[-1] += letter
    return [bytes(body) for body in bodies]


def gsm7(text: str) -> bytes:
    """`text` in the GSM alphabet, one septet to an octet. KeyError: a letter it does not have."""
    return b"".join(_ENCODE[letter] for letter in text)


def decode(body: bytes, data_coding: int, *, plain: int = GSM7) -> str:
    """The text of a received message. `plain` is what this SMSC means by data_coding 0."""
    alphabet = _alphabet(data_coding, plain)
    if alphabet == UCS2:
        return body.decode("utf-16-be", "replace")
    return _decode_gsm7(body) if alphabet == GSM7 else body.decode("latin-1")


def _alphabet(data_coding: int, plain: int) -> int:
    """SMPP 3.4 § 5.2.19 for the low values, TS 23.038 § 4 for those that carry a message class."""
    if data_coding == 0:
        return plain
    if data_coding in (1, 2, 3, 4):
        return LATIN1
    if data_coding == UCS2:
        return UCS2
    if data_coding & 0xF0 == 0xF0:
        return LATIN1 if data_coding & 0x04 else GSM7
    if data_coding & 0xC0 == 0 and data_coding >= 0x10:
        return {0: GSM7, 2: UCS2}.get(data_coding >> 2 & 3, LATIN1)
    return plain


def _decode_gsm7(body: bytes) -> str:
    text: list[str] = []
    escaped = False
    for octet in body:
        if escaped:
            text.append(_DECODE_EXTENDED.get(octet, _BASIC[octet & 0x7F]))
            escaped = False
        elif octet == _ESCAPE:
            escaped = True
        else:
            text.append(_BASIC[octet & 0x7F])
    return "".join(text)
