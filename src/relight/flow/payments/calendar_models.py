"""Collections by calendar: where a scheme's files go, which message told a customer, and what was heard of a file."""

from django.db import models
from django.db.models import Q

from relight.flow.partners.fields import PartnerRow, link, one_of
from relight.flow.payments.mandate_models import SCHEMES


class CollectingCalendar(PartnerRow):
    """A scheme's files, written by the workers into `folder`, from an hour of the partner's day on.

    `receipt_days`: within how many working days the other side says that it has a file; 0 where it never does.
    `planned_on` is the last day on which bills were planned.
    """

    scheme = models.TextField()
    folder = models.TextField()
    from_hour = models.SmallIntegerField()
    receipt_days = models.SmallIntegerField()
    is_on = models.BooleanField(db_default=True)
    planned_on = models.DateField(null=True)
    noted_at = models.DateTimeField()
    noted_by = models.TextField()

    class Meta:
        app_label = "relight_payments"
        db_table = "collecting_calendar"
        constraints = (
            one_of("scheme", *SCHEMES),
            models.CheckConstraint(
                condition=Q(from_hour__gte=0, from_hour__lt=24, receipt_days__gte=0), name="collecting_calendar_times"
            ),
            models.UniqueConstraint(fields=("partner", "scheme"), name="collecting_calendar_once"),
        )


class CollectionNotice(PartnerRow):
    """A message that tells a customer of a collection before its day. Rows are added and never changed."""

    collection = link("relight_payments.Collection", index=True)
    effect = link("relight_effects.Effect", index=True)
    made_at = models.DateTimeField()

    class Meta:
        app_label = "relight_payments"
        db_table = "collection_notice"


class CollectionDelivery(PartnerRow):
    """A file that lies where the other side takes it from. Rows are added and never changed."""

    file = link("relight_payments.CollectionFile")
    place = models.TextField()
    delivered_at = models.DateTimeField()

    class Meta:
        app_label = "relight_payments"
        db_table = "collection_delivery"
        constraints = (models.UniqueConstraint(fields=("partner", "file"), name="collection_delivery_once"),)


class CollectionReceipt(PartnerRow):
    """What the other side, or a person who asked it, says of a whole file. Rows are added and never changed."""

    file = link("relight_payments.CollectionFile", index=True)
    outcome = models.TextField()
    told = models.TextField(db_default="")
    heard_at = models.DateTimeField()
    heard_by = models.TextField()

    class Meta:
        app_label = "relight_payments"
        db_table = "collection_receipt"
        constraints = (one_of("outcome", "accepted", "refused"),)
