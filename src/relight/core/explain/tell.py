"""A whole case in plain words for one reader: what happened and why, what comes next, and what would stop it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from relight.core.explain import acts, agent, customer, rules
from relight.core.explain.ahead import Ahead
from relight.core.explain.entries import Entry, Told, Why
from relight.core.explain.params import param
from relight.core.explain.speech import Speech
from relight.core.explain.stops import Stop
from relight.core.law import Reason
from relight.core.windows import local_date

# The flags whose meaning a customer may be asked about in general words, and the question.
_DANGERS = frozenset(
    {"life_support", "danger_life", "danger_health", "danger_life_or_limb", "danger_significant_property",
     "risk_serious_injury", "medical_dependency", "very_serious_health_risk"}
)  # fmt: skip
_DANGER = "danger"
_APPROVAL = "approval"
_ANY_OF = frozenset({"flags", "holds"})  # one of them is enough
_HOLDS_OF_DANGER = "medical"


@dataclass(frozen=True, slots=True)
class Next:
    """What comes: sentences, why it waits (`denied`: why it would not be done), and what the law asks of it."""

    lines: tuple[str, ...]
    waits: tuple[Why, ...] = ()
    denied: bool = False
    laws: tuple[Why, ...] = ()


def told_entry(speech: Speech, entry: Entry) -> Told:
    """An entry of the log, with its reasons."""
    voice = customer if speech.reader == "customer" else agent
    speech = speech.about(entry.services)
    whys = dict.fromkeys(voice.reason(speech, why) for why in entry.reasons)
    return Told(entry, voice.event(speech, entry.code, entry.params), tuple(why for why in whys if why.text))


def told_next(speech: Speech, ahead: Ahead, now: datetime) -> Next:
    """What comes next."""
    if ahead.closed or (ahead.step is None and not ahead.under_way):
        return Next((speech.say("next.closed" if ahead.closed else "next.none"),))
    lines = list[str]()
    if ahead.under_way:
        lines.append(speech.say("next.under_way", _step(speech, ahead.under_way)))
    if ahead.step is not None:
        lines += _coming(speech, ahead)
    laws = [rules.tell(speech, rule, _day(speech, ahead, now), principal=_principal(ahead)) for rule in ahead.rules]
    asked = ahead.step is not None and ahead.step.approval != "none"  # whose yes it needs stands in the lines
    return Next(
        lines=tuple(lines),
        waits=_whys(speech, (why for why in ahead.reasons if not (asked and why.code == _APPROVAL))),
        denied=ahead.denied,
        laws=tuple(dict.fromkeys(law for law in laws if law is not None)) if _law_matters(speech, ahead) else (),
    )


def _law_matters(speech: Speech, ahead: Ahead) -> bool:
    """An agent sees all that the law asks; a customer what protects from losing a service or from costs."""
    return speech.reader == "agent" or (ahead.step is not None and ahead.step.burdens)


def _coming(speech: Speech, ahead: Ahead) -> Iterable[str]:
    assert ahead.step is not None
    terms = {
        **_step(speech, ahead.step.name),
        "amount": speech.money(ahead.amount),
        "claims": speech.listed(claim.number for claim in ahead.claims),
        "at": speech.moment(ahead.at) if ahead.at else "",
    }
    yield speech.say("next.planned" if ahead.at else "next.due", terms)
    if speech.reader == "agent" and (does := acts.to_agent(speech, ahead.step)):
        yield speech.say("next.does", does=does)
    if ahead.step.approval != "none":
        two = ahead.step.approval == "two_people"
        yield speech.say("next.approval", people=speech.name("people", "two" if two else "one"))


def _step(speech: Speech, name: str) -> dict[str, str]:
    return {"step": speech.name("step", name), "act": acts.to_customer(speech, name)}


def told_stops(speech: Speech, stops: Iterable[Stop]) -> tuple[Why, ...]:
    """What would stop it, one sentence each, with the law that says so."""
    found = list[Why]()
    for stop in stops:
        found += _to_customer(speech, stop) if speech.reader == "customer" else [_to_agent(speech, stop)]
    return tuple(dict.fromkeys(found))


def _to_agent(speech: Speech, stop: Stop) -> Why:
    laws = dict.fromkeys((why.law, str(dict(why.params).get("rule", ""))) for why in stop.reasons if why.law)
    if stop.code != "flag":
        laws = {}
    return Why(
        speech.say(f"stop.{stop.code}", _terms(speech, stop)),
        "; ".join(dict.fromkeys(speech.section(law) for law, _ in laws)),
        ", ".join(rule for _, rule in laws if rule),
    )


def _to_customer(speech: Speech, stop: Stop) -> Iterable[Why]:
    if stop.code in ("hold", "dispute"):
        for name in stop.params["holds"]:
            if name != _HOLDS_OF_DANGER and speech.has(f"stop.{name}"):
                yield Why(speech.say(f"stop.{name}"))
    elif stop.code == "flag":
        if _DANGERS & set(stop.params["flags"]):
            mine = acts.services(speech, acts.concerned(speech))
            yield Why(speech.say(f"stop.{_DANGER}", service=mine))
    elif stop.code != _APPROVAL:  # it was said with what comes, and a person is not for the customer to stop
        yield Why(speech.say(f"stop.{stop.code}", _terms(speech, stop)))


def _terms(speech: Speech, stop: Stop) -> Mapping[str, Any]:
    terms = {name: param(speech, name, value, f"stop.{stop.code}") for name, value in stop.params.items()}
    for name in _ANY_OF & set(stop.params):
        terms[name] = speech.listed((param(speech, name, one) for one in stop.params[name]), last="or")
    if "least" in stop.params:
        terms["least"] = speech.money(stop.params["least"])
    if speech.reader == "customer" and "services" in stop.params:
        kinds = [speech.services[id_] for id_ in stop.params["services"] if id_ in speech.services]
        terms["services"] = acts.services(speech, kinds)
    if "needs" in terms:
        terms["people"] = terms["needs"]
    return terms


def _whys(speech: Speech, reasons: Iterable[Reason]) -> tuple[Why, ...]:
    voice = customer if speech.reader == "customer" else agent
    found = [{"code": one.code, "params": dict(one.params), "law": one.law} for one in reasons]
    return tuple(dict.fromkeys(voice.reason(speech, one) for one in found))


def _day(speech: Speech, ahead: Ahead, now: datetime) -> date:
    return local_date(ahead.at or now, speech.zone)


def _principal(ahead: Ahead) -> int:
    return sum(claim.principal for claim in ahead.claims)
