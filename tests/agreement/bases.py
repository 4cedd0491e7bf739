"""What drawn policies begin with: those that come with Relight, those that the proof refuses, and roads that neither
group has: Swedish power, German lines, British gas, agencies, fees, heat, water that costs, a grid of businesses."""

from functools import cache
from pathlib import Path
from typing import Any, cast

from relight.core.policy_reader import packaged_text
from relight.core.yaml_tree import read_tree

# Named one by one, so that a policy more or less does not change what every seed draws.
_PACKAGED = (
    "broadband-business-no", "broadband-dk", "broadband-no", "power-de", "power-gb", "power-grid-business-no",
    "power-grid-nl", "power-grid-no", "power-supplier-dk", "power-supplier-nl", "water-nl",
)  # fmt: skip
_REFUSED = (
    "de-power-a-plan-of-half-a-year", "de-power-announced-by-letter-only", "dk-power-days-that-are-no-hverdage",
    "dk-power-reminders-a-week-apart", "gb-power-without-a-plan", "nl-collection-cost-without-its-letter",
    "nl-collection-costs-beyond-140-euro", "nl-power-called-twice-in-one-way", "nl-power-throttled-by-the-meter",
    "nl-power-two-reminders", "nl-water-nobody-told", "no-agency-after-a-short-warning",
    "no-agency-without-a-warning", "no-broadband-a-branch-forgets-the-notice",
    "no-broadband-a-profile-skips-the-reminder", "no-broadband-no-time-for-payments-on-their-way",
    "no-broadband-slowed-down-at-once", "no-broadband-thirty-days", "no-fee-that-no-law-knows",
    "no-fees-too-early-too-high-too-often", "no-gas-of-which-the-pack-says-nothing",
    "no-power-four-weeks-minus-a-day", "no-power-from-the-due-date", "no-power-nobody-called",
    "no-power-nobody-confirms", "no-power-notice-by-sms-only", "no-power-one-invoice", "no-power-supplier-cuts",
    "no-power-under-the-wrong-countrys-law",
)  # fmt: skip
_WRONG = Path(__file__).parents[1] / "policies" / "wrong"
_ROADS = {
    "power-se": """
policy: power-se
for: {country: SE, service: [electricity, electricity_grid], debtor: consumer, actor: grid_company}
law: [se]
opens: {overdue: 1 day}
steps:
  demand:
    after: 3 days
    do: [{message: reminder, channel: [letter], term: 2 weeks}, {fee: reminder, amount: 60}]
  notice:
    after: 2 weeks
    do: [{message: disconnect_notice, channel: [letter], term: 3 weeks}, {signal: social_board}]
  cut:
    after: 3 weeks
    when: {claims: {min: 2}, flags: {all: [disconnect_notice_served]}}
    window: {weekdays: [mon, tue, wed], hours: [9, 13]}
    approval: person
    do: [{supply: off}, {message: disconnected, channel: best}]
""",
    "line-se": """
policy: line-se
for: {country: SE, service: [telephony, broadband], debtor: consumer, actor: network}
law: [se]
opens: {overdue: 1 day}
steps:
  ask: {after: 4 days, do: [{message: reminder}, {fee: reminder, amount: 60}]}
  notice: {after: 10 days, do: [{message: disconnect_notice, channel: {all: [sms, email]}, term: 10 days}]}
  limit: {after: 10 days, do: [{supply: limited}, {message: service_limited}]}
  cut: {after: 2 weeks, approval: person, do: [{supply: off}]}
""",
    "line-de": """
policy: line-de
for: {country: DE, service: [broadband], debtor: consumer, actor: network}
law: [de]
opens: {overdue: 2 days}
steps:
  ask: {after: 5 days, do: [{message: friendly_reminder}]}
  notice: {after: 1 week, do: [{message: disconnect_notice, channel: {all: [email, letter]}, term: 2 weeks}]}
  cut: {after: 2 weeks, when: {arrears: {min: 100}}, do: [{supply: off}, {message: disconnected}]}
""",
    "gas-gb": """
policy: gas-gb
for: {country: GB, service: [gas, electricity], debtor: consumer, actor: supplier}
law: [gb]
opens: {overdue: 1 day}
steps:
  demand: {after: 1 week, do: [{message: reminder, channel: [email, letter]}, {plan_offer: affordable}]}
  notice: {after: 2 weeks, do: [{message: disconnect_notice, channel: {all: [email, letter]}, term: 2 weeks}]}
  cut: {after: 4 weeks, approval: person, do: [{supply: off}, {message: disconnected}]}
""",
    "agency-no": """
policy: agency-no
for: {country: NO, service: [broadband], debtor: consumer, actor: network}
law: [no]
opens: {overdue: 1 day}
steps:
  ask: {after: 14 days, do: [{message: reminder, term: 14 days}, {fee: reminder, amount: 37.50}]}
  warn:
    after: 16 days
    do: [{message: collection_warning, channel: [letter], term: 14 days}, {fee: collection_warning, amount: 35}]
  agency: {after: 15 days, do: [{handover: agency}]}
""",
    "agency-dk": """
policy: agency-dk
for: {country: DK, service: [water], debtor: business, actor: network}
law: [dk]
opens: {overdue: 1 day}
steps:
  one: {after: 4 days, do: [{message: reminder}, {fee: reminder, amount: 100}]}
  two: {after: 11 days, do: [{message: reminder}, {fee: reminder, amount: 100}]}
  warn: {after: 11 days, do: [{message: collection_warning, channel: [letter], term: 2 weeks}]}
  agency: {after: 2 weeks, do: [{handover: agency}, {fee: handoff, amount: 100}]}
""",
    "line-and-agency-no": """
policy: line-and-agency-no
for: {country: NO, service: [telephony, broadband], debtor: business, actor: network}
law: [no]
opens: {overdue: 3 days}
steps:
  ask: {after: 2 weeks, do: [{message: reminder}], next: [{when: {claims: {min: 2}}, step: notice}, {step: again}]}
  again: {after: 10 days, do: [{message: reminder, channel: [email, letter]}]}
  notice: {after: 1 week, do: [{message: disconnect_notice, channel: {all: [sms, letter]}, term: 4 weeks}]}
  limit:
    after: 31 days
    do: [{supply: walled_garden}]
    next: [{when: {arrears: {min: 2000}}, step: cut}, {step: warn}]
  cut: {after: 1 week, approval: person, do: [{supply: off}], next: [{step: warn}]}
  warn: {after: 1 week, do: [{message: collection_warning, channel: [letter], term: 14 days}]}
  agency: {after: 14 days, do: [{handover: agency}]}
""",
    "cost-nl": """
policy: cost-nl
for: {country: NL, service: [water], debtor: consumer, actor: network}
law: [nl]
opens: {overdue: 1 day}
steps:
  ask: {after: 5 days, do: [{message: reminder, channel: [letter], term: 2 weeks}]}
  letter: {after: 2 weeks, do: [{message: fourteen_day_letter, channel: [letter], term: 20 days}]}
  cost: {after: 3 weeks, do: [{fee: collection_cost, amount: 40}]}
  agency: {after: 2 weeks, approval: person, do: [{handover: agency}]}
""",
    "heat-nl": """
policy: heat-nl
for: {country: NL, service: [heat], debtor: business, actor: supplier}
law: [nl]
opens: {overdue: 1 day}
steps:
  one: {after: 3 days, do: [{message: reminder, channel: [letter], term: 2 weeks}, {contact_attempt: phone}]}
  two: {after: 15 days, do: [{message: reminder, channel: [letter], term: 2 weeks}]}
  three: {after: 15 days, do: [{message: reminder, channel: [letter], term: 2 weeks}, {contact_attempt: visit}]}
  offer: {after: 1 week, do: [{plan_offer: fitting}]}
  end: {after: 3 weeks, approval: two_people, do: [{contract_terminate: service}, {request_to_grid: end_of_supply}]}
""",
    "end-of-contract-no": """
policy: end-of-contract-no
for: {country: NO, service: [telephony], debtor: consumer, actor: network}
law: [no]
opens: {overdue: 1 day}
steps:
  ask: {after: 3 days, do: [{message: reminder}, {message: disconnect_notice, channel: {all: [sms, email]}}]}
  limit: {after: 1 month, do: [{supply: limited}]}
  end: {after: 2 weeks, approval: person, do: [{contract_terminate: service}]}
""",
}  # fmt: skip


@cache
def base_names() -> tuple[str, ...]:
    """Every beginning, in a fixed order."""
    return (*_PACKAGED, *_REFUSED, *_ROADS)


@cache
def lawful_names() -> tuple[str, ...]:
    """Those that were meant to be lawful."""
    return (*_PACKAGED, *_ROADS)


@cache
def _text(name: str) -> str:
    if name in _ROADS:
        return _ROADS[name]
    return packaged_text(name) if name in _PACKAGED else (_WRONG / f"{name}.yaml").read_text("utf-8")


def base_tree(name: str) -> dict[str, Any]:
    """The policy of that name as a plain tree of one's own to change."""
    document = read_tree(_text(name))
    assert not document.findings, (name, document.findings)
    return cast(dict[str, Any], document.tree)
