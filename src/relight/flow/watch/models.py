"""Watching: what the last audits came to, so that an alarm can tell of one that found something, or of none at all."""

from django.db import models

from relight.flow.partners.fields import PartnerRow


class AuditResult(PartnerRow):
    """One audit of one partner: how many violations of each invariant, by its number ("I3"). Added, never changed.

    `is_full`: it looked at everything that is stored, not only at what is of some moment and later.
    """

    at = models.DateTimeField()
    violations = models.IntegerField()
    by_invariant = models.JSONField(db_default=models.Value("{}"))
    is_full = models.BooleanField(db_default=False)

    class Meta:
        db_table = "audit_result"
        indexes = (models.Index(fields=("partner", "at"), name="audit_result_at"),)
