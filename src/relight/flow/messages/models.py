"""Messages: what was sent to whom, what became of it, and what customers answered. Bodies live apart, to be erased."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from relight.flow.partners.fields import PartnerRow, link, one_of


class SentMessage(PartnerRow):
    """One message that was released: kept without personal data."""

    effect = link("relight_effects.Effect")
    case = link("relight_cases.Case")
    account = link("relight_accounts.Account")
    party = link("relight_accounts.Party")
    contact_point = link("relight_accounts.ContactPoint")
    channel = models.TextField()
    template = models.TextField()
    language = models.CharField(max_length=2)
    amount = models.BigIntegerField()
    released_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    undeliverable_at = models.DateTimeField(null=True)
    provider_ids = ArrayField(models.TextField(), db_default=models.Value("{}"))

    class Meta:
        db_table = "sent_message"
        constraints = (models.UniqueConstraint(fields=("partner", "effect"), name="sent_message_once"),)
        indexes = (
            models.Index(fields=("partner", "party", "released_at"), name="sent_message_party"),
            models.Index(fields=("partner", "case"), name="sent_message_case"),
            models.Index(fields=("partner", "account", "released_at"), name="sent_message_account"),
            models.Index(fields=("partner", "contact_point"), name="sent_message_contact"),
            GinIndex(fields=("provider_ids",), name="sent_message_provider"),
        )


class MessageBody(PartnerRow):
    """What the customer read. Erased by retention without touching the log."""

    message = link("relight_messages.SentMessage")
    recipient = models.TextField()
    subject = models.TextField(db_default="")
    text = models.TextField()
    html = models.TextField(db_default="")
    pdf = models.BinaryField(null=True)

    class Meta:
        db_table = "message_body"
        constraints = (models.UniqueConstraint(fields=("partner", "message"), name="message_body_once"),)


class ReceivedMessage(PartnerRow):
    """What a customer wrote to us, and what we took it to mean. The provider's id makes a redelivery harmless."""

    account = link("relight_accounts.Account", null=True)
    channel = models.TextField()
    sender = models.TextField()
    text = models.TextField()
    meaning = models.TextField(db_default="unknown")
    provider_id = models.TextField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "received_message"
        constraints = (
            one_of("meaning", "stop", "paid", "help", "wrong_person", "promise", "unknown"),
            models.UniqueConstraint(fields=("partner", "channel", "provider_id"), name="received_once"),
        )
        indexes = (models.Index(fields=("partner", "received_at"), condition=Q(handled_at=None), name="received_open"),)
