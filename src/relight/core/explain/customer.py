"""What the customer is told of the same log: the agent's facts in the customer's terms, kindly, and nothing internal.

No flag is named, nor another person, nor a code: what we know of somebody's health or home is not for whoever reads
over a shoulder. What protects a customer is said as what it means: "the law protects you from this".
"""

from collections.abc import Mapping
from typing import Any, cast

from relight.core.explain import acts, agent, params
from relight.core.explain.entries import Why
from relight.core.explain.speech import Speech

# Parameters that a customer may see as they are told to agents: sums, moments, invoices, channels, numbers.
_PLAIN = frozenset(
    {"arrears", "amount", "claims", "until", "opens", "complete_until", "tried", "next", "needs", "is", "min", "max",
     "in", "most", "left", "due", "first", "day"}
)  # fmt: skip
_WITHDRAWN = "withdrawn."
QUIET = frozenset({"part_started"})  # what is told better by the entries around it
_FLAGS = ("condition.flags", "law.forbidden_if")


def event(speech: Speech, code: str, found: Mapping[str, Any]) -> str:
    """What happened."""
    key = f"event.{code}"
    if not speech.has(key):
        return speech.say("event.unknown")
    shown = agent.shown(code, found)
    return speech.say(key, {**_plain(speech, shown, code), **_terms(speech, shown, code)})


def reason(speech: Speech, found: Mapping[str, Any]) -> Why:
    """Why, with the section where a law speaks."""
    code, shown = str(found.get("code", "")), agent.params_of(found)
    key = f"reason.{variant(code, shown)}"
    if not speech.has(key):
        if code.startswith(_WITHDRAWN):
            return Why(_held_back(speech, code.removeprefix(_WITHDRAWN)))
        key = "reason.waits"
    waited = agent.waited(speech, str(shown.get("step", ""))) if code == "policy.step_due" else {}
    text = speech.say(key, {**_plain(speech, shown, code), **_because(speech, shown.get("holds")), **waited})
    return Why(text, speech.section(str(found.get("law") or "")))


def _held_back(speech: Speech, why: str) -> str:
    """That something did not go out, and why, where the guard's own sentence needs nothing that is not kept."""
    told = [speech.say("reason.withdrawn.because")]
    if speech.has(f"reason.{why}") and not speech.needs(f"reason.{why}"):
        told.append(speech.say(f"reason.{why}"))
    return " ".join(told)


def variant(code: str, shown: Mapping[str, Any]) -> str:
    """Which sentence of several tells a reason. What is known protects; what is unknown has to be asked."""
    if code in _FLAGS and not shown.get("yes"):
        if shown.get("unknown"):
            return f"{code}.unknown"
        return "condition.flags.missing" if shown.get("all") and code == "condition.flags" else code
    return agent.variant(code, shown)


def _plain(speech: Speech, shown: Mapping[str, Any], code: str) -> dict[str, str]:
    return {name: params.param(speech, name, value, code) for name, value in shown.items() if name in _PLAIN}


def _terms(speech: Speech, shown: Mapping[str, Any], code: str) -> dict[str, str]:
    """What the customer calls the step, the services and the hold of an event."""
    found = dict[str, str]()
    if "step" in shown and isinstance(shown["step"], str):
        found["act"] = acts.to_customer(speech, shown["step"])
        found["done"] = acts.to_customer(speech, shown["step"], "done")
    if "services" in shown or "service" in shown:
        ids = cast("list[Any]", shown.get("services") or [shown.get("service")])
        kinds = [speech.services[id_] for id_ in ids if id_ in speech.services]
        mine = acts.services(speech, kinds)
        found |= {"services": mine, "service": mine, "n": str(len(set(kinds)) or 1)}
    if code.startswith("hold_"):
        found |= _because(speech, shown.get("reason"))
    return found


def _because(speech: Speech, reasons: object) -> dict[str, str]:
    """A hold as the customer knows it: "fordi du har klaget"; one without words of its own is a look at the case."""
    names = [reasons] if isinstance(reasons, str) else list(cast("list[str]", reasons or ()))
    known = [f"hold.{name}" if speech.has(f"hold.{name}") else "hold.manual" for name in names]
    told = speech.listed(dict.fromkeys(speech.piece(key, "customer") for key in known))
    return {"because": told} if told else {"because": speech.piece("hold.manual", "customer")}
