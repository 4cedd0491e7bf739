"""Effects: what decisions want done outside, and every attempt at it. Nothing here ends silently."""

from django.db import models
from django.db.models import Q

from relight.flow.partners.fields import PartnerRow, link, one_of

OPEN_STATES = ("pending", "in_flight")


class Effect(PartnerRow):
    """One thing to do, from one recorded decision. `key` is what the outside sees, and is never used again.

    Life: pending → (release) in_flight → done | refused | unknown→pending … ; or withheld, cancelled, given_up.
    """

    case = link("relight_cases.Case")
    account = link("relight_accounts.Account")
    event_number = models.IntegerField()
    step_number = models.IntegerField(null=True)
    part = models.IntegerField(db_default=0)
    key = models.TextField()
    kind = models.TextField()
    lane = models.TextField(db_default="bulk")
    channel = models.TextField(db_default="")
    template = models.TextField(db_default="")
    service = link("relight_accounts.Service", null=True)
    level = models.TextField(db_default="")
    generation = models.IntegerField(null=True)
    params = models.JSONField(db_default=models.Value("{}"))
    state = models.TextField(db_default="pending")
    why = models.TextField(db_default="")
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(db_default=0)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "effect"
        constraints = (
            one_of("kind", "message", "supply", "handover"),
            one_of("lane", "bulk", "urgent"),
            one_of("state", "pending", "in_flight", "done", "refused", "withheld", "given_up", "cancelled"),
            models.UniqueConstraint(fields=("partner", "key"), name="effect_key"),
            models.UniqueConstraint(
                fields=("partner", "service"), condition=Q(kind="supply", state="in_flight"), name="effect_one_command"
            ),
        )
        indexes = (
            models.Index(
                fields=("partner", "due_at", "id"), condition=Q(state="pending", lane="bulk"), name="effect_due"
            ),
            models.Index(
                fields=("partner", "kind", "channel", "due_at", "id"),
                condition=Q(state="pending", lane="bulk"),
                name="effect_due_channel",
            ),
            models.Index(
                fields=("partner", "due_at", "id"),
                condition=Q(state="pending", lane="urgent"),
                name="effect_due_urgent",
            ),
            models.Index(
                fields=("partner", "kind", "due_at", "id"),
                condition=Q(state="pending", lane="urgent"),
                name="effect_due_urgent_kind",
            ),
            models.Index(fields=("partner", "lease_until"), condition=Q(state="in_flight"), name="effect_lease"),
            models.Index(
                fields=("partner", "created_at"), condition=Q(state="pending", attempts__gt=0), name="effect_again"
            ),
            models.Index(fields=("partner", "case"), name="effect_case"),
            models.Index(fields=("partner", "service"), condition=Q(kind="supply"), name="effect_service"),
        )


class Attempt(PartnerRow):
    """One attempt at an effect: when it left, what the other side said, and whether anybody saw its end."""

    effect = link("relight_effects.Effect")
    number = models.IntegerField()
    driver = models.TextField()
    started_at = models.DateTimeField()
    send_before = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    result = models.TextField(db_default="")
    code = models.TextField(db_default="")
    detail = models.TextField(db_default="")
    facts = models.JSONField(db_default=models.Value("{}"))

    class Meta:
        db_table = "attempt"
        constraints = (
            one_of("result", "", "done", "refused", "busy", "unknown", "late"),
            models.UniqueConstraint(fields=("partner", "effect", "number"), name="attempt_number"),
        )


class SpentCut(PartnerRow):
    """A cut that was released: what the limits an hour and a day count."""

    attempt = link("relight_effects.Attempt")
    at = models.DateTimeField()

    class Meta:
        db_table = "spent_cut"
        indexes = (models.Index(fields=("partner", "at"), name="spent_cut_at"),)


class DriverRest(PartnerRow):
    """How a partner's driver is: `open`, or `resting` after failures in a row; then one attempt is let through
    (`probing`), and its end says whether the rest is over or longer. What is urgent goes at any time.

    `kind` and `name` are the effects' kind and the driver's name in the partner's settings.
    """

    kind = models.TextField()
    name = models.TextField()
    state = models.TextField(db_default="open")
    failures = models.IntegerField(db_default=0)
    rests = models.IntegerField(db_default=0)
    rest_until = models.DateTimeField(null=True)
    code = models.TextField(db_default="")
    since = models.DateTimeField()

    class Meta:
        db_table = "driver_rest"
        constraints = (
            one_of("kind", "message", "supply", "handover"),
            one_of("state", "open", "resting", "probing"),
            models.UniqueConstraint(fields=("partner", "kind", "name"), name="driver_rest_once"),
            models.CheckConstraint(condition=Q(state="open") | Q(rest_until__isnull=False), name="driver_rest_ends"),
        )
