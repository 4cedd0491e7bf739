"""Feeds: every event to the partner, once each, by a position that is given after commit."""

from django.db import models

from relight.flow.partners.fields import PartnerRow


class FeedPending(PartnerRow):
    """An entry waiting for its position. The identity is drawn after the account lock: a case's entries keep order."""

    topic = models.TextField()
    case_id = models.BigIntegerField(null=True)
    event_number = models.IntegerField(null=True)
    body = models.JSONField(db_default=models.Value("{}"))
    at = models.DateTimeField()

    class Meta:
        db_table = "feed_pending"


class FeedHead(models.Model):
    """The last position given, one row a partner; its lock is the sequencer's right to give more."""

    partner = models.OneToOneField(
        "relight_partners.Partner", on_delete=models.DO_NOTHING, primary_key=True, related_name="+"
    )
    position = models.BigIntegerField(db_default=0)
    settled = models.BigIntegerField(db_default=0)
    """No entry up to this identity is left, and none can come late."""
    seen = models.BigIntegerField(db_default=0)
    """The next `settled`, once all transactions before `seen_before` have ended."""
    seen_before = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "feed_head"


class FeedEntry(PartnerRow):
    """An entry with its position. Added by the sequencer, never changed."""

    pk = models.CompositePrimaryKey("partner_id", "position")
    position = models.BigIntegerField()
    topic = models.TextField()
    case_id = models.BigIntegerField(null=True)
    event_number = models.IntegerField(null=True)
    body = models.JSONField(db_default=models.Value("{}"))
    at = models.DateTimeField()

    class Meta:
        db_table = "feed"


class FeedReader(PartnerRow):
    """How far a named reader has read and acknowledged; over HTTP it shows a token, of which the SHA-256 is kept."""

    name = models.TextField()
    position = models.BigIntegerField(db_default=0)
    acknowledged_at = models.DateTimeField(null=True)
    token_digest = models.TextField(db_default="")

    class Meta:
        db_table = "feed_reader"
        constraints = (models.UniqueConstraint(fields=("partner", "name"), name="feed_reader_name"),)
