"""Where a what-if is worked out: all cores of this machine, on the compiled core if there is one, or a Dask cluster."""

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

import click

from relight.cli import compiled

_ANSWERS_WITHIN = "10s"


@contextmanager
def place(dask: str = "") -> Iterator[Executor]:
    """An executor: of a Dask scheduler's address such as tcp://10.0.0.5:8786, or of this machine's cores."""
    if dask:
        with _cluster(dask) as executor:
            yield executor
    else:
        with ProcessPoolExecutor(len(os.sched_getaffinity(0)), initializer=compiled.use) as executor:
            yield executor


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ModuleNotFoundError as missing:
        raise click.ClickException(
            f"--dask needs the Python package {missing.name}: pip install 'relight[dask]'."
        ) from missing
    try:
        client = Client(address, timeout=_ANSWERS_WITHIN, set_as_default=False)
    except (OSError, ValueError) as silent:
        raise click.ClickException(
            f"No Dask scheduler answers at {address}. Write its address as it says it when it starts, such as "
            "tcp://127.0.0.1:8786, and see that it runs."
        ) from silent
    with client, client.get_executor() as executor:
        if not client.scheduler_info()["workers"]:
            raise click.ClickException(f"The Dask scheduler at {address} has no workers: start dask worker {address}.")
        yield executor
