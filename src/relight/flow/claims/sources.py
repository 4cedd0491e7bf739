"""Where money comes from, when a provider, a scheme or an agency tells of it itself."""

from relight.flow.database import Tx

_FIND = "SELECT id FROM source WHERE partner_id = %(partner)s AND name = %(name)s"

# Not `required`: they have no end of day, so they never make the money data stale. A conflict changes nothing: an
# update would lock the row so that nobody could book a payment from it before our commit.
_MAKE = """
    INSERT INTO source (partner_id, name, kind, required) VALUES (%(partner)s, %(name)s, 'provider', false)
    ON CONFLICT (partner_id, name) DO NOTHING RETURNING id
"""


def provider_source(tx: Tx, name: str) -> int:
    """The source of what `name` tells; made at its first word, by whoever comes first."""
    given = {"partner": tx.partner_id, "name": name}
    for statement in (_FIND, _MAKE):
        if (found := tx.value(statement, given)) is not None:
            return int(found)
    return int(tx.value(_FIND, given))
