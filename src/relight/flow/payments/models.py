"""Payments: pay links, checkouts at providers, and what providers told us, word for word."""

from django.db import models

from relight.flow.partners.fields import PartnerRow, link, one_of


class PayLink(PartnerRow):
    """A signed link to the pay page: its token carries partner, id and a signature, and no personal data."""

    account = link("relight_accounts.Account")
    case = link("relight_cases.Case")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "pay_link"
        indexes = (models.Index(fields=("partner", "case"), name="pay_link_case"),)


class Checkout(PartnerRow):
    """An order to pay at a provider, started from a pay link. `key` makes starting it twice harmless."""

    pay_link = link("relight_payments.PayLink")
    account = link("relight_accounts.Account")
    provider = models.TextField()
    provider_ref = models.TextField(db_default="")
    key = models.TextField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.TextField(db_default="created")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "checkout"
        constraints = (
            one_of("state", "created", "open", "paid", "failed", "expired"),
            models.UniqueConstraint(fields=("partner", "key"), name="checkout_key"),
            models.UniqueConstraint(
                fields=("partner", "provider", "provider_ref"),
                condition=~models.Q(provider_ref=""),
                name="checkout_provider_ref",
            ),
        )
        indexes = (
            models.Index(fields=("partner", "pay_link"), name="checkout_pay_link"),
            models.Index(
                fields=("partner", "created_at"),
                condition=models.Q(state__in=("created", "open")),
                name="checkout_open",
            ),
        )


class ProviderNotice(PartnerRow):
    """What a provider told us, once: the unique key is what makes a webhook replay harmless."""

    provider = models.TextField()
    event_id = models.TextField()
    provider_ref = models.TextField()
    state = models.TextField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    outcome = models.TextField(db_default="")

    class Meta:
        db_table = "provider_notice"
        constraints = (
            models.UniqueConstraint(fields=("partner", "provider", "event_id"), name="provider_notice_once"),
        )
