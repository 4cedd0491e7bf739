"""Agencies and attorneys: who they are, what they were given, what they said of it, and what they paid over."""

from django.db import models
from django.db.models import Q

from relight.flow.partners.fields import PartnerRow, link, one_of


class Agency(PartnerRow):
    """Who collects for the partner, by the name that policies and driver settings know. Never deleted: it is ended."""

    name = models.TextField()
    kind = models.TextField(db_default="agency")
    title = models.TextField()
    org_number = models.TextField(db_default="")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "agency"
        constraints = (
            one_of("kind", "agency", "attorney"),
            models.UniqueConstraint(fields=("partner", "name"), name="agency_name"),
        )

    def __str__(self) -> str:
        return self.title


class AgencyCheck(PartnerRow):
    """A look into the register that an agency has to stand in: by whom, when, where, and until when it is believed.
    Rows are added and never changed."""

    agency = link("relight_handover.Agency", index=True)
    register = models.TextField()
    number = models.TextField()
    source = models.TextField()
    checked_date = models.DateField()
    valid_until = models.DateField()
    checked_by = models.TextField()
    noted_at = models.DateTimeField()

    class Meta:
        db_table = "agency_check"
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_until__gte=models.F("checked_date")), name="agency_check_valid_until"
            ),
        )


class AgencyFee(PartnerRow):
    """What was agreed for what an agency collects, from a day on: of a payment of `least` and more, a share in basis
    points or an amount in minor units. Rows are added and never changed."""

    agency = link("relight_handover.Agency")
    from_date = models.DateField()
    least = models.BigIntegerField(db_default=0)
    basis_points = models.IntegerField(null=True)
    amount = models.BigIntegerField(null=True)
    noted_at = models.DateTimeField()
    noted_by = models.TextField()

    class Meta:
        db_table = "agency_fee"
        constraints = (
            models.UniqueConstraint(fields=("partner", "agency", "from_date", "least"), name="agency_fee_once"),
            models.CheckConstraint(
                condition=Q(basis_points__range=(0, 10000), amount=None) | Q(amount__gte=0, basis_points=None),
                name="agency_fee_share_or_amount",
            ),
        )


class Handover(PartnerRow):
    """Claims of a case in the hands of an agency. `ref` is the case number that the agency knows, and the key of the
    effect that gave them away. `after_transfer` is the account's last posting before.

    sending → placed → accepted | plan | legal → recalled | refused | uncollectable | paid; failed: it never arrived.
    `word_at` is the agency's own moment of the state, so that an older word does not overwrite a newer one.
    """

    agency = link("relight_handover.Agency", index=True)
    case = link("relight_cases.Case")
    account = link("relight_accounts.Account")
    effect = link("relight_effects.Effect")
    ref = models.TextField()
    step_number = models.IntegerField()
    state = models.TextField(db_default="sending")
    currency = models.CharField(max_length=3)
    after_transfer = models.BigIntegerField()
    created_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    agency_case = models.TextField(db_default="")
    word_at = models.DateTimeField(null=True)
    wanted_back = models.TextField(db_default="")
    wanted_by = models.TextField(db_default="")

    class Meta:
        db_table = "handover"
        constraints = (
            one_of("state", "sending", "placed", "accepted", "plan", "legal", "recalled", "refused", "uncollectable",
                   "paid", "failed"),
            models.UniqueConstraint(fields=("partner", "ref"), name="handover_ref"),
        )  # fmt: skip
        indexes = (
            models.Index(fields=("partner", "case"), name="handover_case"),
            models.Index(fields=("partner", "account"), name="handover_account"),
        )


class HandoverClaim(PartnerRow):
    """A claim as it was handed over, in minor units. Rows are added and never changed."""

    handover = link("relight_handover.Handover")
    claim = link("relight_claims.Claim", index=True)
    principal = models.BigIntegerField()
    costs = models.BigIntegerField()
    interest = models.BigIntegerField()

    class Meta:
        db_table = "handover_claim"
        constraints = (models.UniqueConstraint(fields=("partner", "handover", "claim"), name="handover_claim_once"),)


class AgencyNotice(PartnerRow):
    """What an agency told us, word for word, and what became of it. Rows are added and never changed; the agency's own
    id of a message makes a replay harmless."""

    agency = link("relight_handover.Agency")
    handover = link("relight_handover.Handover", null=True, index=True)
    message_id = models.TextField()
    status = models.TextField()
    said_at = models.DateTimeField()
    received_at = models.DateTimeField()
    way = models.TextField()
    body = models.JSONField()
    verdict = models.TextField()

    class Meta:
        db_table = "agency_notice"
        constraints = (
            one_of("way", "file", "webhook", "settlement"),
            one_of("verdict", "taken", "older", "unknown_case", "differs"),
            models.UniqueConstraint(fields=("partner", "agency", "message_id"), name="agency_notice_once"),
        )


class AgencySettlement(PartnerRow):
    """What an agency settled with us at a time, by its own number. Rows are added and never changed."""

    agency = link("relight_handover.Agency")
    ref = models.TextField()
    file_name = models.TextField()
    sha256 = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    settled_date = models.DateField()
    received = models.BigIntegerField()
    fee = models.BigIntegerField()
    paid_over = models.BigIntegerField()
    posted_at = models.DateTimeField()

    class Meta:
        db_table = "agency_settlement"
        constraints = (models.UniqueConstraint(fields=("partner", "agency", "ref"), name="agency_settlement_once"),)


class AgencySettlementLine(PartnerRow):
    """One payment of a settlement: what the agency received (or the creditor, directly), its fee, and the fee that was
    agreed. Rows are added and never changed."""

    settlement = link("relight_handover.AgencySettlement", index=True)
    handover = link("relight_handover.Handover", null=True, index=True)
    payment = link("relight_claims.Payment", null=True, index=True)
    case_ref = models.TextField()
    payment_ref = models.TextField()
    direct = models.BooleanField(db_default=False)
    received = models.BigIntegerField()
    fee = models.BigIntegerField()
    agreed = models.BigIntegerField(null=True)
    wrong = models.TextField(db_default="")

    class Meta:
        db_table = "agency_settlement_line"
