"""How far a policy has come, in words: checked under which packs, simulated with which figures, by whom and when."""

from collections.abc import Mapping
from typing import Any

from relight.core.money import to_decimal
from relight.core.policy import Policy
from relight.flow.cases.drafts import Stage, Stages


def told(policy: Policy, come: Stages) -> str:
    """Three lines: the content, its check, and its what-if."""
    lines = [f"{policy.name} {policy.hash[:8]}, for {', '.join(sorted(policy.services))}, {policy.debtor}"]
    if come.checked:
        packs = ", ".join(f"{name} {hash_[:8]}" for name, hash_ in come.checked.params["packs"].items())
        ways = f"{come.checked.params['paths']} ways through it, {come.checked.params['rules']} rules of {packs}"
        lines.append(f"  checked    {_when(come.checked)}: {ways}")
    if come.simulated:
        lines.append(f"  simulated  {_when(come.simulated)}: {figures(come.simulated.params)}")
    return "\n".join(lines)


def figures(what_if: Mapping[str, Any]) -> str:
    """A what-if in a sentence: the means."""
    mean = {name: one["mean"] for name, one in what_if["measures"].items()}
    whose = "made-up" if what_if["portfolio"] == "made up" else "of your own"
    people = (
        f"{what_if['accounts']:,} {whose} customers"
        if whose == "made-up"
        else f"{what_if['accounts']:,} customers {whose}"
    )
    fees = f"{to_decimal(mean['fees'], what_if['currency']):,} {what_if['currency']} in fees"
    return (
        f"{people} over {what_if['days']} days: {mean['cases_opened']:,} cases, {mean['messages']:,} messages,"
        f" {mean['limited']:,} limited, {mean['cuts']:,} cut, {fees},"
        f" half of the cured within {mean['days_to_cure_p50']} days"
    )


def _when(stage: Stage) -> str:
    return f"{stage.at:%Y-%m-%d %H:%M} by {stage.actor}"
