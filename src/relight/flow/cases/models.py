"""Cases: one account's arrears under one policy, and the log of everything decided about it."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from relight.flow.cases.plan_models import Plan, PlanClaim, PlanPart
from relight.flow.cases.undo_models import Undo, UndoCase
from relight.flow.partners.fields import PartnerRow, link, one_of, period

__all__ = (
    "Approval", "Case", "CaseEvent", "Hold", "Plan", "PlanClaim", "PlanPart", "PolicyAct", "PolicyDraft",
    "PolicyVersion", "StepClaim", "StepTaken", "Task", "Undo", "UndoCase",
)  # fmt: skip


class PolicyDraft(PartnerRow):
    """A policy's text before it is published, by the hash of its content. Rows are added and never changed."""

    name = models.TextField()
    hash = models.CharField(max_length=64)
    text = models.TextField()
    kept_at = models.DateTimeField()
    kept_by = models.TextField()

    class Meta:
        db_table = "policy_draft"
        constraints = (models.UniqueConstraint(fields=("partner", "name", "hash"), name="policy_draft_once"),)


class PolicyAct(PartnerRow):
    """What was done about a policy, by whom: its history. Rows are added and never changed.

    `checked` and `simulated` are about a content (`hash`) under the law packs in `params`; the others about a version.
    The id of a `moving` or an `undoing` is the bulk id of the cases' events; an undo of no one policy has no name.
    """

    name = models.TextField()
    hash = models.CharField(max_length=64)
    version = models.IntegerField(null=True)
    code = models.TextField()
    params = models.JSONField(db_default=models.Value("{}"))
    actor = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "policy_act"
        constraints = (
            one_of("code", "checked", "simulated", "published", "shared", "moving", "moved", "undoing", "undone"),
        )
        indexes = (models.Index(fields=("partner", "name", "id"), name="policy_act_name"),)


class PolicyVersion(PartnerRow):
    """A policy as published: text, hash and proof never change afterwards, and the role that runs may not try to.

    `share` is how many of a hundred new cases it gets; the others go to the version before it. `cap` is how many cases
    may run under it at a time; None for as many as come.
    """

    name = models.TextField()
    version = models.IntegerField()
    text = models.TextField()
    hash = models.CharField(max_length=64)
    services = ArrayField(models.TextField())
    debtor = models.TextField()
    priority = models.IntegerField(db_default=0)
    share = models.SmallIntegerField(db_default=100)
    cap = models.IntegerField(null=True)
    proof = models.JSONField(db_default=models.Value("{}"))
    published_at = models.DateTimeField(null=True)
    published_by = models.TextField(db_default="")
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "policy_version"
        constraints = (
            models.UniqueConstraint(fields=("partner", "name", "version"), name="policy_version_once"),
            models.CheckConstraint(condition=Q(share__range=(0, 100)), name="policy_version_share"),
            models.CheckConstraint(condition=Q(cap__isnull=True) | Q(cap__gte=1), name="policy_version_cap"),
        )


class Case(PartnerRow):
    """One account's arrears under one policy. `version` is the number of its last event.

    An open case always has `wakes_at`, at most seven days after its last turn. `arrears`, `step`, `next_step` and
    `next_at` repeat what the last decision said, for lists; nothing is decided from them.
    """

    account = link("relight_accounts.Account")
    policy_version = link("relight_cases.PolicyVersion")
    services = ArrayField(models.TextField())
    state = models.TextField(db_default="watching")
    lane = models.TextField(db_default="bulk")
    wakes_at = models.DateTimeField(null=True)
    turned_at = models.DateTimeField()
    version = models.IntegerField(db_default=0)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    arrears = models.BigIntegerField(db_default=0)
    step = models.TextField(db_default="")
    next_step = models.TextField(db_default="")
    next_at = models.DateTimeField(null=True)
    waits_for = models.TextField(db_default="")

    class Meta:
        db_table = "dunning_case"
        constraints = (
            one_of("state", "watching", "active", "closed"),
            one_of("lane", "bulk", "urgent"),
            models.UniqueConstraint(
                fields=("partner", "account", "policy_version"), condition=~Q(state="closed"), name="case_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state="closed")
                | Q(wakes_at__isnull=False, wakes_at__lte=F("turned_at") + timedelta(days=7)),
                name="case_wakes",
            ),
        )
        indexes = (
            models.Index(
                fields=("partner", "wakes_at", "id"),
                condition=Q(lane="bulk", wakes_at__isnull=False),
                name="case_due_bulk",
            ),
            models.Index(
                fields=("partner", "wakes_at", "id"),
                condition=Q(lane="urgent", wakes_at__isnull=False),
                name="case_due_urgent",
            ),
            models.Index(fields=("partner", "account"), name="case_account"),
        )


class CaseEvent(PartnerRow):
    """What happened to a case, in order, for good: code, parameters, reasons, actor and cause.

    Rows are added and never changed. `voids` names the earlier event of the same case that this one takes out of
    counts and clocks. Facts are kept whole for cuts, restores and refusals.
    """

    pk = models.CompositePrimaryKey("partner_id", "case_id", "number")
    case = link("relight_cases.Case")
    number = models.IntegerField()
    code = models.TextField()
    params = models.JSONField(db_default=models.Value("{}"))
    reasons = models.JSONField(db_default=models.Value("[]"))
    actor = models.TextField()
    cause = models.TextField(db_default="")
    bulk_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    voids = models.IntegerField(null=True)
    policy_hash = models.CharField(max_length=64, db_default="")
    law_hash = models.CharField(max_length=64, db_default="")
    calendar_hash = models.CharField(max_length=64, db_default="")
    facts_hash = models.CharField(max_length=64, db_default="")
    facts = models.JSONField(null=True)

    class Meta:
        db_table = "case_event"
        indexes = (models.Index(fields=("partner", "bulk_id"), condition=Q(bulk_id__isnull=False), name="event_bulk"),)


class StepTaken(PartnerRow):
    """A step of the policy that a case took: decided, then completed; `pay_by_date` is the term that it gave."""

    case = link("relight_cases.Case")
    number = models.IntegerField()
    step = models.TextField()
    decided_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    pay_by_date = models.DateField(null=True)
    voided_at = models.DateTimeField(null=True)
    proof = models.TextField(db_default="")

    class Meta:
        db_table = "step_taken"
        constraints = (models.UniqueConstraint(fields=("partner", "case", "number"), name="step_taken_number"),)


class StepClaim(PartnerRow):
    """A claim that a step covers, with the sums that it named: progress belongs to claims. `raised` is by how much it
    has grown since, which the step did not name."""

    step = link("relight_cases.StepTaken", index=True)
    claim = link("relight_claims.Claim", index=True)
    principal = models.BigIntegerField()
    costs = models.BigIntegerField(db_default=0)
    raised = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "step_claim"
        constraints = (models.UniqueConstraint(fields=("partner", "step", "claim"), name="step_claim_once"),)


class Hold(PartnerRow):
    """A pause, from–to, on a case, a claim (or part of it), a service, or everything of a party's account.

    `protective` holds do not end by themselves: at `review_date` they become a task. `ended_by` is who let go.
    `noted_at` is when a decision saw that a promise to pay was over.
    """

    account = link("relight_accounts.Account")
    case = link("relight_cases.Case", null=True)
    claim = link("relight_claims.Claim", null=True)
    service = link("relight_accounts.Service", null=True)
    amount = models.BigIntegerField(null=True)
    reason = models.TextField()
    note = models.TextField(db_default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    review_date = models.DateField(null=True)
    protective = models.BooleanField(db_default=False)
    source = models.TextField(db_default="")
    placed_by = models.TextField()
    ended_by = models.TextField(db_default="")
    noted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "hold"
        constraints = (
            one_of(
                "reason",
                "dispute",
                "complaint",
                "plan",
                "promise",
                "says_paid",
                "debt_help",
                "deceased",
                "medical",
                "wrong_person",
                "manual",
                "municipality",
                "collection",
            ),
            period(),
        )
        indexes = (
            models.Index(fields=("partner", "account"), name="hold_account"),
            models.Index(
                fields=("partner", "review_date"),
                condition=Q(protective=True, ends_at__isnull=True),
                name="hold_review",
            ),
        )


class Approval(PartnerRow):
    """A person's yes or no to something that may not happen without; never given by who asked for it."""

    kind = models.TextField()
    case = link("relight_cases.Case", null=True)
    step = models.TextField(db_default="")
    claims = ArrayField(models.BigIntegerField(), db_default=models.Value("{}"))
    needs = models.IntegerField(db_default=1)
    state = models.TextField(db_default="requested")
    requested_at = models.DateTimeField()
    requested_by = models.TextField()
    decided_at = models.DateTimeField(null=True)
    decided_by = ArrayField(models.TextField(), db_default=models.Value("{}"))
    note = models.TextField(db_default="")

    class Meta:
        db_table = "approval"
        constraints = (
            one_of("kind", "step", "refund", "write_off", "remission", "bulk", "policy"),
            one_of("state", "requested", "granted", "refused", "spent", "lapsed"),
            models.UniqueConstraint(
                fields=("partner", "case", "step"),
                condition=Q(state__in=("requested", "granted"), kind="step"),
                name="approval_open_once",
            ),
        )
        indexes = (
            models.Index(fields=("partner", "case"), name="approval_case"),
            models.Index(fields=("partner", "id"), condition=Q(state="requested"), name="approval_waiting"),
        )


class Task(PartnerRow):
    """Work for a person, with a deadline."""

    account = link("relight_accounts.Account", null=True)
    case = link("relight_cases.Case", null=True)
    step_number = models.IntegerField(null=True)
    part = models.IntegerField(null=True)
    code = models.TextField()
    params = models.JSONField(db_default=models.Value("{}"))
    state = models.TextField(db_default="open")
    urgent = models.BooleanField(db_default=False)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.TextField(db_default="")
    note = models.TextField(db_default="")
    dedup = models.TextField()

    class Meta:
        db_table = "task"
        constraints = (
            one_of("state", "open", "done", "dismissed"),
            models.UniqueConstraint(fields=("partner", "dedup"), condition=Q(state="open"), name="task_once"),
        )
        indexes = (
            models.Index(fields=("partner", "due_at"), condition=Q(state="open"), name="task_open"),
            models.Index(fields=("partner", "case"), name="task_case"),
        )
