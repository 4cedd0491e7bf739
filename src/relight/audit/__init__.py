"""The audit: all nine invariants, checked from what is stored, by code that shares nothing with the rest of Relight.

It reads rows with statements of its own and works everything out again: balances from transfers, what was known at the
moment of a cut from dated rows, terms from the calendar. It imports nothing of Relight but itself (a contract in
pyproject.toml says so), because a mistake that is shared is a mistake that nobody finds.
"""
