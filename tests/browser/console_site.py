"""The console as a process of its own, for browsers: `python -m tests.browser.console_site` prints where it listens.

A process, because Django is set up once in each, and other tests set it up on databases of their own.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

SECRET = "only for tests"


@contextmanager
def serving(app_url: str, owner_url: str) -> Iterator[str]:
    """The site's address, for as long as the block lasts."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "relight.project.settings",
        "RELIGHT_APP_DATABASE": app_url,
        "RELIGHT_OWNER_DATABASE": owner_url,
        "RELIGHT_SECRET_KEY": SECRET,
    }
    with Popen(
        [sys.executable, "-m", "tests.browser.console_site"], env=environment, stdout=PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    """Serve until ended."""
    from wsgiref.simple_server import make_server

    from relight.project.wsgi import application
    from tests.web.conftest import _Quiet, _Server

    with make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Quiet) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever(0.05)


if __name__ == "__main__":
    main()
