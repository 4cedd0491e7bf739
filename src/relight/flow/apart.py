"""One partner's trouble is not the next one's: whoever goes round them goes on behind an error."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from psycopg_pool import PoolTimeout

from relight.flow.database import AWAY
from relight.telemetry import metrics

log = structlog.get_logger(__name__)


@contextmanager
def apart(loop: str, partner_id: int) -> Iterator[None]:
    """What is raised within is logged and counted, and ends here. Raises PoolTimeout: where there is no
    connection to be had, the next partner would only wait as long."""
    try:
        yield
    except PoolTimeout:
        raise
    except AWAY as away:
        log.warning("database_away", loop=loop, partner=partner_id, error=type(away).__name__)
        metrics.failed(loop, "database away")
    except Exception as bug:
        log.exception("partner_fails", loop=loop, partner=partner_id, error=type(bug).__name__)
        metrics.failed(loop, type(bug).__name__)
