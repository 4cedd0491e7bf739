"""A policy's `when`, asked of what was so at the moment of a cut. Yes, no, or None for unknown, which does not hold."""

from collections.abc import Iterable
from datetime import date

from relight.audit.history import Basis, Cut
from relight.audit.policies import Tree, minor

_SEASONS = {"winter": {12, 1, 2}, "spring": {3, 4, 5}, "summer": {6, 7, 8}, "autumn": {9, 10, 11}}
Truth = bool | None


def holds(when: Tree, cut: Cut, claims: tuple[Basis, ...], today: date) -> Truth:
    """Whether a condition held for these claims of a cut on the partner's day."""
    return all_true(_leaf(key, tree, cut, claims, today) for key, tree in when.items())


def all_true(truths: Iterable[Truth]) -> Truth:
    """No if any is no, else unknown if any is, else yes."""
    seen = set(truths)
    return False if False in seen else None if None in seen else True


def any_true(truths: Iterable[Truth]) -> Truth:
    """Yes if any is yes, else unknown if any is, else no."""
    return _not(all_true(_not(truth) for truth in truths))


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _leaf(key: str, tree: Tree, cut: Cut, claims: tuple[Basis, ...], today: date) -> Truth:
    match key:
        case "all":
            return all_true(holds(part, cut, claims, today) for part in tree)  # type: ignore[arg-type]
        case "any":
            return any_true(holds(part, cut, claims, today) for part in tree)  # type: ignore[arg-type]
        case "not":
            return _not(holds(tree, cut, claims, today))
        case "arrears":
            owed = sum(claim.owed for claim in claims) - cut.credit
            return _between(owed, {bound: minor(amount) for bound, amount in tree.items()})
        case "claims":
            return _between(len(claims), {bound: int(count) for bound, count in tree.items()})
        case "oldest_days":
            oldest = min((claim.due_date for claim in claims), default=today)
            return _between((today - oldest).days, {bound: int(count) for bound, count in tree.items()})
        case _:
            return _of_case(key, tree, cut, today)


def _of_case(key: str, tree: Tree, cut: Cut, today: date) -> Truth:
    match key:
        case "flags":
            known = {"yes": True, "no": False}
            return all_true(
                _quantified(how, [known.get(cut.flags.get(name, "")) for name in names]) for how, names in tree.items()
            )
        case "reach":
            reach = cut.facts.get("reach", [])
            return all_true(_quantified(how, [name in reach for name in names]) for how, names in tree.items())
        case "profile":
            return cut.facts.get("profile", "") in tree["in"]
        case "season":
            return any(today.month in _SEASONS[name] for name in tree["in"])
        case "month":
            return today.month in {int(month) for month in tree["in"]}
        case "supply":
            return bool(cut.services_desired & set(tree["level"])) if cut.services_desired else None
        case _:
            raise ValueError(f"the audit does not know the condition {key!r}")


def _between(number: int, bounds: dict[str, int]) -> bool:
    return bounds.get("min", number) <= number <= bounds.get("max", number)


def _quantified(how: str, truths: list[Truth]) -> Truth:
    if how == "all":
        return all_true(truths)
    return any_true(truths) if how == "any" else _not(any_true(truths))
