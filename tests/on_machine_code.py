"""Any tests on the compiled core, as a worker of the bulk lane runs it:

    python -m pytest -p tests.on_machine_code tests/journeys tests/audit

What changes the core under way (a function of it put in another's place) is for plain Python, and fails here.
"""

import pytest

from relight.cli import compiled

compiled.use(road=True)


def pytest_report_header() -> str:
    """Which core it is."""
    return f"core: {compiled.running()}"


def pytest_sessionstart() -> None:
    """Raises UsageError without one: these tests would prove nothing."""
    if compiled.running() != "compiled":
        raise pytest.UsageError("there is no compiled core of these sources: relight compile")
