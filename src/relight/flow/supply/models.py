"""Supply: one row a service, what we want it to be, what was last seen, and who blocks it since when."""

from django.db import models
from django.db.models import Q

from relight.flow.partners.fields import PartnerRow, link, one_of, period

LEVELS = ("full", "limited", "walled_garden", "off")


class Supply(PartnerRow):
    """Desired level and its generation; observed level and how it was seen. `button` while a meter waits for its."""

    service = models.OneToOneField(
        "relight_accounts.Service", on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    desired = models.TextField(db_default="full")
    generation = models.IntegerField(db_default=0)
    desired_at = models.DateTimeField(null=True)
    observed = models.TextField(db_default="")
    observed_at = models.DateTimeField(null=True)
    proof = models.TextField(db_default="")
    read_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "supply"
        constraints = (
            one_of("desired", *LEVELS),
            one_of("observed", "", "ready", *LEVELS),
        )
        indexes = (
            models.Index(
                fields=("partner", "read_at"), condition=Q(observed="ready", desired="full"), name="supply_waiting"
            ),
        )


class Block(PartnerRow):
    """A reason why a service is below full, from–to. Restoring lifts only our own (`arrears`)."""

    service = link("relight_accounts.Service", index=True)
    case = link("relight_cases.Case", null=True)
    step_number = models.IntegerField(null=True)
    reason = models.TextField()
    level = models.TextField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    source = models.TextField(db_default="")

    class Meta:
        db_table = "block"
        constraints = (
            one_of("reason", "arrears", "move_out", "safety", "fraud", "customer"),
            one_of("level", *LEVELS),
            period(),
            models.UniqueConstraint(
                fields=("partner", "service", "reason", "case", "level"),
                condition=Q(ends_at__isnull=True),
                name="block_once",
                nulls_distinct=False,
            ),
        )
