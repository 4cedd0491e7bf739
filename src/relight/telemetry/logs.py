"""Logs: one JSON object a line for machines, colours on a terminal, and nothing of a customer in either.

What may stand in a line is listed here by name. Everything else is left out and its name told, so that a developer who
logs something new meets this list first. Messages of exceptions are left out too, since databases quote rows in theirs;
their kinds, and where they were raised, stay. Of other libraries' lines the pattern is kept, not what they filled in.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

VARIABLE = "RELIGHT_LOG"
_FRAMES_MAX = 12
_OF_THE_CODE = (AttributeError, NameError, ImportError)  # they name what is written in the source, and nothing else

# Ids of ours, words of ours, and counts.
ALLOWED = frozenset(
    {
        "event", "level", "logger", "timestamp", "exception", "stack", "trace_id", "span_id", "process", "left_out",
        "loop", "lane", "lanes", "driver", "channel", "effect", "attempt", "case", "partner", "provider", "agency",
        "error", "result", "code", "status", "entrance", "count", "seconds", "port", "host", "file_kind", "run", "why",
        "core", "scheme", "session",
    }
)  # fmt: skip
_NUMBERS = re.compile(r"\d{6,}")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")

Event = MutableMapping[str, Any]


def is_for_people(stream: TextIO) -> bool:
    """Whether lines go to somebody's eyes: a terminal, unless RELIGHT_LOG says json or text."""
    said = os.environ.get(VARIABLE, "")
    return said == "text" or (said != "json" and stream.isatty())


def configure(process: str, stream: TextIO | None = None) -> None:
    """Send what structlog and the standard library log to `stream` (standard error), in one form; `process` is what
    this one is for."""
    to = stream or sys.stderr

    def with_process(_logger: Any, _method: str, event: Event) -> Event:
        event.setdefault("process", process)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        with_process,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_trace,
        _with_frames,
        without_personal_data,
    ]
    shown: Any = (
        structlog.dev.ConsoleRenderer(colors=to.isatty())
        if is_for_people(to)
        else structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_of_django, *shared],
        use_get_message=False,  # another library's pattern is written in its source; what it fills in may be anything
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, shown],
    )
    handler = logging.StreamHandler(stream) if stream else _ToStandardError()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("django.request").setLevel(logging.ERROR)  # what a stranger asked for in vain is no news
    for chatty in ("httpx", "httpcore", "aiosmtplib", "smpplib", "dlms_cosem", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def ensure(process: str) -> None:
    """The same, unless somebody has done it: commands print their answers on standard output, and logs have no
    business there."""
    if not structlog.is_configured():
        configure(process)


class _ToStandardError(logging.StreamHandler[TextIO]):
    """Whatever standard error is at the moment: a command may be run within another program that moves it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # a plain attribute there
        """Looked up anew for each line."""
        return sys.stderr


def server_config() -> dict[str, Any]:
    """The web server's own lines through the same door (a dictionary for `logging.config`)."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {},
        "handlers": {},
        "loggers": {"_granian": {"handlers": [], "level": "INFO", "propagate": True}},
    }


def without_personal_data(_logger: Any, _method: str, event: Event) -> Event:
    """Keep what is listed, say what was left out, and take mail addresses and long numbers out of texts."""
    left_out = sorted(name for name in event if name not in ALLOWED and not name.startswith("_"))
    for name in left_out:
        del event[name]
    if left_out:
        event["left_out"] = left_out
    for name, value in event.items():
        if isinstance(value, str) and name not in ("timestamp", "exception", "trace_id", "span_id"):
            event[name] = _MAIL.sub("…", _NUMBERS.sub("…", value))
    return event


def frames_of(error: BaseException) -> str:
    """Where an exception was raised, without what it says: "ValueError at turn.py:40 turn < worker.py:130 …"."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 3:
        frames = traceback.extract_tb(seen.__traceback__)[-_FRAMES_MAX:]
        places = (f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        said = f" ({seen})" if isinstance(seen, _OF_THE_CODE) else ""
        parts.append(f"{type(seen).__name__}{said} at {' < '.join(places)}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "; from ".join(parts)


def _of_django(_logger: Any, _method: str, event: Event) -> Event:
    """A page that failed: its status, and never its address, which may hold a customer's link."""
    record = event["_record"]
    if record.name == "django.request":
        event["event"], event["status"] = "page_failed", getattr(record, "status_code", 500)
    return event


def _with_frames(_logger: Any, _method: str, event: Event) -> Event:
    told = event.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event["exception"] = frames_of(error)
    return event


def _with_trace(_logger: Any, _method: str, event: Event) -> Event:
    from relight.telemetry import traces

    return event | traces.ids()  # type: ignore[operator]  # a dict, as structlog makes them
