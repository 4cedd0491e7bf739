"""Books: months that are closed, acts on money that two people agree about, what is paid over, and agreed fees.

All of it rests on the transfers of the claims stage. Rows are added and never changed, but for how far an act has come.
"""

from django.db import models
from django.db.models import Q

from relight.flow.partners.fields import PartnerRow, link, one_of


class Period(PartnerRow):
    """A month that is closed: no transfer is posted into it, nor into any month before.

    `month` is its first day in the partner's zone, and the moments are its half-open span. `last_transfer` is the
    highest id of a transfer that it held when it was closed.
    """

    month = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    transfers = models.BigIntegerField()
    last_transfer = models.BigIntegerField()
    closed_at = models.DateTimeField()
    closed_by = models.TextField()

    class Meta:
        db_table = "books_period"
        constraints = (models.UniqueConstraint(fields=("partner", "month"), name="books_period_once"),)
        indexes = (models.Index(fields=("partner", "ends_at"), name="books_period_end"),)


class PeriodDay(PartnerRow):
    """One booking day of a closed month: how many transfers, and the hash of all that they say, in order of id."""

    period = link("relight_books.Period")
    day = models.DateField()
    transfers = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "books_day"
        constraints = (models.UniqueConstraint(fields=("partner", "period", "day"), name="books_day_once"),)


class PeriodBalance(PartnerRow):
    """The trial balance at the end of a closed month: all debits and credits of a ledger until then, in minor units."""

    period = link("relight_books.Period")
    creditor = link("relight_partners.Creditor", null=True)
    currency = models.CharField(max_length=3)
    ledger = models.TextField()
    debit = models.BigIntegerField()
    credit = models.BigIntegerField()

    class Meta:
        db_table = "books_balance"
        constraints = (
            models.UniqueConstraint(
                fields=("partner", "period", "creditor", "currency", "ledger"),
                nulls_distinct=False,
                name="books_balance_once",
            ),
        )


class PeriodClaim(PartnerRow):
    """A claim on which something was owed at the end of a closed month, by its transfers, in minor units."""

    period = link("relight_books.Period")
    claim = link("relight_claims.Claim")
    owed = models.BigIntegerField()

    class Meta:
        db_table = "books_open_claim"
        constraints = (models.UniqueConstraint(fields=("partner", "period", "claim"), name="books_open_claim_once"),)


class Act(PartnerRow):
    """A write-off or a remission: asked for by one person, agreed by another, posted, and perhaps undone.

    A write-off takes a claim off the books and leaves it owed; a remission forgives it. `amount` is in minor units,
    above zero.
    """

    kind = models.TextField()
    account = link("relight_accounts.Account", index=True)
    claim = link("relight_claims.Claim", null=True)
    approval = link("relight_cases.Approval", index=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.TextField()
    state = models.TextField(db_default="requested")
    posted_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.TextField(db_default="")

    class Meta:
        db_table = "books_act"
        constraints = (
            one_of("kind", "write_off", "remission"),
            one_of("state", "requested", "refused", "posted", "undone"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="books_act_amount"),
            models.CheckConstraint(condition=Q(claim__isnull=False), name="books_act_claim"),
        )
        indexes = (
            models.Index(fields=("partner", "state"), condition=Q(state="requested"), name="books_act_requested"),
        )


class ActTransfer(PartnerRow):
    """A transfer that an act posted; `undoes` tells those that took it back."""

    act = link("relight_books.Act")
    transfer = link("relight_claims.Transfer")
    undoes = models.BooleanField(db_default=False)

    class Meta:
        db_table = "books_act_transfer"
        constraints = (models.UniqueConstraint(fields=("partner", "act", "transfer"), name="books_act_transfer_once"),)


class Remittance(PartnerRow):
    """Money of a creditor's, paid over: all that came in on its claims until a day and was not paid over before."""

    creditor = link("relight_partners.Creditor", index=True)
    currency = models.CharField(max_length=3)
    until = models.DateField()
    amount = models.BigIntegerField()
    made_at = models.DateTimeField()
    made_by = models.TextField()

    class Meta:
        db_table = "remittance"
        constraints = (models.CheckConstraint(condition=Q(amount__gt=0), name="remittance_amount"),)


class RemittanceItem(PartnerRow):
    """A transfer of a remittance: a payment on a claim that was paid over, or came back and is taken off."""

    remittance = link("relight_books.Remittance")
    transfer = link("relight_claims.Transfer")

    class Meta:
        db_table = "remittance_item"
        constraints = (
            models.UniqueConstraint(fields=("partner", "remittance", "transfer"), name="remittance_item_once"),
        )


class SuccessTerms(PartnerRow):
    """What a partner pays for each successful transaction from a day on: a share in hundredths of a percent, an amount
    in minor units, or both. The newest row that has begun holds; one of nothing ends an agreement."""

    starts_date = models.DateField()
    currency = models.CharField(max_length=3)
    share = models.IntegerField(db_default=0)
    amount = models.BigIntegerField(db_default=0)
    agreed_at = models.DateTimeField()
    agreed_by = models.TextField()

    class Meta:
        db_table = "success_terms"
        constraints = (
            models.CheckConstraint(condition=Q(share__range=(0, 10000)), name="success_terms_share"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="success_terms_amount"),
        )
