"""The stop switch and the shadow: from their moment on nothing leaves but restores and receipts.

A batch of bulk work reads whether its partner is stopped, and commits later. Nobody may stop it in between: then a cut
would leave a moment after the command said that everything stands still. So batches share a lock, and whoever stops
waits for it, and reads the clock only then. Urgent work (restores, receipts) takes no part: it neither stops nor waits.
"""

from datetime import datetime

from relight.flow.database import Tx, statements

SQL = statements("relight.flow.partners", "stopping.sql")


def heed_stops(tx: Tx) -> None:
    """From here to the commit nobody stops anything; waits for whoever is about to. Before facts and clock are read."""
    tx.run(SQL.heed_stops)


def wait_for_batches(tx: Tx) -> None:
    """Wait until the batches that are under way, of any partner, are committed; later ones wait for our commit."""
    tx.lock(SQL.wait_for_batches)


def stop(tx: Tx, now: datetime, by: str) -> datetime:
    """Stop the transaction's partner, or without one the installation (only its owner may); since when it is.

    Waits for the batches that are under way, of any partner: seconds, where the machine is full.
    """
    wait_for_batches(tx)
    with tx.together():
        moment = tx.later_together(now)
    at = moment()
    _switch(tx, at, by)
    return at


def resume(tx: Tx, by: str) -> list[str]:
    """Let the rest go on. What is still held back by the other switch: all, which has no name, or partners by slug."""
    _switch(tx, None, by)
    return [slug for (slug,) in tx.rows(SQL.still_stopped, {"partner": tx.partner_id})]


def set_mode(tx: Tx, mode: str) -> None:
    """`live`, or `shadow`: decisions are made, and from this commit on nothing leaves but what gives back to who was
    cut before. Whoever goes live wakes the cases then (`wake_all`)."""
    wait_for_batches(tx)
    tx.run(SQL.mode, {"mode": mode, "partner": tx.partner_id})


def _switch(tx: Tx, at: datetime | None, by: str) -> None:
    if tx.partner_id is None:
        tx.run(SQL.installation, {"at": at, "by": by})
    else:
        tx.run(SQL.partner, {"at": at, "by": by, "partner": tx.partner_id})
