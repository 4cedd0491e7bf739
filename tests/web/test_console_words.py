"""The console's words: the same in every language, none missing, and one for every code that the engine can emit."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import psycopg
import pytest
import yaml

from relight.core.rules.rates import Lack
from relight.flow.messages.context import LANGUAGES as MESSAGE_LANGUAGES
from relight.web import console
from tests.web import console_codes

CONSOLE = Path(console.__file__).parent
POLICIES = console_codes.ROOT / "core" / "packs" / "policies"
LANGUAGES = ("nb", "en")
# Groups that name codes; the other groups are texts of pages, each used somewhere.
CODES = frozenset(
    {"state", "level", "service", "channel", "debtor", "language", "profile", "step", "template", "act", "unit",
     "section", "waits", "hold", "task", "effect", "effect_state", "result", "why", "proof", "fate", "meaning",
     "payment", "claim_state", "approval_state", "task_state", "block", "ended", "flag", "people", "actor", "param",
     "role", "interest_lack", "boolean", "recall", "agency_state", "plan_state", "mandate_scheme",
     "collection_state", "undo_state",
     "plan_cannot", "alarm", "alarm_to_do"}
)  # fmt: skip
# What the database's own checks allow in a column, and the group that names it.
COLUMNS = {
    ("dunning_case", "state"): "state", ("approval", "state"): "approval_state", ("hold", "reason"): "hold",
    ("task", "state"): "task_state", ("effect", "kind"): "effect", ("effect", "state"): "effect_state",
    ("attempt", "result"): "result", ("block", "reason"): "block", ("block", "level"): "level",
    ("supply", "desired"): "level", ("supply", "observed"): "level", ("service", "kind"): "service",
    ("account", "debtor"): "debtor", ("contact_point", "channel"): "channel", ("claim", "state"): "claim_state",
    ("contact_point", "ended_because"): "ended", ("received_message", "meaning"): "meaning",
    ("payment", "state"): "payment", ("membership", "role"): "role", ("instalment_plan", "state"): "plan_state",
    ("collection", "state"): "collection_state", ("undo", "state"): "undo_state",
    ("mandate", "scheme"): "mandate_scheme",
}  # fmt: skip


@pytest.fixture(scope="module")
def texts(django_ready: None) -> Mapping[str, Mapping[str, str]]:
    from relight.web.console import words

    return {language: words.texts(language) for language in words.LANGUAGES}


@pytest.fixture(scope="module")
def in_norwegian(texts: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    return texts["nb"]


def test_why_no_late_interest_is_counted_has_its_words(texts: Mapping[str, Mapping[str, str]]) -> None:
    lacks = set(get_args(Lack))

    assert {language: missing("interest_lack", lacks, known) for language, known in texts.items()} == {
        language: [] for language in LANGUAGES
    }


def missing(group: str, codes: set[str], known: Mapping[str, str]) -> list[str]:
    return sorted(code for code in codes if f"{group}.{code}" not in known)


def test_every_language_has_the_same_texts(texts: Mapping[str, Mapping[str, str]]) -> None:
    assert set(texts) == set(LANGUAGES)
    assert set(texts["en"]) == set(texts["nb"])
    assert all(text.strip() for spoken in texts.values() for text in spoken.values())


def test_every_language_fills_in_the_same_things(texts: Mapping[str, Mapping[str, str]]) -> None:
    from relight.core.explain.words import places

    differing = {key for key, text in texts["nb"].items() if places(text) != places(texts["en"][key])}

    assert differing == set()


def test_no_text_is_left_in_the_other_language(texts: Mapping[str, Mapping[str, str]]) -> None:
    letters = re.compile("[æøåÆØÅ]")

    assert [key for key, text in texts["en"].items() if letters.search(text)] == []


def test_every_text_that_pages_ask_for_is_there(in_norwegian: Mapping[str, str]) -> None:
    asked = asked_by_templates() | asked_by_code(in_norwegian)

    assert sorted(asked - set(in_norwegian)) == []


def test_every_text_is_used_somewhere(in_norwegian: Mapping[str, str]) -> None:
    used = asked_by_templates() | asked_by_code(in_norwegian)

    spare = {key for key in in_norwegian if key.split(".")[0] not in CODES} - used

    assert sorted(spare) == []


def test_every_task_is_called_something_that_can_be_done(in_norwegian: Mapping[str, str]) -> None:
    found = console_codes.tasks()

    assert {"approve", "given_up", "payment_mismatch", "work_order", "read_message", "policy_cap"} <= found
    assert missing("task", found, in_norwegian) == []


def test_every_reason_why_nothing_left_has_words(in_norwegian: Mapping[str, str]) -> None:
    found = console_codes.whys()

    assert {"shadow", "cut_limit", "no_contact_point"} <= found
    assert sorted(code for code in found if not {f"why.{code}", f"waits.{code}"} & set(in_norwegian)) == []


def test_every_proof_that_a_driver_gives_has_words(in_norwegian: Mapping[str, str]) -> None:
    assert missing("proof", console_codes.proofs(), in_norwegian) == []


@pytest.mark.parametrize(("column", "group"), COLUMNS.items(), ids=lambda one: ".".join(one) if len(one) == 2 else one)
def test_every_value_that_a_column_may_hold_has_words(
    owner: psycopg.Connection, in_norwegian: Mapping[str, str], column: tuple[str, str], group: str
) -> None:
    found = owner.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
        (f"relight.{column[0]}",),
    ).fetchall()
    checks = [text for (text,) in found if re.match(rf"CHECK \(\({column[1]} = ANY ", text)]

    allowed = {code for text in checks for code in re.findall(r"'(\w+)'::", text)}

    assert allowed
    assert missing(group, allowed, in_norwegian) == []


def test_the_policies_that_come_along_are_all_in_words(in_norwegian: Mapping[str, str]) -> None:
    policies = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(POLICIES.glob("*.yaml"))]
    steps = {name for policy in policies for name in policy["steps"]}
    templates = {act["message"] for act in acts_of(policies) if "message" in act}
    profiles = {name for policy in policies for name in policy.get("profiles", {})}

    assert len(policies) >= 2
    assert missing("step", steps | {"restore"}, in_norwegian) == []
    assert missing("template", templates, in_norwegian) == []
    assert missing("profile", profiles, in_norwegian) == []


def test_every_template_that_goes_by_itself_and_every_language_of_messages_has_a_name(
    in_norwegian: Mapping[str, str],
) -> None:
    found = console_codes.templates()

    assert {"payment_received", "press_button", "restored"} <= found
    assert missing("template", found, in_norwegian) == []
    assert missing("language", set(MESSAGE_LANGUAGES), in_norwegian) == []


def test_every_alarm_says_what_is_wrong_and_what_to_do(in_norwegian: Mapping[str, str]) -> None:
    from relight.flow.watch.alarms import KINDS

    assert len(KINDS) > 10
    assert missing("alarm", set(KINDS), in_norwegian) == []
    assert missing("alarm_to_do", set(KINDS), in_norwegian) == []


def test_every_flag_that_protects_has_words(in_norwegian: Mapping[str, str]) -> None:
    from relight.core.guards import PROTECTING_FLAGS

    assert missing("flag", set(PROTECTING_FLAGS), in_norwegian) == []


def test_every_hold_that_the_form_offers_is_one_that_the_database_knows(owner: psycopg.Connection) -> None:
    from relight.web.console.forms import HOLD_REASONS

    check = owner.execute(
        "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint WHERE conrelid = 'relight.hold'::regclass"
    ).fetchone()

    assert check
    assert [reason for reason in HOLD_REASONS if f"'{reason}'" not in check[0]] == []


def acts_of(policies: list[Any]) -> list[dict[str, Any]]:
    return [act for policy in policies for step in policy["steps"].values() for act in step["do"]]


def asked_by_templates() -> set[str]:
    pages = [path.read_text("utf-8") for path in (CONSOLE / "templates").rglob("*.html")]
    return {key for page in pages for key in re.findall(r'{%-? *say "([^"]+)"', page)}


def asked_by_code(known: Mapping[str, str]) -> set[str]:
    """Dotted constants of the console's Python whose first part is a group of texts, and `f"cases.{…}"` in full."""
    groups = {key.split(".")[0] for key in known} - CODES
    asked: set[str] = {key for key in known if "." not in key}
    for path in CONSOLE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                asked |= composed(node, known)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                first, dot, _ = node.value.partition(".")
                if dot and first in groups and re.fullmatch(r"[a-z_]+(\.[a-z_]+)+(?<!\.sql)", node.value):
                    asked.add(node.value)
    return asked


def composed(node: ast.JoinedStr, known: Mapping[str, str]) -> set[str]:
    first = node.values[0]
    prefix = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return {key for key in known if key.startswith(prefix)} if re.fullmatch(r"[a-z_]+\.", prefix) else set()
