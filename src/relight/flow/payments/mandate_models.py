"""Mandates: who lets whom collect from their account, and each collection from the plan to the money or the refusal."""

from django.db import models
from django.db.models import F, Q

from relight.flow.partners.fields import PartnerRow, link, one_of

SCHEMES = ("avtalegiro", "betalingsservice", "sepa")
IN_FLIGHT = ("planned", "sent")


class CollectingCreditor(PartnerRow):
    """What a scheme calls a creditor: the sender's number at AvtaleGiro, the creditor number and debtor group at
    Betalingsservice, the creditor identifier at SEPA. `announced_by`: what tells the customer of a collection, where
    neither the bank nor the scheme does: the bill itself, or a message of ours."""

    creditor = link("relight_partners.Creditor")
    scheme = models.TextField()
    number = models.TextField()
    group_number = models.TextField(db_default="")
    announced_by = models.TextField(db_default="bill")
    noted_at = models.DateTimeField()
    noted_by = models.TextField()

    class Meta:
        app_label = "relight_payments"
        db_table = "collecting_creditor"
        constraints = (
            one_of("scheme", *SCHEMES),
            one_of("announced_by", "bill", "message"),
            models.UniqueConstraint(fields=("partner", "creditor", "scheme"), name="collecting_creditor_once"),
        )


class Mandate(PartnerRow):
    """A customer's leave to collect, from a day to before another; what changes makes a new row.

    `reference` is the scheme's own: the KID, the customer's number, or the unique mandate reference. `instrument` is
    SEPA's (`CORE`, `B2B`), `is_once` a mandate for one collection; `bank_notifies` is AvtaleGiro's. `ended_because` is
    a return reason, or who ended it and how.
    """

    account = link("relight_accounts.Account")
    creditor = link("relight_partners.Creditor")
    scheme = models.TextField()
    reference = models.TextField()
    payer_name = models.TextField(db_default="")
    payer_account = models.TextField(db_default="")
    instrument = models.TextField(db_default="")
    is_once = models.BooleanField(db_default=False)
    bank_notifies = models.BooleanField(db_default=True)
    signed_date = models.DateField(null=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    ended_because = models.TextField(db_default="")
    source = models.TextField()
    noted_at = models.DateTimeField()
    noted_by = models.TextField()

    class Meta:
        app_label = "relight_payments"
        db_table = "mandate"
        constraints = (
            one_of("scheme", *SCHEMES),
            one_of("source", "file", "api", "hand"),
            one_of("instrument", "", "CORE", "B2B"),
            models.CheckConstraint(condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="mandate_period"),
            models.CheckConstraint(
                condition=~Q(scheme="sepa") | (~Q(payer_account="") & ~Q(instrument="") & Q(signed_date__isnull=False)),
                name="mandate_sepa_is_whole",
            ),
            models.UniqueConstraint(
                fields=("partner", "creditor", "scheme", "reference"),
                condition=Q(ends_on=None),
                name="mandate_in_force",
            ),
        )
        indexes = (models.Index(fields=("partner", "account"), name="mandate_account"),)


class CollectionFile(PartnerRow):
    """A file that was written for a scheme: what it orders or calls back. Rows are added and never changed.

    `number` counts a scheme's files, for those that ask for it. `written_by` is `worker` where the calendar asked for
    it: then it goes to the calendar's folder.
    """

    scheme = models.TextField()
    kind = models.TextField()
    number = models.IntegerField()
    message = models.TextField()
    count = models.IntegerField()
    amount = models.BigIntegerField()
    written_at = models.DateTimeField()
    written_by = models.TextField(db_default="hand")

    class Meta:
        app_label = "relight_payments"
        db_table = "collection_file"
        constraints = (
            one_of("scheme", *SCHEMES),
            one_of("kind", "order", "recall"),
            one_of("written_by", "hand", "worker"),
            models.UniqueConstraint(fields=("partner", "scheme", "number"), name="collection_file_number"),
            models.UniqueConstraint(fields=("partner", "message"), name="collection_file_message"),
        )


class Collection(PartnerRow):
    """One bill collected by a mandate on a day, in minor units. `hold` keeps its bill from being followed up until
    `until`: a few days to settle after `collect_date`.

    planned → sent → collected → returned; or refused (by the bank, before money came), unanswered (neither money nor a
    word), called_back. `ref` is what the banks send back; `attempt` counts tries for one debt; `retry_date` is the
    first day of the next one. `recall` is `wanted` until a file has asked for it. `block` is the file's own group.
    """

    mandate = link("relight_payments.Mandate", index=True)
    account = link("relight_accounts.Account")
    claim = link("relight_claims.Claim")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.TextField(db_default="planned")
    collect_date = models.DateField()
    until = models.DateTimeField()
    ref = models.TextField()
    attempt = models.SmallIntegerField(db_default=1)
    sequence = models.TextField(db_default="")
    planned_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    file = link("relight_payments.CollectionFile", null=True, index=True)
    block = models.TextField(db_default="")
    recall = models.TextField(db_default="")
    recall_file = link("relight_payments.CollectionFile", null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.TextField(db_default="")
    retry_date = models.DateField(null=True)
    payment = link("relight_claims.Payment", null=True, index=True)
    hold = link("relight_cases.Hold", null=True)

    class Meta:
        app_label = "relight_payments"
        db_table = "collection"
        constraints = (
            one_of("state", *IN_FLIGHT, "collected", "refused", "returned", "unanswered", "called_back"),
            one_of("recall", "", "wanted", "sent"),
            one_of("sequence", "", "FRST", "RCUR", "OOFF", "FNAL"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="collection_amount"),
            models.UniqueConstraint(fields=("partner", "ref"), name="collection_ref"),
            models.UniqueConstraint(
                fields=("partner", "claim"), condition=Q(state__in=IN_FLIGHT), name="collection_one_in_flight"
            ),
        )
        indexes = (
            models.Index(fields=("partner", "account", "id"), name="collection_account"),
            models.Index(fields=("partner", "claim", "id"), name="collection_claim"),
            models.Index(fields=("partner", "until"), condition=Q(state__in=IN_FLIGHT), name="collection_open"),
        )
