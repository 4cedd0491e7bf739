"""`relight import invoices …` by one session of the server instead of two, to be held against COPY by one:
`python -m bench.one_session import invoices FILE`."""

from unittest.mock import patch

from relight.cli import importing
from relight.project.main import main

if __name__ == "__main__":
    with patch.object(importing, "_SESSIONS", 1):
        main()
