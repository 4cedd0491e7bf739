"""A partner's setting for references: read, and used to make one for an invoice or to take one apart.

    scheme: kid                       # one of `relight reference schemes`
    layouts:                          # a KID may have up to three, each of another length
      - [{fixed: "00"}, {customer: 7}, {invoice: 6}]
      - [{customer: 9}, {invoice: 8}]
    dash: false                       # kid-mod11 only: refuse those that would end in "-"

The first layout that the numbers fit into is used. No check digit is written: the scheme adds it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from relight.core.references.digits import DASH
from relight.core.references.errors import UnableToMakeReference, WrongSetting
from relight.core.references.layouts import Kind, Layout, Part, first_filled
from relight.core.references.schemes import SCHEMES, Scheme

KID_LAYOUTS_MAX = 3
KID_IN_FILES_MIN = 4  # AvtaleGiro and OCR giro take none shorter
_KEYS = {"scheme", "layouts", "dash"}
_KINDS: tuple[Kind, ...] = ("fixed", "customer", "invoice")


@dataclass(frozen=True, slots=True)
class ReferenceSetting:
    """How a partner's references are made. `dash`: one may end in "-" (KID, modulus 11)."""

    scheme: Scheme
    layouts: tuple[Layout, ...]
    dash: bool = True

    def make(self, *, customer: str, invoice: str) -> str:
        """The reference of an invoice; raises `UnableToMakeReference`."""
        numbers: dict[Kind, str] = {"customer": customer, "invoice": invoice}
        reference = self.scheme.make(first_filled(self.layouts, numbers, letters=self.scheme.letters))
        if reference.endswith(DASH) and not self.dash:
            raise UnableToMakeReference(
                f"the reference of invoice {invoice} would end in a dash: give it another number"
            )
        return reference

    def read(self, text: str) -> dict[Kind, str] | None:
        """The customer's and the invoice's number in a reference, with their zeros; None where it is well formed and
        of none of the layouts. Raises `WrongReference` for what is no reference of the scheme."""
        payload = self.scheme.payload(self.scheme.check(text))
        return next((numbers for layout in self.layouts if (numbers := layout.split(payload)) is not None), None)


def read_setting(tree: Mapping[str, Any]) -> ReferenceSetting:
    """Read a setting; raises `WrongSetting` with the first thing that is wrong and what to write instead."""
    unknown = sorted(tree.keys() - _KEYS)
    if unknown:
        raise WrongSetting(f"unknown key {unknown[0]!r}; write {', '.join(sorted(_KEYS))}")
    scheme = SCHEMES.get(str(tree.get("scheme", "")))
    if scheme is None:
        raise WrongSetting(f"scheme: {tree.get('scheme')!r} is not known; choose among {', '.join(SCHEMES)}")
    given = tree.get("layouts")
    if not isinstance(given, list) or not given:
        raise WrongSetting("layouts: write a list of parts, such as [{customer: 7}, {invoice: 6}]")
    dash = tree.get("dash", True)
    if not isinstance(dash, bool) or (not dash and scheme.name != "kid-mod11"):
        raise WrongSetting("dash: write true or false, and only for kid-mod11")
    layouts = tuple(_layout(parts, at) for at, parts in enumerate(cast(list[object], given)))
    wrong = next(_misfits(scheme, layouts), None)
    if wrong:
        raise WrongSetting(wrong)
    return ReferenceSetting(scheme, layouts, dash)


def _layout(parts: object, at: int) -> Layout:
    if not isinstance(parts, list) or not parts:
        raise WrongSetting(f"layouts[{at}]: write a list of parts, such as [{{customer: 7}}, {{invoice: 6}}]")
    return Layout(tuple(_part(part, f"layouts[{at}]") for part in cast(list[object], parts)))


def _part(part: object, where: str) -> Part:
    tree: Mapping[str, object] = cast(Mapping[str, object], part) if isinstance(part, Mapping) else {}
    kind: Kind | None = next((kind for kind in _KINDS if kind in tree), None)
    if kind is None or len(tree) != 1:
        raise WrongSetting(f'{where}: a part is one of {{fixed: "00"}}, {{customer: 7}}, {{invoice: 6}}')
    value = tree[kind]
    if kind == "fixed":
        if not isinstance(value, str) or not (value.isascii() and value.isalnum()):
            raise WrongSetting(f'{where}: write what is fixed in quotes, digits or letters, such as fixed: "00"')
        return Part("fixed", len(value), value.upper())
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise WrongSetting(f"{where}: {kind}: write how many characters, such as {kind}: 7")
    return Part(kind, value)


def _misfits(scheme: Scheme, layouts: Sequence[Layout]) -> Iterator[str]:
    """What the layouts may not be, for this scheme."""
    for at, layout in enumerate(layouts):
        if layout.size > scheme.room:
            yield f"layouts[{at}]: {layout.size} characters are too many; a {scheme.name} has room for {scheme.room}"
        if scheme.padded and layout.size != scheme.room:
            yield f"layouts[{at}]: {layout.size} characters do not fill a {scheme.name}; it has {scheme.room}"
        if not scheme.letters and not all(part.text.isdigit() for part in layout.parts if part.kind == "fixed"):
            yield f"layouts[{at}]: a {scheme.name} has digits only; take the letters out of what is fixed"
        if layout.size_of("invoice") + layout.size_of("customer") == 0:
            yield f"layouts[{at}]: nothing tells one bill from another; add the customer's or the invoice's number"
        if any(_kinds(layout).count(kind) > 1 for kind in ("customer", "invoice")):
            yield f"layouts[{at}]: the same number stands there twice; keep one of them"
    if scheme.name.startswith("kid"):
        yield from _kid_misfits(layouts)


def _kinds(layout: Layout) -> tuple[Kind, ...]:
    return tuple(part.kind for part in layout.parts)


def _kid_misfits(layouts: Sequence[Layout]) -> Iterator[str]:
    """An agreement takes three structures at most, each of another length, also of the customer's number in it."""
    if len(layouts) > KID_LAYOUTS_MAX:
        yield f"layouts: {len(layouts)} are too many; a bank's agreement takes {KID_LAYOUTS_MAX}"
    if len({layout.size for layout in layouts}) < len(layouts):
        yield "layouts: two have the same length, so that nobody could tell them apart; change one of them"
    if len(layouts) > 1 and len({layout.size_of("customer") for layout in layouts}) < len(layouts):
        yield "layouts: the customer's number has the same length in two of them, which the bank does not take"
    if any(layout.size + 1 < KID_IN_FILES_MIN for layout in layouts):
        yield f"layouts: a KID in files of the bank has {KID_IN_FILES_MIN} characters or more, the check digit included"
