"""The words of one language, read once from `templates/<language>.yaml`, and the way a sentence is filled in."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from relight.flow.messages.context import LANGUAGES, HelpContact, Tone, WrongContext

TEMPLATES = (
    "friendly_reminder",
    "reminder",
    "collection_warning",
    "payment_demand",
    "fourteen_day_letter",
    "disconnect_notice",
    "disconnect_announcement",
    "termination_notice",
    "plan_offer",
    "plan_agreed",
    "plan_reminder",
    "plan_broken",
    "plan_lapsed",
    "plan_paid",
    "promise_broken",
    "collection_notice",
    "collection_failed",
    "security_demand",
    "service_limited",
    "disconnected",
    "restored",
    "payment_received",
    "press_button",
    "contact_attempt",
    "wrong_person_ack",
    "apology",
)
# These ask for money: link, reference and exact sum must be in them on every channel.
ASKING = frozenset(
    {
        "friendly_reminder",
        "reminder",
        "collection_warning",
        "payment_demand",
        "fourteen_day_letter",
        "disconnect_notice",
        "disconnect_announcement",
        "termination_notice",
        "plan_offer",
        "plan_agreed",
        "plan_reminder",
        "plan_broken",
        "plan_lapsed",
        "promise_broken",
        "collection_failed",
        "service_limited",
        "disconnected",
    }
)
# These name a last day, and are nothing without it.
WITH_TERM = frozenset(
    {
        "collection_warning",
        "payment_demand",
        "fourteen_day_letter",
        "disconnect_notice",
        "disconnect_announcement",
        "termination_notice",
        "security_demand",
    }
)
# Paragraphs that a law pack asks for by name (`required_content`), in the order in which they are read. Which of them a
# country's customers get is said in the sentence itself; docs/law.md has the sections.
NAMED: Mapping[str, tuple[str, ...]] = {
    "reminder": (
        "pay_by",
        "cut_possible",
        "plan_possible",
        "debt_help_options",
        "data_offer",
        "no_cutoff_if_medical_or_debt_help",
    ),
    "collection_warning": ("about_collection", "payable_within", "consequence", "objection"),
    "payment_demand": ("about_demand", "payable_within", "interest", "consequence", "objection", "complaint_board"),
    "fourteen_day_letter": ("about_demand", "payable_within", "collection_cost", "consequence", "objection"),
    "disconnect_notice": (
        "about_closing",
        "payable_within",
        "contact_us",
        "court",
        "cost",
        "water_containers",
        "social_service",
    ),
    "disconnect_announcement": (
        "about_closing",
        "payable_within",
        "plan_possible",
        "contact_us",
        "cost",
        "social_service",
    ),
    "termination_notice": ("about_ending", "payable_within", "new_supplier", "contact_us", "social_service"),
    "plan_offer": ("instalments", "no_interest", "how_to_accept", "keeps_service", "objections_right"),
    "security_demand": ("about_security", "payable_within", "consequence", "contact_us"),
}

# The network's kinds of service that share their words with another.
_SAME_WORDS = {
    "electricity_grid": "electricity",
    "power": "electricity",
    "district_heating": "heat",
    "internet": "broadband",
}

_FOLDER = resources.files("relight.flow.messages") / "templates"
# Sandboxed: a partner may bring sentences of its own. Strict: a missing fact is an error, never a gap in a letter.
_SENTENCES = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@lru_cache(maxsize=4096)
def _compiled(sentence: str) -> Template:
    return _SENTENCES.from_string(sentence)


def fill(sentence: str, facts: Mapping[str, object]) -> str:
    """`sentence` with its `{{ … }}` filled in; raises jinja2.UndefinedError when a fact is missing. Text, not HTML."""
    return _compiled(sentence).render(facts).strip()


@cache
def read_words(name: str) -> Mapping[str, Any]:
    """One YAML file of words, by its name without ending."""
    words: Mapping[str, Any] = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return words


def words_of(language: str) -> Mapping[str, Any]:
    """All words of one language; raises `WrongContext` for one that we do not have."""
    if language not in LANGUAGES:
        raise WrongContext(f"language {language!r}: one of {', '.join(LANGUAGES)}")
    return read_words(language)


def in_tone(words: str | Mapping[str, str], tone: Tone) -> str:
    """The sentence for `tone` where there is a choice, else the only one."""
    return words if isinstance(words, str) else words[tone.value]


def service_kind(kind: str) -> str:
    """The name under which the catalog speaks of a service; "other" for a kind that it has no words for."""
    kind = _SAME_WORDS.get(kind, kind)
    return kind if kind in read_words("en")["services"] else "other"


def service_words(language: str, kind: str) -> Mapping[str, str]:
    """The forms of a service's name: `the` (subject), `obj` (object), `of` (genitive), `name` (bare)."""
    forms = words_of(language)["services"][service_kind(kind)]
    return {"obj": forms["the"], "of": forms["the"], **forms}


def reference_word(language: str, country: str) -> str:
    """What a payment's reference is called where the customer pays."""
    by_country = words_of(language)["reference_word"]
    return str(by_country.get(country, by_country["other"]))


@cache
def help_contacts(country: str, language: str) -> tuple[HelpContact, ...]:
    """Who can help besides the creditor, the municipality's social service first."""
    words_of(language)
    by_country = read_words("help")
    return tuple(
        HelpContact(
            name=contact["name"][language],
            short=contact.get("short", contact["name"])[language],
            phone=contact.get("phone", ""),
            site=contact.get("site", ""),
            social_service=contact.get("social_service", False),
        )
        for contact in by_country.get(country, by_country["other"])
    )


def complaint_board(country: str, kind: str) -> tuple[str, str]:
    """Who decides when a customer and a creditor disagree, and its site; `kind` is a kind of service."""
    by_country = read_words("boards")
    boards = by_country.get(country, by_country["other"])
    board = boards.get("by_service", {}).get(service_kind(kind), boards["board"])
    return board["name"], board["site"]
