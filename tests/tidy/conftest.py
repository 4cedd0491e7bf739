"""Tidiness is held by tests: what the design forbids is planted, and seen to be caught."""

from tests.flow.conftest import database_urls, db, now, owner, partner

__all__ = ["database_urls", "db", "now", "owner", "partner"]
