"""Traces: how a span in one process is gone on from in the next, where a payment's way leads through a case."""

from django.db import models

from relight.flow.partners.fields import PartnerRow, link


class CaseTrace(PartnerRow):
    """What woke a case (`event_number` 0, until it is decided), and under which span each of its decisions was made.

    Effects know their case and event, so they find the span of their decision here. Written only while traces are on.
    """

    case = link("relight_cases.Case")
    event_number = models.IntegerField()
    traceparent = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "case_trace"
        constraints = (models.UniqueConstraint(fields=("partner", "case", "event_number"), name="case_trace_event"),)
        indexes = (models.Index(fields=("partner", "at"), name="case_trace_at"),)
