"""What the agent reads of a log: every event and reason in one exact sentence."""

from collections.abc import Mapping
from typing import Any, cast

from relight.core.explain.entries import Why
from relight.core.explain.params import told
from relight.core.explain.speech import Speech, sentence

_WITHDRAWN = "withdrawn."


def event(speech: Speech, code: str, params: Mapping[str, Any]) -> str:
    """What happened."""
    key = f"event.{code}"
    if not speech.has(key):
        return speech.say("event.unknown", code=code)
    return speech.say(key, told(speech, shown(code, params), code))


def shown(code: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters that say something: of a payment that settles everything, not that nothing remains."""
    settled = code == "payment_seen" and not params.get("arrears")
    return {name: value for name, value in params.items() if not (settled and name == "arrears")}


def reason(speech: Speech, found: Mapping[str, Any]) -> Why:
    """Why, with the section and the rule. One without a sentence, of an older release, is told by its code."""
    code, params = str(found.get("code", "")), params_of(found)
    text = _reason(speech, code, params)
    return Why(
        text,
        speech.section(str(found.get("law") or "")),
        str(params.get("rule") or "") if code.startswith("law.") else "",
    )


def _reason(speech: Speech, code: str, params: Mapping[str, Any]) -> str:
    key = f"reason.{variant(code, params)}"
    if speech.has(key):
        return speech.say(key, {**told(speech, params, code), **_wait(speech, code, params)})
    if code.startswith(_WITHDRAWN):
        return speech.say("reason.withdrawn.because", why=speech.why(code.removeprefix(_WITHDRAWN)))
    return sentence(speech.name("reason", code))


def params_of(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters of a reason; none where an older release kept none."""
    return cast("Mapping[str, Any]", found.get("params") or {})


def variant(code: str, params: Mapping[str, Any]) -> str:
    """Which sentence of several tells a reason: the law's time may not have begun, be too short, or be over."""
    if code == "law.min_elapsed" and params.get("missing"):
        return "law.min_elapsed.missing"
    if code == "law.min_elapsed" and params.get("since") and not params.get("until"):
        return "law.min_elapsed.late"
    return code


def _wait(speech: Speech, code: str, params: Mapping[str, Any]) -> dict[str, str]:
    return waited(speech, str(params.get("step", ""))) if code == "policy.step_due" else {}


def waited(speech: Speech, name: str) -> dict[str, str]:
    """How long the policy lets a step wait, and after what; nothing where the policy is not known."""
    step = speech.policy.by_name.get(name) if speech.policy else None
    if step is None:
        return {}
    return {"wait": speech.span(step.after), "base": speech.piece(f"reason.base_{step.base}", speech.reader)}
