"""Seeing what a pure function must not do: every call of a clock, of chance, or of the world outside while it runs.

The interpreter tells of each function written in C that is called, so nothing has to be replaced and nothing can hide
behind a name that was imported earlier.
"""

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

_CLOCKS = {"now", "today", "utcnow", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns",
           "localtime", "gmtime", "process_time", "clock_gettime", "sleep"}  # fmt: skip
_CHANCE = {"random", "getrandbits", "urandom", "getrandom", "uuid4", "uuid1", "token_bytes", "SystemRandom"}
_OUTSIDE = {"open", "connect", "send", "recv", "getaddrinfo", "fork_exec", "posix_spawn", "getenv", "putenv", "input"}
_FORBIDDEN = _CLOCKS | _CHANCE | _OUTSIDE
_MODULES = {"time", "_random", "_socket", "_posixsubprocess", "posix"}

T = TypeVar("T")


def impurities(act: Callable[[], T]) -> tuple[T, list[str]]:
    """The function's value, and the forbidden calls that it made, as "caller: function"."""
    found: list[str] = []

    def see(frame: FrameType, event: str, arg: Any) -> None:
        if event == "c_call" and _is_forbidden(arg):
            found.append(f"{frame.f_code.co_name}: {arg.__qualname__}")

    was_collecting = gc.isenabled()
    gc.disable()  # whoever listens to the collector looks at the clock, in the midst of whatever runs
    sys.setprofile(see)
    try:
        value = act()
    finally:
        sys.setprofile(None)
        if was_collecting:
            gc.enable()
    return value, found


def _is_forbidden(function: Any) -> bool:
    name, module = function.__name__, getattr(function, "__module__", None) or ""
    return name in _FORBIDDEN or module.partition(".")[0] in _MODULES
