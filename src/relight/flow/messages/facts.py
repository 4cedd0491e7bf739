"""From a message's context to the plain strings that sentences may use: nothing but text reaches a template."""

from collections.abc import Mapping
from datetime import timedelta

from relight.flow.messages.catalog import (
    complaint_board,
    help_contacts,
    reference_word,
    service_kind,
    service_words,
    words_of,
)
from relight.flow.messages.context import HelpContact, MessageContext, WrongContext
from relight.flow.messages.formats import day_month, long_date, money, number, unbroken

# Wgs art. 3: suppliers of these tell the municipality of a household that may need help.
_MAY_SIGNAL = frozenset({"electricity", "gas", "heat", "water"})
_WITH_EMERGENCY_CALLS = frozenset({"broadband", "telephony"})


def facts_of(context: MessageContext) -> Mapping[str, object]:
    """Every name that a sentence may use; docs/messages.md lists them for translators."""
    return {
        "brand": _brand_name(context),
        "creditor": context.creditor,
        "site": context.brand.site,
        "phone": unbroken(context.brand.phone),
        "country": context.country,
        "first_name": context.first_name,
        "address": context.service_address,
        **_money(context),
        **_service(context),
        **_times(context),
        **_law(context),
        **_plan(context),
        **_draw(context),
        **_help(context),
    }


def helpers_of(context: MessageContext) -> tuple[HelpContact, ...]:
    """The context's own help contacts, or the country's."""
    return context.help or help_contacts(context.country, context.language)


def ways_to_reach(contact: HelpContact) -> str:
    """A help contact's telephone and site, as far as there are any."""
    return ", ".join(way for way in (unbroken(contact.phone), contact.site) if way)


def _brand_name(context: MessageContext) -> str:
    brand = context.brand
    return f"{brand.name} / {brand.co_brand}" if brand.co_brand else brand.name


def _money(context: MessageContext) -> dict[str, object]:
    def shown(amount: int | None) -> str:
        return "" if amount is None else money(amount, context.currency, context.language)

    return {
        "amount": shown(context.amount_due),
        "paid": shown(context.amount_paid),
        "collection_cost": shown(context.collection_cost),
        "amount_with_cost": shown(context.amount_due + (context.collection_cost or 0)),
        "security": shown(context.security),
        "remains": context.amount_due > 0,
        "reference": unbroken(context.reference),
        "reference_word": reference_word(context.language, context.country),
        "account": unbroken(context.account),
        "link": context.pay_url,
    }


def _plan(context: MessageContext) -> dict[str, object]:
    """A plan's parts, and the one that did not come."""
    language, currency = context.language, context.currency
    told = [f"{long_date(day, language)}: {money(amount, currency, language)}" for day, amount in context.plan_parts]
    due, missed = context.missed or (None, 0)
    return {
        "plan_count": len(context.plan_parts),
        "parts_told": "; ".join(told),
        "missed": money(missed, currency, language) if missed else "",
        "missed_due": long_date(due, language) if due else "",
        "missed_due_short": day_month(due, language) if due else "",
    }


def _draw(context: MessageContext) -> dict[str, object]:
    """What is drawn from the customer's account, bill by bill, and when."""
    draw, language = context.draw, context.language
    bills = draw.bills if draw else ()
    told = [f"{bill}: {money(amount, context.currency, language)}" for bill, amount in bills]
    return {
        "drawn": money(sum(amount for _, amount in bills), context.currency, language) if bills else "",
        "drawn_told": "; ".join(told),
        "drawn_count": len(bills),
        "draw_day": long_date(draw.day, language) if draw else "",
        "draw_day_short": day_month(draw.day, language) if draw else "",
        "draw_again": bool(draw and draw.again),
        "mandate": draw.mandate if draw else "",
        "creditor_id": draw.creditor_id if draw else "",
    }


def _law(context: MessageContext) -> dict[str, object]:
    """What only some countries' customers are told; who they are is said here, once, and not in five languages."""
    kind, country = service_kind(context.service), context.country
    board, site = complaint_board(country, context.service)
    months = context.plan_months or ("", "")
    interest = context.interest
    return {
        "may_signal": country == "NL" and context.consumer and kind in _MAY_SIGNAL,
        "may_cut_after": country == "SE" and kind == "electricity",
        "interest_free_plan": country == "DE",  # EnWG § 41g
        "objections_to_plan": country == "DE",
        "plan_months_from": months[0],
        "plan_months_to": months[1],
        "interest_rate": number(interest.percent, context.language) if interest else "",
        "interest_since": long_date(interest.since, context.language) if interest else "",
        "complaint_board": f"{board} ({site})",
    }


def _service(context: MessageContext) -> dict[str, object]:
    forms = service_words(context.language, context.service)
    kind = service_kind(context.service)
    return {
        "the": forms["the"],
        "The": forms["the"][0].upper() + forms["the"][1:],
        "obj": forms["obj"],
        "of": forms["of"],
        "service_name": forms["name"],
        "service_kind": kind,
        "button": kind == "electricity",
        "emergency_calls": kind in _WITH_EMERGENCY_CALLS,
    }


def _times(context: MessageContext) -> dict[str, object]:
    pay_by, cut, language = context.pay_by, context.cut_date, context.language
    # Without a day of its own a cut comes no sooner than the day after the last one to pay.
    begins = cut or (pay_by + timedelta(days=1) if pay_by else None)
    return {
        "cut_from": long_date(begins, language) if begins else "",
        "cut_from_short": day_month(begins, language) if begins else "",
        "pay_by": long_date(pay_by, language) if pay_by else "",
        "pay_by_short": day_month(pay_by, language) if pay_by else "",
        "cut_date": long_date(cut, language) if cut else "",
        "term": _term(context),
    }


def _term(context: MessageContext) -> str:
    if context.term is None:
        return ""
    one, many = words_of(context.language)["units"][context.term.unit.value]
    return f"{context.term.count} {one if context.term.count == 1 else many}"


def _help(context: MessageContext) -> dict[str, object]:
    for contact in helpers_of(context):
        if contact.social_service:
            ways = ways_to_reach(contact)
            return {
                "social_service": f"{contact.name} ({ways})" if ways else contact.name,
                "social_service_short": contact.short or contact.name,
            }
    raise WrongContext(f"help: no contact for country {context.country!r} is marked social_service")
