"""The proof: what passes may go live, and what does not pass shows the way through it that breaks a rule."""

import re
from pathlib import Path

import pytest

from relight.core.calendars import calendar_for
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_names, packaged_text, read_policy
from relight.core.prove.prove import prove
from relight.core.prove.result import Proof
from relight.core.rules.lawbook import LawBook, packaged_law
from relight.core.rules.model import LawPack
from relight.core.rules.reader import packaged_pack, read_pack
from relight.core.spans import Span
from relight.flow.messages.elements import Texts

WRONG = sorted((Path(__file__).parents[2] / "policies" / "wrong").glob("*.yaml"))
HEAD = """\
policy: sample
for: {country: NO, service: [broadband], debtor: consumer, actor: network}
opens: {overdue: 1 day}
"""
PACK = """\
pack: "no"
country: "NO"
currency: NOK
as_of: 2026-11-21
rules:
"""
SOURCE = "source: {level: primary, confidence: verified}"


def policy(text: str) -> Policy:
    read = read_policy(text)
    assert isinstance(read, Policy), str(read)
    return read


def proved(text: str, rules: str = "") -> Proof:
    """A policy against the packs that come with Relight, or against rules of the test's own."""
    if not rules:
        return prove(policy(text), packaged_law(), Texts())
    pack = read_pack(PACK + rules)
    assert isinstance(pack, LawPack), str(pack)
    return prove(policy(text), LawBook([pack]), Texts())


def told(proof: Proof) -> set[tuple[str, str]]:
    return {(one.rule, one.step) for one in proof.findings}


def test_there_are_wrong_policies() -> None:
    assert len(WRONG) >= 15


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_a_wrong_policy_gives_the_findings_it_must_and_no_others(file: Path) -> None:
    text = file.read_text("utf-8")
    wanted = set(re.findall(r"^#! (\S+) at (\S+)$", text, re.MULTILINE))

    proof = proved(text)

    assert wanted
    assert told(proof) == wanted
    assert all(one.law for one in proof.findings)


@pytest.mark.parametrize("name", packaged_names())
def test_the_policies_that_come_with_relight_pass(name: str) -> None:
    proof = proved(packaged_text(name))

    assert proof.findings == ()
    assert proof.paths >= 1
    assert proof.rules >= 1
    assert set(proof.hashes) == set(policy(packaged_text(name)).laws)


def test_the_counterexample_tells_the_days_on_which_it_goes_wrong() -> None:
    text = next(file for file in WRONG if file.stem == "no-power-four-weeks-minus-a-day").read_text("utf-8")

    (finding,) = proved(text).findings

    assert finding.law == "forbrukerkjøpsloven § 48 a second paragraph a"
    assert finding.path == "notice 2026-01-01 → call 2026-01-16 → cut 2026-01-24 without settle"
    assert "here until 30 January 2026" in finding.message


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_a_finding_is_a_sentence_without_jargon_and_says_what_to_do(file: Path) -> None:
    for one in proved(file.read_text("utf-8")).findings:
        wrong, _, remedy = one.message.partition(". ")

        assert wrong[0].isupper()
        assert "_" not in wrong
        assert "{" not in wrong
        assert re.match(r"(Write|Raise|Take|Add|Let|Open|Narrow|Leave|Split) ", remedy), one.message


def test_an_act_that_comes_at_the_wrong_place_is_told_where_it_comes() -> None:
    rule = "  no.x.first: {kind: requires_before, target: [throttle], needs: [reminder, disconnect_notice],"
    rule += f" law: a law § 1, {SOURCE}}}\n"
    steps = "steps:\n  one: {after: 3 days, do: [{message: %s}]}\n  two: {after: 9 days, do: [{message: %s}]}\n"
    limit = "  limit: {after: 60 days, do: [{supply: limited}%s]}\n"

    with_it = proved(HEAD + steps % ("reminder", "reminder") + limit % ", {message: disconnect_notice}", rule)
    too_soon = proved(HEAD + steps % ("disconnect_notice", "reminder") + limit % "", rule)

    assert ": here it comes in this very step. Write" in with_it.findings[0].message
    assert ": here it comes before a reminder. Write" in too_soon.findings[0].message


def test_a_wait_in_days_is_held_against_the_longest_month() -> None:
    steps = "steps:\n  reminder: {after: 3 days, do: [{message: reminder}, {message: disconnect_notice}]}\n"
    limit = "  limit: {after: %s, do: [{supply: limited}]}\n"

    short, long = (proved(HEAD + "settle: 0 days\n" + steps + limit % wait) for wait in ("30 days", "31 days"))

    assert ("no.ekom.block.one_month", "limit") in told(short)
    assert ("no.ekom.block.one_month", "limit") not in told(long)


def test_working_days_are_held_against_easter_and_christmas() -> None:
    rule = "  no.x.notice: {kind: min_elapsed, target: [throttle], since: [{of: reminder, moment: sent}],"
    rule += f" span: 3 working days, law: a law § 1, {SOURCE}}}\n"
    text = HEAD + "settle: 0 days\nsteps:\n  reminder: {after: 3 days, do: [{message: reminder}]}\n"

    longest = calendar_for("NO").longest_days(Span.parse("3 working days"))

    by_days = {
        days: told(proved(text + f"  limit: {{after: {days} days, do: [{{supply: limited}}]}}\n", rule))
        for days in (5, longest - 1, longest)
    }

    assert longest > 7
    assert [days for days, found in by_days.items() if ("no.x.notice", "limit") in found] == [5, longest - 1]


GRID = """\
policy: boundary
for: {country: NO, service: [electricity_grid], debtor: consumer, actor: grid_company}
opens: {overdue: 1 day}
settle: %s
steps:
  notice:
    after: 5 days
    do: [{message: reminder}, {message: disconnect_notice, channel: {all: [email, letter]}}, {contact_attempt: phone}]
  cut: {after: %s, when: {arrears: {min: 1000}, claims: {min: 2}}, approval: person, do: [{supply: "off"}]}
"""
FOUR_WEEKS = {("no.el.disconnect.notice_4w", "cut")}
ON_THEIR_WAY = {("relight.settle", "cut")}


@pytest.mark.parametrize(
    ("day", "settle", "findings"),
    [
        (28, "0 days", FOUR_WEEKS | ON_THEIR_WAY),
        (28, "3 working days", FOUR_WEEKS),  # days for payments come on top, and buy none of the customer's
        (29, "0 days", ON_THEIR_WAY),
        (29, "1 day", ON_THEIR_WAY),
        (29, "1 working day", set()),
        (34, "0 days", ON_THEIR_WAY),  # at Easter a payment of the 28th day arrives on the 34th
        (35, "0 days", set()),
    ],
)
def test_the_grid_is_closed_on_day_29_and_when_payments_have_arrived(
    day: int, settle: str, findings: set[tuple[str, str]]
) -> None:
    whole_days = f"{day - 1} days"  # that have passed when the day begins

    assert told(proved(GRID % (settle, whole_days))) == findings


def test_a_longer_settle_does_not_make_up_for_a_short_month() -> None:
    steps = "steps:\n  notice: {after: 3 days, do: [{message: reminder}, {message: disconnect_notice}]}\n"
    by_wait = {
        (wait, level): told(proved(f"{HEAD}{steps}  cut: {{after: {wait}, do: [{{supply: {level}}}]}}\n"))
        for wait in ("30 days", "1 month")
        for level in ("limited", "walled_garden", '"off"')
    }

    assert {key: ("no.ekom.block.one_month", "cut") in found for key, found in by_wait.items()} == {
        (wait, level): wait == "30 days" for wait, level in by_wait
    }
    assert all(found == set() for (wait, _), found in by_wait.items() if wait == "1 month")


def test_a_cut_for_which_the_law_names_no_time_waits_for_payments_too() -> None:
    rule = "  no.x.first: {kind: requires_before, target: [throttle], needs: [reminder], law: a law § 1,"
    rule += f" {SOURCE}}}\n"
    text = "settle: %s\nsteps:\n  ask: {after: 3 days, do: [{message: reminder}]}\n"
    text += "  limit: {after: 60 days, do: [{supply: limited}]}\n"

    none, one = (told(proved(HEAD + text % settle, rule)) for settle in ("0 days", "1 working day"))

    assert (none, one) == ({("relight.settle", "limit")}, set())


def test_fees_of_one_way_may_come_to_the_cap_and_not_beyond_it() -> None:
    text = next(file for file in WRONG if file.stem == "nl-collection-costs-beyond-140-euro").read_text("utf-8")

    assert told(proved(text)) == {("nl.wik.recurring_cap", "fourth")}
    assert proved(text.replace("20.01", "20")).ok


def test_a_rule_from_memory_warns_and_does_not_refuse() -> None:
    rule = "  no.x.hours: {kind: forbidden_window, target: [debtor_contact], law: a bill, enforce: warn,"
    rule += " open: [{weekdays: [mon, tue, wed, thu, fri], hours: [9, 17]}],"
    rule += " source: {level: none, confidence: memory_high}}\n"
    text = HEAD + "steps:\n  reminder: {after: 3 days, do: [{message: reminder}]}\n"

    proof = proved(text, rule)

    assert proof.ok
    assert [(one.rule, one.step) for one in proof.warnings] == [("no.x.hours", "reminder")]


def test_a_policy_that_only_asks_needs_no_rule_to_vouch_for_it() -> None:
    text = HEAD.replace("broadband", "gas") + "steps:\n  ask: {after: 3 days, do: [{message: friendly_reminder}]}\n"

    assert proved(text).ok


def test_a_pending_law_is_never_used_and_can_be_tried() -> None:
    pending = packaged_pack("no-inkassolov-2026")
    warned = policy(HEAD + "steps:\n  ask: {after: 3 days, do: [{message: collection_warning, term: 14 days}]}\n")

    tried = prove(warned, LawBook([packaged_pack("no"), _as_no(pending)]), Texts())

    assert pending.pending
    assert packaged_law().pack(pending.name) is None
    assert "no.newact.warning_by_agency" in {one.rule for one in tried.warnings}


def _as_no(pack: LawPack) -> LawPack:
    """The pending pack under the name that the policy's `law` gives."""
    import dataclasses

    return dataclasses.replace(pack, name="no", rules=(*packaged_pack("no").rules, *pack.rules))


def test_too_many_branches_are_refused_in_words() -> None:
    steps = "".join(
        f"  s{at}: {{after: 1 day, do: [{{message: reminder}}],"
        f" next: [{{when: {{claims: {{min: 2}}}}, step: s{at + 1}}}, {{step: s{at + 2}}}]}}\n"
        for at in range(30)
    )
    ends = "".join(f"  s{at}: {{after: 1 day, do: [{{message: reminder}}], next: []}}\n" for at in (30, 31))

    proof = proved(HEAD + "steps:\n" + steps + ends)

    assert [one.rule for one in proof.findings] == ["relight.paths"]
    assert "Split the policy" in proof.findings[0].message


def test_the_same_policy_gives_the_same_proof() -> None:
    text = packaged_text("power-grid-no")

    assert proved(text) == proved(text)
