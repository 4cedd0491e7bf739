"""Reads a law pack's text into a `LawPack`, or into all that is wrong with it, with lines and remedies."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, cast

from relight.core.findings import Finding, Findings
from relight.core.money import parse_amount
from relight.core.policy_schema import LAW_SCHEMA, Mistake, mistakes
from relight.core.rules import model
from relight.core.rules.model import Applies, Demand, LawPack, Rule, Source
from relight.core.rules.plans import plan_bands
from relight.core.rules.sense import is_day, nonsense, not_a_day, senseless_figures
from relight.core.spans import Span
from relight.core.windows import WEEKDAY_NAMES, Window
from relight.core.yaml_tree import Document, read_tree, show

_Tree = Mapping[str, Any]


def read_pack(text: str, *, source: str = "") -> LawPack | Findings:
    """Read, validate and compile one pack. Never raises for what the text holds."""
    document = read_tree(text)
    if not document.values or document.cut_short:
        found = document.findings or [Finding(1, 1, "", "the file is empty", "begin with pack: and a name")]
        return Findings.of(found, source)
    wrong = mistakes(document.tree, LAW_SCHEMA)
    if not wrong:
        wrong = list(_senseless(cast(_Tree, document.tree)))
    if document.findings or wrong:
        return Findings.of(document.findings + [_placed(document, mistake) for mistake in wrong], source)
    return _compile(cast(_Tree, document.tree))


def packaged_packs() -> tuple[str, ...]:
    """The packs that come with Relight, by name; pending ones included."""
    return tuple(sorted(file.name.removesuffix(".yaml") for file in _folder().iterdir() if file.name.endswith(".yaml")))


@lru_cache(maxsize=32)
def packaged_pack(name: str) -> LawPack:
    """A pack that comes with Relight; raises KeyError for one that does not."""
    if name not in packaged_packs():
        raise KeyError(f"no law pack {name!r}; there are {', '.join(packaged_packs())}")
    read = read_pack(_folder().joinpath(f"{name}.yaml").read_text("utf-8"), source=f"{name}.yaml")
    assert isinstance(read, LawPack), str(read)
    return read


def _folder() -> Traversable:
    return resources.files("relight.core.packs").joinpath("laws")


def _placed(document: Document, mistake: Mistake) -> Finding:
    place = document.key_place(mistake.path) if mistake.of_key else document.place(mistake.path)
    return Finding(*place, show(mistake.path), mistake.message, mistake.remedy)


# What each kind of rule must say, and may say besides.
_KEYS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "requires_before": (
        frozenset({"needs"}),
        frozenset({"count", "ways", "channels", "each_term", "gap", "expired", "together"}),
    ),
    "min_elapsed": (frozenset({"since"}), frozenset({"span", "at_most", "per"})),
    "min_deadline": (frozenset({"term"}), frozenset({"count_from"})),
    "required_content": (frozenset({"elements"}), frozenset({"form", "plan"})),
    "requires_state": (frozenset({"any_of"}), frozenset()),
    "forbidden_if": (frozenset({"flags"}), frozenset({"unknown"})),
    "forbidden_window": (frozenset(), frozenset({"closed", "open", "if_flags"})),
    "forbidden_step": (frozenset(), frozenset({"never", "only_unpaid_service", "keep"})),
    "max_amount": (frozenset(), frozenset({"forbidden", "caps", "bands", "least", "most", "sum"})),
    "max_count": (frozenset({"count"}), frozenset({"per"})),
    "obligation_after": (frozenset({"triggers"}), frozenset({"within"})),
    "data_scope": (frozenset(), frozenset({"allowed", "forbidden"})),
}
_COMMON = frozenset({"kind", "target", "for", "law", "valid", "source", "enforce", "note"})


def _senseless(tree: _Tree) -> Iterator[Mistake]:
    """What a schema cannot say: keys of another kind of rule, memory that would permit, and plain nonsense."""
    for id_, rule in tree["rules"].items():
        path = ("rules", id_)
        if not id_.startswith(f"{tree['country'].lower()}."):
            yield Mistake(path, f"{id_} is not a rule of {tree['country']}", "begin the id with the country", True)
        needed, allowed = _KEYS[rule["kind"]]
        for key in sorted(needed - rule.keys()):
            yield Mistake(path, f"{key!r} is missing: a {rule['kind']} rule needs it", f"add {key}: …", True)
        for key in sorted(rule.keys() - needed - allowed - _COMMON):
            yield Mistake((*path, key), f"{key!r} says nothing in a {rule['kind']} rule", "take it out", True)
        if "plan" in rule and rule["plan"] not in tree.get("tables", {}):
            remedy = "write the table, or name one that is there"
            yield Mistake((*path, "plan"), f"there is no table {rule['plan']!r}", remedy)
        yield from _weak(path, rule)
        yield from nonsense(path, rule, tree["currency"])
    for group in ("rates", "tables"):
        for name, table in tree.get(group, {}).items():
            if isinstance(table, Mapping):
                yield from senseless_figures((group, name), cast(_Tree, table), tree["currency"])
    if not is_day(tree["as_of"]):
        yield not_a_day(("as_of",), tree["as_of"])


def _weak(path: tuple[str, ...], rule: _Tree) -> Iterator[Mistake]:
    source, enforce = rule["source"], rule.get("enforce", "block")
    if source["confidence"] != "verified" and enforce == "block":
        remedy = "write enforce: warn, or default where it only makes things stricter; read the source to let it block"
        yield Mistake((*path, "source"), f"a rule that is {source['confidence']} cannot block", remedy)
    if source["level"] == "none" and enforce == "block":
        yield Mistake((*path, "source"), "a rule without a source cannot block", "write enforce: default, or off")


def _compile(tree: _Tree) -> LawPack:
    currency = tree["currency"]
    return LawPack(
        name=tree["pack"],
        country=tree["country"],
        currency=currency,
        as_of=date.fromisoformat(tree["as_of"]),
        hash=_hash(tree),
        rules=tuple(_rule(id_, _filled(rule, tree), currency) for id_, rule in tree["rules"].items()),
        pending=tree.get("pending", False),
        tables={"rates": tree.get("rates", {}), "tables": tree.get("tables", {})},
    )


def _hash(tree: _Tree) -> str:
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> int | str:
    number = cast(Decimal, value)
    return int(number) if number == number.to_integral_value() else f"{number.normalize():f}"


def _filled(rule: _Tree, tree: _Tree) -> _Tree:
    """The rule with the table itself in place of its name."""
    if "plan" not in rule:
        return rule
    return {**rule, "plan": plan_bands(tree.get("tables", {}), rule["plan"], tree["currency"])}


def _rule(id_: str, tree: _Tree, currency: str) -> Rule:
    valid, whom = tree.get("valid", {}), tree.get("for", {})
    return Rule(
        id=id_,
        kind=tree["kind"],
        demand=_DEMANDS[tree["kind"]](tree, currency),
        targets=frozenset(tree["target"]),
        law=tree["law"],
        source=Source(**tree["source"]),
        applies=Applies(
            debtor=frozenset(whom.get("debtor", ())),
            service=frozenset(whom.get("service", ())),
            actor=frozenset(whom.get("actor", ())),
            region=frozenset(whom.get("region", ())),
            contract=whom.get("contract", ""),
        ),
        valid_from=date.fromisoformat(valid["from"]) if "from" in valid else None,
        valid_to=date.fromisoformat(valid["to"]) if "to" in valid else None,
        enforce=tree.get("enforce", "block"),
        note=tree.get("note", ""),
    )


def _span(tree: _Tree, key: str) -> Span | None:
    return Span.parse(tree[key]) if key in tree else None


def _minor(amount: Any, currency: str) -> int:
    return parse_amount(str(amount), currency)


def _requires_before(tree: _Tree, _: str) -> Demand:
    return model.RequiresBefore(
        needs=tuple(tree["needs"]),
        count=tree.get("count", 1),
        ways=tree.get("ways", 1),
        channels=frozenset(tree.get("channels", ())),
        each_term=_span(tree, "each_term"),
        gap=_span(tree, "gap"),
        expired=tree.get("expired", False),
        together=tree.get("together", False),
    )


def _min_elapsed(tree: _Tree, _: str) -> Demand:
    since = tuple(model.Anchor(anchor["of"], anchor["moment"]) for anchor in tree["since"])
    return model.MinElapsed(since, _span(tree, "span"), _span(tree, "at_most"), tree.get("per", "claim"))


def _min_deadline(tree: _Tree, _: str) -> Demand:
    return model.MinDeadline(Span.parse(tree["term"]), tree.get("count_from", "sent"))


def _requires_state(tree: _Tree, currency: str) -> Demand:
    return model.RequiresState(
        tuple(
            model.State(
                arrears_min=_minor(state["arrears_min"], currency) if "arrears_min" in state else None,
                claims_min=state.get("claims_min"),
                person=state.get("person", False),
                flags=frozenset(state.get("flags", ())),
            )
            for state in tree["any_of"]
        )
    )


def _forbidden_window(tree: _Tree, _: str) -> Demand:
    closed = tree.get("closed", {})
    return model.ForbiddenWindow(
        weekdays=frozenset(WEEKDAY_NAMES.index(name) for name in closed.get("weekdays", ())),
        months=frozenset(closed.get("months", ())),
        holidays=closed.get("holidays", False),
        day_before_holiday=closed.get("day_before_holiday", False),
        open=tuple(_window(window) for window in tree.get("open", ())),
        if_flags=tuple(tree.get("if_flags", ())),
    )


def _window(tree: _Tree) -> Window:
    opens, closes = tree["hours"]
    weekdays = frozenset(WEEKDAY_NAMES.index(name) for name in tree["weekdays"])
    return Window(weekdays, opens * 60, closes * 60, on_holidays=tree.get("holidays", False))


def _max_amount(tree: _Tree, currency: str) -> Demand:
    caps = tuple(
        model.Cap(date.fromisoformat(cap["from"]), None if cap["amount"] is None else _minor(cap["amount"], currency))
        for cap in tree.get("caps", ())
    )
    bands = tuple(
        model.Band(
            _minor(band["over"], currency),
            _minor(band["upto"], currency) if "upto" in band else None,
            int(Decimal(str(band["percent"])) * 100),
        )
        for band in tree.get("bands", ())
    )
    total = tree.get("sum", {})
    return model.MaxAmount(
        forbidden=tree.get("forbidden", False),
        caps=tuple(sorted(caps, key=lambda cap: cap.starts)),
        bands=bands,
        least=_minor(tree.get("least", 0), currency),
        most=_minor(tree["most"], currency) if "most" in tree else None,
        sum_max=_minor(total["max"], currency) if total else None,
        sum_span=_span(total, "span"),
        sum_below=_minor(total["below"], currency) if "below" in total else None,
    )


_DEMANDS: dict[str, Callable[[_Tree, str], Demand]] = {
    "requires_before": _requires_before,
    "min_elapsed": _min_elapsed,
    "min_deadline": _min_deadline,
    "required_content": lambda tree, _: model.RequiredContent(
        frozenset(tree["elements"]), tree.get("form", ""), tree.get("plan", ())
    ),
    "requires_state": _requires_state,
    "forbidden_if": lambda tree, _: model.ForbiddenIf(tuple(tree["flags"]), tree.get("unknown", "blocks") == "blocks"),
    "forbidden_window": _forbidden_window,
    "forbidden_step": lambda tree, _: model.ForbiddenStep(
        tree.get("never", False), tree.get("only_unpaid_service", False), frozenset(tree.get("keep", ()))
    ),
    "max_amount": _max_amount,
    "max_count": lambda tree, _: model.MaxCount(tree["count"], tree.get("per", "claim")),
    "obligation_after": lambda tree, _: model.ObligationAfter(frozenset(tree["triggers"]), _span(tree, "within")),
    "data_scope": lambda tree, _: model.DataScope(
        frozenset(tree.get("allowed", ())), frozenset(tree.get("forbidden", ()))
    ),
}
