"""What every message must hold, asserted on each one as it is rendered.

Sources: forbrukerkjøpsloven § 48 a (notices), BW 6:96 lid 6 (the cost that comes on top), the house rule that whoever
would rather not follow a link can pay without one, and that nothing is asked for but the exact sum owed;
and for what is drawn: who, how much, when, and by which mandate.
"""

from collections.abc import Mapping

from relight.flow.messages import gsm7
from relight.flow.messages.catalog import ASKING, WITH_TERM
from relight.flow.messages.context import MessageContext
from relight.flow.messages.facts import facts_of
from relight.flow.messages.port import Channel


def missing(template: str, channel: Channel, context: MessageContext, text: str) -> list[str]:
    """What the rendered `text` lacks, in words for the person who mends the sentence; empty when it may go."""
    lacks: list[str] = []
    if template in ASKING:
        lacks += _money(channel, context, text)
    if template in WITH_TERM:
        lacks += _held(_days(template, context), text, channel)
    if template == "disconnect_notice":
        lacks += _notice(channel, context, text)
    if template == "fourteen_day_letter":
        lacks += _held({"the cost that comes on top": facts_of(context)["collection_cost"]}, text, channel)
    if template == "collection_notice":
        lacks += _draw(context, text, channel)
    if channel is Channel.SMS:
        lacks += _discreet(text, context)
    return lacks


def _money(channel: Channel, context: MessageContext, text: str) -> list[str]:
    facts = facts_of(context)
    wanted = {
        "the exact sum": facts["amount"],
        "the pay link": context.pay_url,
        "the payment reference": context.reference,
        "the account number": context.account,
        "our own site": context.brand.site,
    }
    return _held(wanted, text, channel)


def _days(template: str, context: MessageContext) -> dict[str, object]:
    facts = facts_of(context)
    if template == "disconnect_announcement":
        return {"the first day of a cut": facts["cut_from_short"]}
    return {"the last day to pay": facts["pay_by_short"]}


def _notice(channel: Channel, context: MessageContext, text: str) -> list[str]:
    facts = facts_of(context)
    wanted: dict[str, object] = {"our telephone": context.brand.phone}
    if channel is Channel.SMS:
        wanted["the social service"] = facts["social_service_short"]
    else:
        wanted |= {"the term": facts["term"], "the social service": facts["social_service"]}
    return _held(wanted, text, channel)


def _draw(context: MessageContext, text: str, channel: Channel) -> list[str]:
    facts = facts_of(context)
    wanted = {
        "who draws it": facts["brand"],
        "the sum that is drawn": facts["drawn"],
        "the day on which it is drawn": facts["draw_day_short"] if channel is Channel.SMS else facts["draw_day"],
        "the mandate": facts["mandate"],
        "the creditor's identifier": facts["creditor_id"],
    }
    return _held(wanted, text, channel)


def _held(wanted: Mapping[str, object], text: str, channel: Channel) -> list[str]:
    """Which of the values the text lacks, by what they are."""
    return [what for what, value in wanted.items() if not _holds(text, str(value), channel)]


def _discreet(text: str, context: MessageContext) -> list[str]:
    lacks = []
    if gsm7.outside(text):
        lacks.append("plain GSM-7 letters")
    told = {"the address": context.service_address, "the name": context.first_name}
    lacks += [f"discretion (it tells {what})" for what, value in told.items() if value and value in text.split()]
    return lacks


def _holds(text: str, value: str, channel: Channel) -> bool:
    if channel is Channel.SMS:
        value = gsm7.fold(value)
    # No-break spaces are a matter of looks: what counts is that the words are there.
    return value.replace("\xa0", " ") in text.replace("\xa0", " ")
