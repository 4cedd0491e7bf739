"""Undo of a wrong run: what is to be undone, who asked and who agreed, how far it has come, and what it did by case."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from relight.flow.partners.fields import PartnerRow, link, one_of

OPEN = ("granted", "running")


class Undo(PartnerRow):
    """One undo: `asked` until enough people agreed, `granted`, `running`, `done`; or `refused`.

    It is about steps that were taken from `since` on, `until` it was asked for (`needs` one person) or began (two), of
    a policy's version, of an import, or of the cases that a bulk moved; of everything where none is named. `act` is the
    bulk id of the cases' events. `after_case` is how far it has come, so that whoever goes on begins there. `found` is
    what its asker was shown.
    The apology is a `draft` until a person approves it; then the turn of one case of each customer sends it.
    """

    policy = models.TextField(db_default="")
    version = models.IntegerField(null=True)
    import_run = link("relight_claims.ImportRun", null=True)
    bulk = models.BigIntegerField(null=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    why = models.TextField()
    state = models.TextField(db_default="asked")
    found = models.JSONField(db_default=models.Value("{}"))
    needs = models.SmallIntegerField()
    asked_at = models.DateTimeField()
    asked_by = models.TextField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.TextField(db_default="")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    after_case = models.BigIntegerField(db_default=0)
    act = models.BigIntegerField(null=True)
    apology = models.TextField(db_default="")
    apology_at = models.DateTimeField(null=True)
    apology_by = models.TextField(db_default="")

    class Meta:
        db_table = "undo"
        constraints = (
            one_of("state", "asked", "granted", "running", "done", "refused"),
            one_of("apology", "", "draft", "approved", "dropped"),
            models.CheckConstraint(
                condition=Q(needs=1)
                | Q(state__in=("asked", "refused"))
                | (~Q(answered_by="") & ~Q(answered_by=F("asked_by"))),
                name="undo_two_people",
            ),
        )
        indexes = (models.Index(fields=("partner", "id"), condition=Q(state__in=OPEN), name="undo_open"),)


class UndoCase(PartnerRow):
    """What an undo did in one case: the steps that it voided (their numbers), the fees that it took back (minor units),
    the services that it gave back, and what had left by then and cannot be taken back.

    `reached` is whether the customer noticed anything; only then is there an apology: `draft`, `wanted` when a person
    has approved it, `told` when a decision has put it in the outbox. Of a customer's cases one is wanted; the others
    are told with it.
    """

    undo = link("relight_cases.Undo")
    case = link("relight_cases.Case")
    account = link("relight_accounts.Account")
    steps = ArrayField(models.IntegerField())
    fees = models.BigIntegerField()
    services = models.IntegerField()
    messages = models.IntegerField()
    letters = models.IntegerField()
    stopped = models.IntegerField()
    handovers = models.IntegerField()
    reached = models.BooleanField()
    apology = models.TextField(db_default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "undo_case"
        constraints = (
            one_of("apology", "", "draft", "wanted", "told", "dropped"),
            models.UniqueConstraint(fields=("partner", "undo", "case"), name="undo_case_once"),
        )
        indexes = (models.Index(fields=("partner", "case"), condition=Q(apology="wanted"), name="undo_case_apology"),)
