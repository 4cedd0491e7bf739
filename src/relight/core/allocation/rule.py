"""In which order money pays what is owed (`tables.allocation` of a pack).

Some laws say it (costs, then interest, then principal). Where none does, and where we have it from memory, the order
that helps the debtor counts: principal first, so that interest ends and nobody is cut for a fee.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from relight.core.rules.model import LawPack

Kind = Literal["costs", "interest", "principal"]
First = Literal["claim", "kind"]


@dataclass(frozen=True, slots=True)
class AllocationRule:
    """`order`: which kind of line comes first. `first`: the oldest claim whole and then the next ("claim"), or all
    lines of the first kind and then those of the next ("kind"). `law`: the section, if one says so."""

    order: tuple[Kind, ...] = ("principal", "interest", "costs")
    first: First = "claim"
    law: str = ""

    def __post_init__(self) -> None:
        if sorted(self.order) != ["costs", "interest", "principal"]:
            raise ValueError(f"an order names costs, interest and principal, each once, not {self.order}")


KINDEST = AllocationRule()


def allocation_rule(pack: LawPack) -> AllocationRule:
    """The rule of a pack, where it was read in the law; else the one that helps the debtor."""
    tree = cast(Mapping[str, Any], pack.tables)["tables"].get("allocation")
    if tree is None or tree["source"]["confidence"] != "verified":
        return KINDEST
    return AllocationRule(tuple(tree["order"]), tree["first"], tree["law"])
