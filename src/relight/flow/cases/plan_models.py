"""Instalment plans: what was offered, what was agreed part by part, and how it ended."""

from django.db import models
from django.db.models import Q

from relight.flow.partners.fields import PartnerRow, link, one_of

LIVE = ("agreed", "running")


class Plan(PartnerRow):
    """An instalment plan of a case. `offered` by a step or a person; `agreed` until its first part is paid; `running`;
    then `paid`, `broken` (a part was missed), `lapsed` (it never began) or `ended` (by a person). `withdrawn`: an offer
    that another took the place of.

    `months_min` and `months_max` are what may be chosen from, `months` what was. `after_transfer` is the account's last
    transfer before the agreement: what came later counts. `hold` is the pause that goes with it, `told` the last part
    that the customer was reminded of.
    """

    account = link("relight_accounts.Account")
    case = link("relight_cases.Case")
    name = models.TextField()
    state = models.TextField()
    step_number = models.IntegerField(null=True)
    months_min = models.SmallIntegerField()
    months_max = models.SmallIntegerField()
    months = models.SmallIntegerField(null=True)
    amount = models.BigIntegerField(null=True)
    offered_at = models.DateTimeField()
    offered_by = models.TextField()
    valid_until = models.DateField()
    agreed_at = models.DateTimeField(null=True)
    agreed_by = models.TextField(db_default="")
    source = models.TextField(db_default="")
    after_transfer = models.BigIntegerField(null=True)
    hold = link("relight_cases.Hold", null=True)
    confirmed_at = models.DateTimeField(null=True)
    told = models.SmallIntegerField(db_default=0)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.TextField(db_default="")
    note = models.TextField(db_default="")

    class Meta:
        app_label = "relight_cases"
        db_table = "instalment_plan"
        constraints = (
            one_of("state", "offered", "agreed", "running", "paid", "broken", "lapsed", "ended", "withdrawn"),
            models.CheckConstraint(
                condition=Q(state__in=("offered", "withdrawn"))
                | Q(months__gte=1, amount__gt=0, agreed_at__isnull=False, after_transfer__isnull=False),
                name="plan_agreed_on",
            ),
            models.UniqueConstraint(fields=("partner", "case"), condition=Q(state__in=LIVE), name="plan_one_live"),
            models.UniqueConstraint(fields=("partner", "case"), condition=Q(state="offered"), name="plan_one_offer"),
        )
        indexes = (models.Index(fields=("partner", "case"), name="plan_case"),)


class PlanClaim(PartnerRow):
    """A claim that a plan is about, with what was owed on it when it was agreed. Added and never changed."""

    plan = link("relight_cases.Plan")
    claim = link("relight_claims.Claim", index=True)
    amount = models.BigIntegerField()

    class Meta:
        app_label = "relight_cases"
        db_table = "plan_claim"
        constraints = (
            models.UniqueConstraint(fields=("partner", "plan", "claim"), name="plan_claim_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="plan_claim_amount"),
        )


class PlanPart(PartnerRow):
    """A part of a plan: its sum, its day, when it is told of, and the first day on which it is too late. Added and
    never changed."""

    plan = link("relight_cases.Plan")
    number = models.SmallIntegerField()
    due_date = models.DateField()
    amount = models.BigIntegerField()
    remind_date = models.DateField()
    late_date = models.DateField()

    class Meta:
        app_label = "relight_cases"
        db_table = "plan_part"
        constraints = (
            models.UniqueConstraint(fields=("partner", "plan", "number"), name="plan_part_number"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="plan_part_amount"),
            models.CheckConstraint(condition=Q(late_date__gt=models.F("due_date")), name="plan_part_days"),
        )
