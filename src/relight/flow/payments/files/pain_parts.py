"""What orders to banks are made of (ISO 20022): elements, texts that XML can hold, and accounts. Pure."""

from collections.abc import Iterable
from xml.etree import ElementTree as Xml


def within(parent: Xml.Element, *names: str) -> Xml.Element:
    """A new element below another one, by a path of names."""
    for name in names:
        parent = Xml.SubElement(parent, name)
    return parent


def text(parent: Xml.Element, name: str, content: str) -> Xml.Element:
    """A new element with a text, without the signs that XML cannot hold."""
    found = Xml.SubElement(parent, name)
    found.text = _printable(content)
    return found


def account_id(parent: Xml.Element, number: str) -> None:
    """An account by its IBAN, or by the bank's own number."""
    named = within(parent, "Id")
    if number[:2].isalpha():
        text(named, "IBAN", number)
        return
    other = within(named, "Othr")
    text(other, "Id", number)
    text(within(other, "SchmeNm"), "Cd", "BBAN")


def whole(root: Xml.Element) -> bytes:
    """The file, indented so that people can read it too."""
    Xml.indent(root)
    return Xml.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _printable(content: Iterable[str]) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in content).strip()
