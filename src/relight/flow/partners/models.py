"""Partners: tenants, the creditors they collect for, brands, and the people who sign in."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from relight.flow.partners.fields import PartnerRow, link, one_of


class Installation(models.Model):
    """The one row that concerns everybody: the switch that stops everything but restores and receipts."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    stopped_at = models.DateTimeField(null=True)
    stopped_by = models.TextField(blank=True, default="")

    class Meta:
        db_table = "installation"
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="installation_only_row"),)


class Partner(models.Model):
    """A tenant. Starts in `shadow`: decisions are made, effects are withheld."""

    id = models.AutoField(primary_key=True)
    slug = models.SlugField(unique=True)
    name = models.TextField()
    country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    language = models.CharField(max_length=2)
    time_zone = models.TextField()
    mode = models.TextField(db_default="shadow")
    stopped_at = models.DateTimeField(null=True)
    stopped_by = models.TextField(db_default="")
    cuts_per_hour = models.IntegerField(db_default=50)
    cuts_per_day = models.IntegerField(db_default=200)
    money_stale_after_hours = models.IntegerField(db_default=48)
    closed_dates = ArrayField(models.DateField(), db_default=models.Value("{}"))
    site = models.TextField(db_default="")
    driver_settings = models.JSONField(db_default=models.Value("{}"))
    reference_setting = models.JSONField(db_default=models.Value("{}"))
    created_at = models.DateTimeField()

    class Meta:
        db_table = "partner"
        constraints = (one_of("mode", "shadow", "live"),)

    def __str__(self) -> str:
        return self.name


class Creditor(PartnerRow):
    """Who is owed; a partner may have several, each with an account of its own."""

    name = models.TextField()
    org_number = models.TextField(db_default="")
    bank_account = models.TextField(db_default="")

    class Meta:
        db_table = "creditor"
        constraints = (models.UniqueConstraint(fields=("partner", "name"), name="creditor_name"),)

    def __str__(self) -> str:
        return self.name


class Brand(PartnerRow):
    """What the customer sees: name, sender, colours, phone. Co-branding is a second brand beside the first."""

    name = models.TextField()
    sms_sender = models.CharField(max_length=11)
    email_sender = models.EmailField()
    phone = models.TextField(db_default="")
    site = models.TextField(db_default="")
    return_address = models.TextField(db_default="")
    colour = models.CharField(max_length=7, db_default="#0b5f6b")
    co_brand = link("relight_partners.Brand", null=True)

    class Meta:
        db_table = "brand"
        constraints = (models.UniqueConstraint(fields=("partner", "name"), name="brand_name"),)

    def __str__(self) -> str:
        return self.name


class Membership(PartnerRow):
    """A user's role at a partner. An agent reads and acts; a manager also approves and edits policies."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.TextField()

    class Meta:
        db_table = "membership"
        constraints = (
            one_of("role", "reader", "agent", "manager", "admin"),
            models.UniqueConstraint(fields=("partner", "user"), name="membership_once"),
        )
