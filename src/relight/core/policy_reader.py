"""Reads a policy's text into a `Policy`, or into all that is wrong with it, with lines and remedies."""

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, cast

from relight.core.findings import Finding, Findings
from relight.core.money import COUNTRY_CURRENCY
from relight.core.policy import Policy
from relight.core.policy_checks import Roads, check_amount, check_hours, check_plan, check_road, check_skips, check_step
from relight.core.policy_compile import compile_policy
from relight.core.policy_schema import Mistake, mistakes
from relight.core.policy_tree import ContactTree, ForTree, OpensTree, PlanTree, PolicyTree, ProfileTree, StepTree
from relight.core.yaml_tree import Document, Tree, read_tree, show

_ANY_CURRENCY = "EUR"  # amounts are checked for their decimals even when the country cannot be read


def read_policy(text: str, *, source: str = "") -> Policy | Findings:
    """Read, validate and compile one policy. Never raises for what the text holds. `source` is a name for people."""
    document = read_tree(text)
    if not document.values:
        found = document.findings or [Finding(1, 1, "", "the file is empty", "begin with policy: and a name")]
        return Findings.of(found, source)
    if document.cut_short:
        return Findings.of(document.findings, source)
    of_form = mistakes(document.tree)
    of_sense = [*_check_parts(_sound_parts(document.tree, of_form)), *_check_roads(document.tree, of_form)]
    found = document.findings + [_placed(document, mistake) for mistake in of_form + of_sense]
    if found:
        return Findings.of(found, source)
    return compile_policy(cast(PolicyTree, document.tree))


def packaged_names() -> tuple[str, ...]:
    """The policies that come with Relight."""
    return tuple(
        sorted(file.name.removesuffix(".yaml") for file in _packaged().iterdir() if file.name.endswith(".yaml"))
    )


def packaged_text(name: str) -> str:
    """The text of a policy that comes with Relight; raises FileNotFoundError."""
    return _packaged().joinpath(f"{name}.yaml").read_text("utf-8")


def _packaged() -> Traversable:
    return resources.files("relight.core.packs").joinpath("policies")


def _placed(document: Document, mistake: Mistake) -> Finding:
    place = document.key_place(mistake.path) if mistake.of_key else document.place(mistake.path)
    return Finding(*place, show(mistake.path), mistake.message, mistake.remedy)


def _sound_parts(tree: Tree, of_form: list[Mistake]) -> dict[str, Any]:
    """The parts of the file, and the steps, that the schema found nothing wrong with."""
    if not isinstance(tree, dict):
        return {}
    parts: dict[str, Any] = dict(tree)
    steps = tree.get("steps")
    parts["steps"] = dict(steps) if isinstance(steps, dict) else {}
    for mistake in of_form:
        match mistake.path:
            case ("steps", str(name), *_):
                parts["steps"].pop(name, None)
            case ("steps",):
                pass  # too many or too few of them: each is as good as it was
            case (part, *_):
                parts.pop(str(part), None)
            case _:
                pass
    return parts


def _check_parts(parts: dict[str, Any]) -> Iterator[Mistake]:
    currency = COUNTRY_CURRENCY[cast(ForTree, parts["for"])["country"]] if "for" in parts else _ANY_CURRENCY
    profiles = cast(dict[str, ProfileTree], parts.get("profiles", {}))
    for name, step in cast(dict[str, StepTree], parts.get("steps", {})).items():
        yield from check_step(("steps", name), step, currency, list(profiles))
    for name, plan in cast(dict[str, PlanTree], parts.get("plans", {})).items():
        yield from check_plan(("plans", name), plan, currency)
    opens = cast(OpensTree, parts.get("opens", {}))
    if "arrears" in opens:
        yield from check_amount(("opens", "arrears", "min"), opens["arrears"]["min"], currency)
    contact = cast(ContactTree, parts.get("contact", {}))
    if "hours" in contact:
        yield from check_hours(("contact", "hours"), contact["hours"])


def _check_roads(tree: Tree, of_form: list[Mistake]) -> Iterator[Mistake]:
    """Checks what names steps, against all steps that the file has, sound or not."""
    steps = tree.get("steps") if isinstance(tree, dict) else None
    if not isinstance(tree, dict) or not isinstance(steps, dict) or not steps:
        return
    crooked = any(len(m.path) > 2 and m.path[0] == "steps" and m.path[2] == "next" for m in of_form)
    if not crooked and all(isinstance(step, dict) for step in steps.values()):
        yield from check_road(_roads(cast(dict[str, StepTree], steps)))
    if not any(m.path[:1] == ("profiles",) for m in of_form):
        profiles = cast(dict[str, ProfileTree], tree.get("profiles", {}))
        yield from check_skips({name: profile.get("skip", []) for name, profile in profiles.items()}, steps)


def _roads(steps: dict[str, StepTree]) -> Roads:
    return {name: step.get("next") for name, step in steps.items()}
