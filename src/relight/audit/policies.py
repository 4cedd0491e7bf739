"""Policies as they were published: read from their text again, by a reader of the audit's own.

Scalars stay text until somebody counts with them, so that no amount ever becomes a float.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from relight.audit.days import Hours
from relight.audit.reading import Reading

# What a policy means that says nothing (docs/policy.md).
_CONTACT = {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "hours": ["9", "20"], "max_per_7_days": "4"}
_SETTLE = "3 working days"
Tree = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A step: its wait, condition, window and who must agree; the levels it sets and the templates it sends.

    `acts` names what each of its parts is in law; `ways` how each part goes about it; `notices` are the parts that are
    messages and do not only tell of a cut; `gives` is every time to pay that its letters name, and the waits of the
    steps that may follow.
    """

    name: str
    after: str
    when: Tree
    window: Hours | None
    approval: str
    levels: frozenset[str]
    templates: frozenset[str]
    acts: tuple[frozenset[str], ...] = ()
    ways: tuple[str, ...] = ()
    notices: tuple[tuple[int, str], ...] = ()
    following: tuple[tuple[Tree, str], ...] = ()  # the ways on: a condition, and the step
    gives: tuple[str, ...] = ()

    @property
    def by_people(self) -> frozenset[str]:
        """What the step asks people to take away, or to hand over."""
        return frozenset().union(*self.acts) & BY_PEOPLE if not self.levels else frozenset()


@dataclass(frozen=True)
class Policy:
    """One version."""

    id: int
    name: str
    contact: Hours
    contacts_max: int  # messages in seven days
    settle: str
    opens_min: int  # of arrears, in minor units
    actor: str
    services: frozenset[str]
    steps: dict[str, Step]
    skips: dict[str, frozenset[str]]  # by profile, the steps that are left out
    delays: dict[str, str]  # by profile, the time that comes on top of every wait
    fees: dict[str, frozenset[str]]  # by step, the names of the fees that it charges


def published(reading: Reading) -> tuple[dict[int, Policy], dict[str, int]]:
    """A partner's policies by id, and the ids by hash."""
    rows = reading.rows("SELECT id, name, hash, text FROM policy_version WHERE partner_id = %(partner)s ORDER BY id")
    return {row["id"]: read(row["id"], row["text"]) for row in rows}, {row["hash"]: row["id"] for row in rows}


def read(id_: int, text: str) -> Policy:
    """One policy's text, which passed the engine's checks when it was published."""
    tree = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - the base loader makes text and nothing else
    contact = {**_CONTACT, **tree.get("contact", {})}
    return Policy(
        id=id_,
        name=tree["policy"],
        contact=_hours(contact),
        contacts_max=int(contact["max_per_7_days"]),
        settle=tree.get("settle", _SETTLE),
        opens_min=minor(tree["opens"].get("arrears", {}).get("min", "0")),
        actor=tree["for"]["actor"],
        services=frozenset(tree["for"]["service"]),
        steps={name: _step(name, step, tree["steps"]) for name, step in tree["steps"].items()},
        skips={name: frozenset(one.get("skip", ())) for name, one in tree.get("profiles", {}).items()},
        delays={name: one["delay"] for name, one in tree.get("profiles", {}).items() if "delay" in one},
        fees={
            name: frozenset(action["fee"] for action in step["do"] if "fee" in action)
            for name, step in tree["steps"].items()
        },
    )


def minor(amount: str) -> int:
    """An amount as a policy writes it, in minor units."""
    return int(Decimal(amount) * 100)


def _following(name: str, steps: Tree) -> tuple[tuple[Tree, str], ...]:
    """The ways on from a step, to be tried in order."""
    names = list(steps)
    if "next" in steps[name]:
        return tuple((branch.get("when") or {}, branch["step"]) for branch in steps[name]["next"])
    return tuple(({}, after) for after in names[names.index(name) + 1 :][:1])


def _notices(actions: list[Tree]) -> tuple[tuple[int, str], ...]:
    supplies = [part for part, action in enumerate(actions) if "supply" in action]
    before = min(supplies, default=len(actions))
    return tuple((part, action["message"]) for part, action in enumerate(actions[:before]) if "message" in action)


def _acts(action: Tree) -> frozenset[str]:
    """What an action is in law; a message is what its template says."""
    if "supply" in action:
        return frozenset(LEVEL_ACTS.get(action["supply"], ()))
    if "message" in action:
        return frozenset({action["message"]})
    if "contact_attempt" in action:
        return frozenset({"contact_attempt", "personal_contact"})
    if "signal" in action:
        return frozenset({_SIGNALS.get(str(action["signal"]), str(action["signal"]))})
    if "request_to_grid" in action:
        return frozenset({action["request_to_grid"]}) - {"reconnect"}
    return frozenset(name for key, name in _PLAIN.items() if key in action)


LEVEL_ACTS = {"off": ("disconnect",), "limited": ("throttle",), "walled_garden": ("throttle",)}
BY_PEOPLE = frozenset({"contract_terminate", "disconnect", "end_of_supply", "agency_handoff"})
_SIGNALS = {"municipality": "early_signal", "municipality_end_of_supply": "end_supply_signal",
            "social_board": "authority_notice"}  # fmt: skip
_PLAIN = {"plan_offer": "plan_offer", "security_demand": "security_demand", "contract_terminate": "contract_terminate",
          "handover": "agency_handoff"}  # fmt: skip


def _step(name: str, tree: Tree, steps: Tree) -> Step:
    following = _following(name, steps)
    terms = tuple(action["term"] for action in tree["do"] if "message" in action and "term" in action)
    return Step(
        name=name,
        after=tree["after"],
        when=tree.get("when") or {},
        window=_hours(tree["window"]) if "window" in tree else None,
        approval=tree.get("approval", "none"),
        levels=frozenset(action["supply"] for action in tree["do"] if "supply" in action),
        templates=frozenset(action["message"] for action in tree["do"] if "message" in action),
        acts=tuple(_acts(action) for action in tree["do"]),
        ways=tuple(action.get("contact_attempt", "") for action in tree["do"]),
        notices=_notices(tree["do"]),
        following=following,
        gives=(*terms, *(steps[way]["after"] for _, way in following)),
    )


def _hours(tree: Tree) -> Hours:
    opens, closes = (_minute(hour) for hour in tree["hours"])
    return Hours(
        frozenset(tree["weekdays"]),
        opens,
        closes,
        holidays=tree.get("holidays", "false").lower() in ("true", "yes", "on"),
        before_holidays=tree.get("before_holidays", "true").lower() in ("true", "yes", "on"),
    )


def _minute(hour: str) -> int:
    whole, _, minutes = hour.partition(":")
    return int(whole) * 60 + int(minutes or 0)
