"""Accounts: who, where and on what line. Everything that changes is kept as dated periods, never overwritten."""

from django.db import models
from django.db.models import Q

from relight.flow.partners.fields import PartnerRow, link, one_of, period


class Party(PartnerRow):
    """A person or an organisation."""

    ref = models.TextField()
    kind = models.TextField(db_default="person")
    name = models.TextField()
    org_number = models.TextField(db_default="")
    language = models.CharField(max_length=2, db_default="nb")

    class Meta:
        db_table = "party"
        constraints = (
            one_of("kind", "person", "organisation"),
            models.UniqueConstraint(fields=("partner", "ref"), name="party_ref"),
        )

    def __str__(self) -> str:
        return self.name


class Account(PartnerRow):
    """What invoices are sent on. Its row is the lock: every writer of facts takes it first, in id order.

    `credit` is money received and not yet allocated, in minor units; `debtor` decides which law applies, and a
    `collective` (an owners' association) is never cut automatically.
    """

    ref = models.TextField()
    creditor = link("relight_partners.Creditor")
    brand = link("relight_partners.Brand")
    debtor = models.TextField(db_default="consumer")
    profile = models.TextField(db_default="")
    currency = models.CharField(max_length=3)
    credit = models.BigIntegerField(db_default=0)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "account"
        constraints = (
            one_of("debtor", "consumer", "business", "collective"),
            models.UniqueConstraint(fields=("partner", "ref"), name="account_ref"),
            models.CheckConstraint(condition=Q(credit__gte=0), name="account_credit"),
        )

    def __str__(self) -> str:
        return self.ref


class AccountRole(PartnerRow):
    """What a party is to an account, from–to."""

    account = link("relight_accounts.Account")
    party = link("relight_accounts.Party", index=True)
    role = models.TextField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    source = models.TextField(db_default="")

    class Meta:
        db_table = "account_role"
        constraints = (
            one_of("role", "debtor", "payer", "user", "co_debtor", "guardian", "estate"),
            period(),
            models.UniqueConstraint(
                fields=("partner", "account", "role", "party"), condition=Q(ends_at__isnull=True), name="role_once"
            ),
        )
        indexes = (models.Index(fields=("partner", "account"), name="account_role_account"),)


class Premises(PartnerRow):
    """A place that is supplied."""

    ref = models.TextField()
    kind = models.TextField(db_default="home")
    households = models.IntegerField(db_default=1)
    street = models.TextField(db_default="")
    postcode = models.TextField(db_default="")
    city = models.TextField(db_default="")
    municipality = models.TextField(db_default="")

    class Meta:
        db_table = "premises"
        constraints = (
            one_of("kind", "home", "holiday_home", "common_area", "business"),
            models.UniqueConstraint(fields=("partner", "ref"), name="premises_ref"),
        )


class AccessPoint(PartnerRow):
    """A metering point or a line: where a service reaches the premises."""

    ref = models.TextField()
    premises = link("relight_accounts.Premises", index=True)

    class Meta:
        db_table = "access_point"
        constraints = (models.UniqueConstraint(fields=("partner", "ref"), name="access_point_ref"),)


class Device(PartnerRow):
    """The meter or modem at an access point, from–to. A cut compares the serial first."""

    access_point = link("relight_accounts.AccessPoint")
    serial = models.TextField()
    address = models.JSONField(db_default=models.Value("{}"))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "device"
        constraints = (
            period(),
            models.UniqueConstraint(
                fields=("partner", "access_point"), condition=Q(ends_at__isnull=True), name="device_present"
            ),
        )
        indexes = (models.Index(fields=("partner", "access_point"), name="device_access_point"),)


class Service(PartnerRow):
    """One service under contract at an access point: kind, product, from–to, and how its driver reaches it.

    `full_profile` is what full means for this customer (a RADIUS group, say): a restore returns to it.
    """

    ref = models.TextField()
    account = link("relight_accounts.Account", index=True)
    access_point = link("relight_accounts.AccessPoint", null=True)
    kind = models.TextField()
    product = models.TextField(db_default="")
    driver = models.TextField(db_default="")
    address = models.JSONField(db_default=models.Value("{}"))
    full_profile = models.TextField(db_default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "service"
        constraints = (
            one_of("kind", "broadband", "telephony", "tv", "electricity", "electricity_grid", "gas", "water", "heat"),
            period(),
            models.UniqueConstraint(fields=("partner", "ref"), name="service_ref"),
        )
        indexes = (models.Index(fields=("partner", "access_point"), name="service_access_point"),)


class ContactPoint(PartnerRow):
    """One way to reach a party. `opted_out` and `bad` are periods' ends with a reason, kept for the record."""

    party = link("relight_accounts.Party", index=True)
    channel = models.TextField()
    value = models.TextField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    ended_because = models.TextField(db_default="")
    source = models.TextField(db_default="")

    class Meta:
        db_table = "contact_point"
        constraints = (
            one_of("channel", "sms", "email", "letter"),
            one_of("ended_because", "", "opted_out", "undeliverable", "wrong_person", "replaced"),
            period(),
            models.UniqueConstraint(
                fields=("partner", "party", "channel", "value"),
                condition=Q(ends_at__isnull=True),
                name="contact_point_once",
            ),
        )
        indexes = (models.Index(fields=("partner", "channel", "value"), name="contact_point_value"),)


class Flag(PartnerRow):
    """Something that protects or decides, for a period: yes, no, or unknown until somebody asks.

    Sits on exactly one of party, premises, account or service. Health is never stored: only that, until when, and
    who saw the evidence.
    """

    name = models.TextField()
    value = models.TextField()
    party = link("relight_accounts.Party", null=True)
    premises = link("relight_accounts.Premises", null=True)
    account = link("relight_accounts.Account", null=True)
    service = link("relight_accounts.Service", null=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    review_date = models.DateField(null=True)
    source = models.TextField()
    evidence = models.TextField(db_default="")

    class Meta:
        db_table = "flag"
        constraints = (
            one_of("value", "yes", "no", "unknown"),
            period(),
            models.CheckConstraint(
                condition=Q(party__isnull=False, premises=None, account=None, service=None)
                | Q(premises__isnull=False, party=None, account=None, service=None)
                | Q(account__isnull=False, party=None, premises=None, service=None)
                | Q(service__isnull=False, party=None, premises=None, account=None),
                name="flag_on_one_thing",
            ),
        )
        indexes = (
            models.Index(fields=("partner", "account"), condition=Q(account__isnull=False), name="flag_account"),
            models.Index(fields=("partner", "party"), condition=Q(party__isnull=False), name="flag_party"),
            models.Index(fields=("partner", "premises"), condition=Q(premises__isnull=False), name="flag_premises"),
            models.Index(fields=("partner", "service"), condition=Q(service__isnull=False), name="flag_service"),
        )
