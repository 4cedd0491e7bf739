"""Reads the file of a what-if's customers into a `Model`, or says all that is wrong, with lines and remedies."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib import resources
from typing import Any, cast

from relight.core.findings import Finding, Findings
from relight.core.policy_schema import CUSTOMERS_SCHEMA, Mistake, mistakes
from relight.core.simulate.customers import IN_TIME, Kind, Model
from relight.core.yaml_tree import Document, read_tree, show

_BETWEEN = ("within", "answered_within")


class WrongCustomers(ValueError):
    """The file of customers cannot be used; the text says line by line what to mend."""


def packaged_customers() -> str:
    """The text of the model that comes with Relight."""
    return resources.files("relight.core.simulate").joinpath("customers.yaml").read_text("utf-8")


def read_model(text: str = "") -> Model:
    """A model from a file's text, or the one that comes with Relight. Raises `WrongCustomers`."""
    document = read_tree(text or packaged_customers())
    found = document.findings
    if not found:
        of_form = mistakes(document.tree, CUSTOMERS_SCHEMA)
        of_sense = [] if of_form else list(_nonsense(cast(dict[str, Any], document.tree)))
        found = [_placed(document, mistake) for mistake in of_form + of_sense]
    if found:
        raise WrongCustomers(str(Findings.of(found)))
    return _model(cast(dict[str, Any], document.tree))


def _placed(document: Document, mistake: Mistake) -> Finding:
    place = document.key_place(mistake.path) if mistake.of_key else document.place(mistake.path)
    return Finding(*place, show(mistake.path), mistake.message, mistake.remedy)


def _nonsense(tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """What a schema cannot say."""
    kinds = cast(Mapping[str, Mapping[str, Any]], tree["kinds"])
    whole = sum(kind["share"] for kind in kinds.values())
    if whole != 100:
        yield Mistake(("kinds",), f"the shares of the kinds add up to {whole}, not to 100", "change one of them", True)
    if all(name == IN_TIME or not kind["share"] for name, kind in kinds.items()):
        yield Mistake(("kinds",), "nobody ever pays late", f"add a kind besides {IN_TIME}, with a share", True)
    if IN_TIME not in kinds:
        yield Mistake(("kinds",), f"there is no kind {IN_TIME}", "add it; its share may be 0", True)
    pairs = [("kinds", name, key) for name, kind in kinds.items() for key in _BETWEEN if key in kind]
    for path in (*pairs, ("people", "task_days"), ("people", "approval_days")):
        yield from _order(tree, path)
    for name, amount in tree["cost"].items():
        if Decimal(amount) * 100 % 1:
            yield Mistake(("cost", name), f"{amount} has more than two decimals", "leave the further ones out")


def _order(tree: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Mistake]:
    value: Any = tree
    for key in path:
        value = value[key]
    least, most = value
    if least > most:
        yield Mistake(path, f"{least} days is more than {most}", "write the fewer days first")


def _model(tree: Mapping[str, Any]) -> Model:
    return Model(
        kinds=tuple(_kind(name, told) for name, told in tree["kinds"].items()),
        reach=dict(tree["reach"]),
        task_days=_pair(tree["people"]["task_days"]),
        approval_days=_pair(tree["people"]["approval_days"]),
        cost={name: int(Decimal(amount) * 100) for name, amount in tree["cost"].items()},
    )


def _kind(name: str, told: Mapping[str, Any]) -> Kind:
    given: dict[str, Any] = {}
    for key, value in told.items():
        given[key] = tuple(cast(list[int], value)) if isinstance(value, list) else value
    return Kind(name, **given)


def _pair(told: list[int]) -> tuple[int, int]:
    least, most = told
    return least, most
