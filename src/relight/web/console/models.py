"""What the console keeps for itself: failed sign-ins, so that passwords cannot be guessed."""

from django.db import models


class SignInFailure(models.Model):
    """Somebody typed a wrong password for the user name `login`. Rows older than a day are cleared."""

    login = models.TextField()
    at = models.DateTimeField()
    address = models.TextField(db_default="")

    class Meta:
        db_table = "sign_in_failure"
        indexes = (models.Index(fields=("login", "at"), name="sign_in_failure_login"),)
