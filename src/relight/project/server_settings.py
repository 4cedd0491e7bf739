"""The embedded server's `postgresql.conf`: durable, private, and modest enough for a small machine."""

import os
from pathlib import Path

_MIB = 1024 * 1024


def rendered(*, socket_folder: Path, log_folder: Path) -> str:
    """The whole file. An operator's own settings go into `relight.local.conf` beside it and win."""
    settings = {
        **_private(socket_folder),
        **_durable(),
        **_sized(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MIB),
        **_logged(log_folder),
        "timezone": "UTC",
        "log_timezone": "UTC",
        "datestyle": "iso, ymd",
        "lc_messages": "C",
        "max_connections": "100",
        # Batches are planned with rough estimates; compiling a plan costs more than most of them run.
        "jit": "off",
        "random_page_cost": "1.1",
        # The outbox and the wake index turn over quickly; dead rows there slow every turn.
        "autovacuum_naptime": "15s",
        "autovacuum_vacuum_scale_factor": "0.05",
        # But a table of a few hundred rows is not looked through every fifteen seconds: who pays just then would wait.
        "autovacuum_vacuum_threshold": "500",
        "autovacuum_analyze_threshold": "500",
    }
    lines = [f"{name} = '{_quoted(value)}'" for name, value in settings.items()]
    head = "# Written by Relight at each start. Put your own settings into relight.local.conf in this folder."
    return "\n".join([head, *lines, "include_if_exists = 'relight.local.conf'", ""])


def _private(socket_folder: Path) -> dict[str, str]:
    return {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
    }


def _durable() -> dict[str, str]:
    return {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def _sized(memory_mib: int) -> dict[str, str]:
    shared_mib = min(max(memory_mib // 8, 64), 2048)
    return {
        "shared_buffers": f"{shared_mib}MB",
        "effective_cache_size": f"{max(memory_mib // 2, 128)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{min(max(memory_mib // 32, 32), 256)}MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "max_slot_wal_keep_size": "8GB",  # a backup stream that was forgotten does not fill the disk
    }


def _logged(log_folder: Path) -> dict[str, str]:
    # One file for each weekday, emptied when its day comes round: a week of log, never more.
    return {
        "logging_collector": "on",
        "log_directory": str(log_folder),
        "log_filename": "postgresql-%a.log",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_truncate_on_rotation": "on",
        "log_line_prefix": "%m [%p] %u@%d ",
    }


def _quoted(value: str) -> str:
    return value.replace("'", "''")
