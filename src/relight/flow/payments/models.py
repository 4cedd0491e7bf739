"""Payments: pay links, checkouts at providers, and what providers told us, word for word."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from relight.flow.partners.fields import PartnerRow, link, one_of
from relight.flow.payments.calendar_models import (
    CollectingCalendar,
    CollectionDelivery,
    CollectionNotice,
    CollectionReceipt,
)
from relight.flow.payments.mandate_models import CollectingCreditor, Collection, CollectionFile, Mandate

__all__ = (
    "BankBooking", "BankRefund", "BankStatement", "Checkout", "CollectingCalendar", "CollectingCreditor", "Collection",
    "CollectionDelivery", "CollectionFile", "CollectionNotice", "CollectionReceipt", "Mandate", "PayLink",
    "PaymentAct", "ProviderNotice", "ProviderRefund", "SettledDay",
)  # fmt: skip


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
    """An order to pay at a provider, started from a pay link. `key` makes starting it twice harmless.

    `redirect_url` is where the customer pays; `handle` what the provider calls that page, where it needs to be known.
    """

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
    redirect_url = models.TextField(db_default="")
    handle = models.TextField(db_default="")

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
            models.Index(
                fields=("partner", "account"),
                condition=models.Q(state__in=("created", "open")),
                name="checkout_unfinished",
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
    operation = models.TextField(db_default="")

    class Meta:
        db_table = "provider_notice"
        constraints = (
            models.UniqueConstraint(fields=("partner", "provider", "event_id"), name="provider_notice_once"),
        )
        indexes = (models.Index(fields=("partner", "provider_ref"), name="provider_notice_ref"),)


class BankBooking(PartnerRow):
    """A booking of a bank file that was taken in: what the bank calls it, and the payment that it is or takes back.

    `ref` is the booking's own name (see `files/identity.py`). A return whose payment nobody can tell has no payment.
    """

    source = link("relight_claims.Source")
    ref = models.TextField()
    is_return = models.BooleanField(db_default=False)
    payment = link("relight_claims.Payment", null=True, index=True)
    bank_account = models.TextField()
    servicer_ref = models.TextField(db_default="")
    end_to_end = models.TextField(db_default="")
    reference = models.TextField(db_default="")
    payer_account = models.TextField(db_default="")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    value_date = models.DateField()
    run = link("relight_claims.ImportRun", null=True)

    class Meta:
        db_table = "bank_booking"
        constraints = (
            models.UniqueConstraint(fields=("partner", "source", "ref"), name="bank_booking_ref"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="bank_booking_amount"),
        )
        indexes = (
            models.Index(
                fields=("partner", "servicer_ref"), condition=~models.Q(servicer_ref=""), name="bank_booking_servicer"
            ),
            models.Index(
                fields=("partner", "end_to_end"), condition=~models.Q(end_to_end=""), name="bank_booking_end_to_end"
            ),
            models.Index(
                fields=("partner", "reference"), condition=~models.Q(reference=""), name="bank_booking_reference"
            ),
            models.Index(
                fields=("partner", "payer_account"), condition=~models.Q(payer_account=""), name="bank_booking_payer"
            ),
        )


class BankStatement(PartnerRow):
    """Statements of one chain that came without a gap and could be read to the last row, from a first to a last one.

    `is_reached`: none is missing before it. Balances are signed minor units.
    """

    source = link("relight_claims.Source")
    chain = models.TextField()
    first_number = models.BigIntegerField(null=True)
    first_part = models.IntegerField()
    first_other_number = models.BigIntegerField(null=True)
    opening = models.BigIntegerField(null=True)
    number = models.BigIntegerField(null=True)
    part = models.IntegerField()
    is_last = models.BooleanField()
    other_number = models.BigIntegerField(null=True)
    closing = models.BigIntegerField(null=True)
    until = models.DateTimeField()
    is_reached = models.BooleanField(db_default=False)
    run = link("relight_claims.ImportRun")

    class Meta:
        db_table = "bank_statement"
        constraints = (
            models.UniqueConstraint(
                fields=("partner", "source", "chain", "first_number", "first_part", "number", "part", "until"),
                nulls_distinct=False,
                name="bank_statement_once",
            ),
        )


class PaymentAct(PartnerRow):
    """What was done with a payment by hand, by whom. Rows are added and never changed.

    Relight's own are `names_unknown` (the payer named a bill that nobody has) and `paid_again` (one that was paid
    already; `note` is its number). `kept`: what is left pays the next bill. `payer_key` and `payer_account` say who
    paid, so that an assignment can be suggested again.
    """

    payment = link("relight_claims.Payment")
    code = models.TextField()
    account = link("relight_accounts.Account", null=True)
    amount = models.BigIntegerField(db_default=0)
    claims = ArrayField(models.BigIntegerField(), db_default=models.Value("{}"))
    payer_key = models.TextField(db_default="")
    payer_account = models.TextField(db_default="")
    note = models.TextField(db_default="")
    actor = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "payment_act"
        constraints = (
            one_of("code", "assigned", "taken_away", "parked", "names_unknown", "paid_again", "kept", "refund_asked"),
        )
        indexes = (
            models.Index(fields=("partner", "payment", "id"), name="payment_act_payment"),
            models.Index(
                fields=("partner", "payer_key"),
                condition=models.Q(code="assigned") & ~models.Q(payer_key=""),
                name="payment_act_payer",
            ),
            models.Index(
                fields=("partner", "payer_account"),
                condition=models.Q(code="assigned") & ~models.Q(payer_account=""),
                name="payment_act_payer_account",
            ),
            models.Index(
                fields=("partner", "id"), condition=models.Q(code="names_unknown"), name="payment_act_unknown"
            ),
            models.Index(
                fields=("partner", "id"), condition=models.Q(code="paid_again"), name="payment_act_paid_again"
            ),
        )


class BankRefund(PartnerRow):
    """Money that goes back: asked for by one person, granted by another, then ordered in a file for the bank.

    `account` is whose credit it was; None for money that lay on no account. `order_ref` is the order's end-to-end id.
    By `way` of the provider that it came from, it is ordered when it is granted, as a `ProviderRefund`.
    """

    payment = link("relight_claims.Payment", index=True)
    account = link("relight_accounts.Account", null=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    to_name = models.TextField()
    to_account = models.TextField()
    reason = models.TextField()
    state = models.TextField(db_default="asked")
    asked_at = models.DateTimeField()
    asked_by = models.TextField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.TextField(db_default="")
    note = models.TextField(db_default="")
    ordered_at = models.DateTimeField(null=True)
    order_ref = models.TextField(db_default="")
    way = models.TextField(db_default="bank")

    class Meta:
        db_table = "bank_refund"
        constraints = (
            one_of("state", "asked", "granted", "refused", "ordered"),
            one_of("way", "bank", "provider"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="bank_refund_amount"),
            models.CheckConstraint(
                condition=models.Q(state__in=("asked", "refused")) | ~models.Q(decided_by=models.F("asked_by")),
                name="bank_refund_two_people",
            ),
        )
        indexes = (
            models.Index(
                fields=("partner", "id"), condition=models.Q(state__in=("asked", "granted")), name="bank_refund_open"
            ),
        )


class ProviderRefund(PartnerRow):
    """Money that a provider gives back of a payment: booked when it is ordered, and taken back if it fails.

    `unsure`: a day long nobody answered whether it was taken; a person looks. `refund_ref` is the provider's number.
    """

    account = link("relight_accounts.Account")
    payment = link("relight_claims.Payment", index=True)
    key = models.TextField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.TextField(db_default="ordered")
    ordered_at = models.DateTimeField()
    ordered_by = models.TextField()
    refund_ref = models.TextField(db_default="")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "provider_refund"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=("ordered", "sent", "done", "failed", "unsure")),
                name="provider_refund_state",
            ),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="provider_refund_amount"),
            models.UniqueConstraint(fields=("partner", "key"), name="provider_refund_key"),
        )
        indexes = (
            models.Index(fields=("partner", "id"), condition=models.Q(state="ordered"), name="provider_refund_waiting"),
        )


class SettledDay(PartnerRow):
    """A day of a provider's settlements that was compared with what we have.

    `told` lines, of which `found` were payments that nobody had told us of, and `differing` are a person's work.
    """

    provider = models.TextField()
    day = models.DateField()
    read_at = models.DateTimeField()
    told = models.IntegerField()
    found = models.IntegerField()
    differing = models.IntegerField()

    class Meta:
        db_table = "settled_day"
        constraints = (models.UniqueConstraint(fields=("partner", "provider", "day"), name="settled_day_once"),)
