"""`relight explain`: what happened to a case and why, what comes next, and what would stop it, in plain words."""

from collections.abc import Iterator
from typing import Any

import click

from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.core.explain.entries import Told, Why, why_text
from relight.core.explain.speech import Speech
from relight.core.explain.words import LANGUAGES, READERS, Reader
from relight.flow.road.explaining import Explanation, Known, read_case
from relight.flow.road.explaining import explain as put_in_words


@click.command()
@click.argument("case", type=int)
@click.option("--for", "reader", type=click.Choice(READERS), default="agent", show_default=True, help="Who reads it.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default=None,
    help="Without it: the partner's for an agent, the customer's own for the customer.",
)  # fmt: skip
@partner_option
@json_option
@refusals
def explain(case: int, reader: Reader, language: str | None, partner_slug: str | None, as_json: bool) -> None:
    """Why a case is where it is: what happened, under which rule, what comes next and what would stop it.

    For the customer it says the same, kindly and with nothing internal: to read aloud on the telephone, or to send.

    Example:  relight explain 42 --for customer --language nl
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        now = db.clock()
        with db.transaction(id_) as tx:
            known = read_case(tx, case, now=now)
    found = put_in_words(known, reader, language or "")
    speech = known.speech(reader, found.language)
    answer(_as_data(known, found, speech), as_json=as_json, text="\n".join(lines(found, speech)))


def lines(found: Explanation, speech: Speech) -> Iterator[str]:
    """An explanation as it is printed."""
    yield from found.lead
    yield from ("", speech.say("frame.happened"))
    for told in found.told:
        yield from _entry_lines(told, found.reader, speech)
    if not found.told:
        yield f"  {speech.say('frame.happened_none')}"
    yield from ("", speech.say("frame.next"), *(f"  {line}" for line in found.next.lines))
    waits = "frame.denied" if found.next.denied else "frame.waits"
    for title, whys in ((waits, found.next.waits), ("frame.laws", found.next.laws)):
        yield from _list(speech.say(title), whys)
    if found.stops:
        yield from ("", speech.say("frame.stops"), *(f"  - {why_text(why)}" for why in found.stops))
    yield from ("", *found.help) if found.help else ()


def _list(title: str, whys: tuple[Why, ...]) -> Iterator[str]:
    if whys:
        yield from (f"  {title}", *(f"    - {why_text(why)}" for why in whys))


def _entry_lines(told: Told, reader: Reader, speech: Speech) -> Iterator[str]:
    entry = told.entry
    number = f"{entry.number:4}  " if reader == "agent" else "  "
    voided = f" ({speech.piece('frame.voided', reader)})" if entry.voided else ""
    yield f"{number}{_stamp(told, reader, speech)}: {told.text}{voided}"
    yield from (f"{' ' * len(number)}  - {why_text(why)}" for why in told.whys)


def _stamp(told: Told, reader: Reader, speech: Speech) -> str:
    """A customer reads days; an agent the moment, and whose doing it was when a person's."""
    local = told.entry.at.astimezone(speech.zone)
    if reader == "customer":
        return speech.day(local.date())
    who = told.entry.actor
    return speech.day(local.date()) + speech.clock(local) + (f", {who}" if who and who != "relight" else "")


def _as_data(known: Known, found: Explanation, speech: Speech) -> dict[str, Any]:
    """For scripts. A customer's version holds sentences only: no codes, parameters or names of people."""
    data: dict[str, Any] = {
        "case": known.head.case_id,
        "language": found.language,
        "for": found.reader,
        "lead": list(found.lead),
        "events": [_event_data(told, found.reader, speech) for told in found.told],
        "next": {
            "lines": list(found.next.lines),
            "denied" if found.next.denied else "waits": [_why_data(why) for why in found.next.waits],
            "laws": [_why_data(why) for why in found.next.laws],
        },
        "stops": [_why_data(why) for why in found.stops],
    }
    if found.reader == "customer":
        return {**data, "help": list(found.help)}
    head, ahead = known.head, known.ahead
    at = ahead.at.isoformat() if ahead and ahead.at else None
    next_at = head.next_at.isoformat() if head.next_at else None
    recorded = {"state": head.state, "next_step": head.next_step, "next_at": next_at, "waits_for": head.waits_for}
    coming = {"step": ahead.step.name if ahead and ahead.step else None, "at": at}
    return {**recorded, **data, "next": {**data["next"], **coming}}


def _event_data(told: Told, reader: Reader, speech: Speech) -> dict[str, Any]:
    entry = told.entry
    words = {"text": told.text, "why": [_why_data(why) for why in told.whys]}
    if reader == "customer":
        return {"date": entry.at.astimezone(speech.zone).date().isoformat(), **words}
    recorded = {"code": entry.code, "params": entry.params, "reasons": list(entry.reasons), "actor": entry.actor}
    return {"number": entry.number, "at": entry.at.isoformat(), **recorded, "voided": entry.voided, **words}


def _why_data(why: Why) -> dict[str, str]:
    found = {"text": why.text, "law": why.law, "rule": why.rule}
    return {name: told for name, told in found.items() if told}
