"""The schema that editors use says the same as the code."""

import json
import re
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from relight.core import actions, policy
from relight.core.levels import Level
from relight.core.money import COUNTRY_CURRENCY
from relight.core.policy_schema import schema_text
from relight.core.spans import COUNT_MAX, Span, Unit
from relight.core.windows import WEEKDAY_NAMES

SCHEMA: dict[str, Any] = json.loads(schema_text())
DEFS: dict[str, Any] = SCHEMA["$defs"]


def test_is_a_valid_schema_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_action_of_the_schema_is_one_of_the_code() -> None:
    listed = [choice["$ref"].rpartition("/")[2] for choice in DEFS["action"]["oneOf"]]

    assert listed == [DEFS[name]["required"][0] for name in listed]
    assert set(listed) == {action.kind for action in get_args(actions.Action)}


@pytest.mark.parametrize(
    ("listed", "known"),
    [
        (DEFS["tone"]["enum"], get_args(actions.Tone)),
        (DEFS["supply"]["properties"]["supply"]["enum"], [level for level in Level if level is not Level.READY]),
        (DEFS["request_to_grid"]["properties"]["request_to_grid"]["enum"], get_args(actions.GridRequest)),
        (DEFS["contact_attempt"]["properties"]["contact_attempt"]["enum"], get_args(actions.ContactWay)),
        (DEFS["security_demand"]["properties"]["security_demand"]["enum"], get_args(actions.SecurityForm)),
        (DEFS["contract_terminate"]["properties"]["contract_terminate"]["enum"], get_args(actions.TerminateScope)),
        (DEFS["end"]["enum"], get_args(policy.CaseEnd)),
        (DEFS["step"]["properties"]["approval"]["enum"], get_args(policy.Approval)),
        (DEFS["for"]["properties"]["debtor"]["enum"], get_args(policy.Debtor)),
        (DEFS["for"]["properties"]["actor"]["enum"], get_args(policy.Actor)),
        (SCHEMA["properties"]["holds"]["additionalProperties"]["enum"], get_args(policy.HoldScope)),
        (DEFS["weekdays"]["items"]["enum"], WEEKDAY_NAMES),
    ],
)
def test_lists_the_words_that_the_code_knows(listed: list[str], known: list[str]) -> None:
    assert sorted(listed) == sorted(known)


def test_every_country_has_a_currency() -> None:
    assert set(DEFS["for"]["properties"]["country"]["enum"]) <= set(COUNTRY_CURRENCY)


@given(st.from_regex(DEFS["span"]["pattern"], fullmatch=True))
def test_every_span_that_the_schema_takes_can_be_read(text: str) -> None:
    assert Span.parse(text).count <= COUNT_MAX


@given(st.integers(0, COUNT_MAX), st.sampled_from(Unit))
def test_every_span_that_is_written_is_taken_by_the_schema(count: int, unit: Unit) -> None:
    assert re.search(DEFS["span"]["pattern"], str(Span(count, unit)))
