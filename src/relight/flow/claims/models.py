"""Claims: what is owed, line by line, and the ledger, where every posting is a transfer."""

from django.db import models
from django.db.models import F, Q

from relight.flow.partners.fields import PartnerRow, link, one_of


class Source(PartnerRow):
    """Where money data comes from, and up to when it is complete. A stale source stops warnings and cuts."""

    name = models.TextField()
    kind = models.TextField()
    complete_until = models.DateTimeField(null=True)
    required = models.BooleanField(db_default=True)

    class Meta:
        db_table = "source"
        constraints = (
            one_of("kind", "bank", "provider", "billing"),
            models.UniqueConstraint(fields=("partner", "name"), name="source_name"),
        )


class ImportRun(PartnerRow):
    """One file taken in: what it was, how it was read, and what became of its rows."""

    kind = models.TextField()
    file_name = models.TextField()
    sha256 = models.CharField(max_length=64)
    mapping = models.TextField(db_default="")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    read = models.IntegerField(db_default=0)
    accepted = models.IntegerField(db_default=0)
    unchanged = models.IntegerField(db_default=0)
    other = models.IntegerField(db_default=0)
    rejected = models.IntegerField(db_default=0)

    class Meta:
        db_table = "import_run"
        constraints = (one_of("kind", "invoices", "payments", "cases"),)
        indexes = (
            models.Index(
                fields=("partner", "kind", "finished_at"),
                condition=Q(finished_at__isnull=False),
                name="import_run_finished",
            ),
            models.Index(
                fields=("partner", "sha256"), condition=Q(finished_at__isnull=False), name="import_run_content"
            ),
            models.Index(
                fields=("partner", "started_at"), condition=Q(finished_at__isnull=True), name="import_run_unfinished"
            ),
        )


class ImportRejection(PartnerRow):
    """A row that was not taken in: where, which field, and why."""

    run = link("relight_claims.ImportRun", index=True)
    line = models.IntegerField()
    field = models.TextField()
    reason = models.TextField()

    class Meta:
        db_table = "import_rejection"


class Claim(PartnerRow):
    """One invoice: `amount` is what it says; `principal`, `costs`, `interest` are what is still owed, in minor units.

    These three equal the sum of the claim's transfers; only statements that also post may change them.
    `interest_until` is the day until which late interest was counted last; empty while no notice has named any.
    `fingerprint` is the hash of the row as imported: the same row again changes nothing.
    """

    account = link("relight_accounts.Account")
    creditor = link("relight_partners.Creditor")
    number = models.TextField()
    reference = models.TextField(db_default="")
    service_kind = models.TextField(db_default="")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    principal = models.BigIntegerField(db_default=0)
    costs = models.BigIntegerField(db_default=0)
    interest = models.BigIntegerField(db_default=0)
    disputed = models.BigIntegerField(db_default=0)
    issued_date = models.DateField(null=True)
    sent_at = models.DateTimeField(null=True)
    due_date = models.DateField()
    deferred_to = models.DateField(null=True)
    time_barred_date = models.DateField(null=True)
    interest_until = models.DateField(null=True)
    state = models.TextField(db_default="open")
    fingerprint = models.BinaryField(max_length=16)
    run = link("relight_claims.ImportRun", null=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "claim"
        constraints = (
            one_of("state", "open", "settled", "cancelled"),
            models.UniqueConstraint(fields=("partner", "creditor", "number"), name="claim_number"),
            models.CheckConstraint(
                condition=Q(principal__gte=0, costs__gte=0, interest__gte=0, disputed__gte=0), name="claim_sums"
            ),
            models.CheckConstraint(
                condition=~Q(state="open") | Q(principal__gt=0) | Q(costs__gt=0) | Q(interest__gt=0),
                name="claim_open_owes",
            ),
        )
        indexes = (
            models.Index(fields=("partner", "account"), name="claim_account"),
            models.Index(fields=("partner", "reference"), name="claim_reference"),
            models.Index(
                fields=("partner", "account"), condition=Q(interest_until__isnull=False), name="claim_bears_interest"
            ),
        )


class ConfirmedRate(PartnerRow):
    """A rate that somebody has read and answers for: percent a year in hundredths, from a day on. Rows are added and
    never changed; of several for the same day the last one holds. `name` is the law pack's table."""

    name = models.TextField()
    from_date = models.DateField()
    basis_points = models.IntegerField()
    set_at = models.DateTimeField()
    set_by = models.TextField()

    class Meta:
        db_table = "confirmed_rate"
        constraints = (
            models.CheckConstraint(
                condition=Q(basis_points__gte=0, basis_points__lte=10_000), name="confirmed_rate_percent"
            ),
        )
        indexes = (models.Index(fields=("partner", "name", "from_date"), name="confirmed_rate_day"),)


class ClaimLine(PartnerRow):
    """A line of a claim: what service it is for, and whether it may count towards cutting that service."""

    claim = link("relight_claims.Claim")
    number = models.IntegerField()
    service = link("relight_accounts.Service", null=True)
    kind = models.TextField(db_default="service")
    text = models.TextField(db_default="")
    amount = models.BigIntegerField()
    vat = models.BigIntegerField(db_default=0)
    disputed = models.BigIntegerField(db_default=0)
    counts_for_cut = models.BooleanField(db_default=True)

    class Meta:
        db_table = "claim_line"
        constraints = (models.UniqueConstraint(fields=("partner", "claim", "number"), name="claim_line_number"),)


class DueChange(PartnerRow):
    """When a claim was due until its due date was changed. Rows are added and never changed."""

    claim = link("relight_claims.Claim")
    due_date = models.DateField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "claim_due_change"
        indexes = (models.Index(fields=("partner", "claim", "changed_at"), name="claim_due_change_claim"),)


class Payment(PartnerRow):
    """Money from a customer, as a source told us. Confirmed restores; unbooked defers a cut; returned takes it back.

    `ref` is the source's own identifier: the same payment told twice is one row. Without an account it waits in the
    queue of unmatched payments. `noted_at` is when a decision saw it. `by_hand`: a person has said where it belongs,
    so that no file moves it any more. `unmatched` of what came lies on no account.
    """

    account = link("relight_accounts.Account", null=True)
    source = link("relight_claims.Source")
    ref = models.TextField()
    amount = models.BigIntegerField()
    by_hand = models.BooleanField(db_default=False)
    unmatched = models.BigIntegerField(db_default=0)
    currency = models.CharField(max_length=3)
    state = models.TextField()
    value_date = models.DateField()
    reference = models.TextField(db_default="")
    payer_name = models.TextField(db_default="")
    received_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    booked_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    noted_at = models.DateTimeField(null=True)
    run = link("relight_claims.ImportRun", null=True)

    class Meta:
        db_table = "payment"
        constraints = (
            one_of("state", "ordered", "authorised", "confirmed", "booked", "failed", "returned"),
            models.UniqueConstraint(fields=("partner", "source", "ref"), name="payment_ref"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount"),
            models.CheckConstraint(
                condition=Q(unmatched__gte=0, unmatched__lte=F("amount")), name="payment_unmatched_sum"
            ),
        )
        indexes = (
            models.Index(fields=("partner", "account"), name="payment_account"),
            models.Index(fields=("partner", "received_at"), condition=Q(unmatched__gt=0), name="payment_rest"),
            models.Index(fields=("partner", "payer_name"), condition=~Q(payer_name=""), name="payment_payer"),
        )


class PaymentShare(PartnerRow):
    """What a person gave an account of a payment, in minor units. `noted_at` is when a decision saw it, or when it was
    taken away again before one had."""

    payment = link("relight_claims.Payment")
    account = link("relight_accounts.Account")
    amount = models.BigIntegerField()
    placed_at = models.DateTimeField()
    noted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payment_share"
        constraints = (models.CheckConstraint(condition=Q(amount__gt=0), name="payment_share_amount"),)
        indexes = (
            models.Index(fields=("partner", "account"), name="payment_share_account"),
            models.Index(fields=("partner", "payment"), name="payment_share_payment"),
        )


class Transfer(PartnerRow):
    """A posting: `amount` > 0 in minor units from `credit` to `debit`. Rows are added and never changed.

    Ledgers: `receivable` (on a claim), `revenue`, `fee_income`, `interest_income`, `cost_income` (a collector's),
    `settlement` (money on its way from a source), `customer` (received, not allocated), `refund`, `written_off`,
    `client_money` (held for creditors), `remitted` (paid over to creditors), `agency` (held by a
    collection agency), `unmatched` (of a payment that came: on no account). `part` is what of the claim it
    moves, `fee` which fee is booked.
    """

    account = link("relight_accounts.Account", null=True)
    claim = link("relight_claims.Claim", null=True)
    payment = link("relight_claims.Payment", null=True)
    kind = models.TextField()
    debit = models.TextField()
    credit = models.TextField()
    part = models.TextField(db_default="")
    fee = models.TextField(db_default="")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    value_date = models.DateField()
    posted_at = models.DateTimeField()
    reverses = link("relight_claims.Transfer", null=True)

    class Meta:
        db_table = "transfer"
        constraints = (
            one_of(
                "kind",
                "claim",
                "correction",
                "credit_note",
                "fee",
                "interest",
                "payment",
                "allocation",
                "release",
                "return",
                "refund",
                "write_off",
                "remission",
                "cost",
                "remittance",
                "move",
                "settlement",
            ),
            one_of("part", "", "principal", "costs", "interest"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="transfer_two_sides"),
        )
        indexes = (
            models.Index(fields=("partner", "claim"), name="transfer_claim"),
            models.Index(fields=("partner", "account"), name="transfer_account"),
            models.Index(fields=("partner", "payment"), condition=Q(account__isnull=True), name="transfer_loose"),
            models.Index(fields=("partner", "account"), condition=~Q(fee=""), name="transfer_fees"),
        )
