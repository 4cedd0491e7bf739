"""The embedded server's life: made, shared, killed, taken up again, and stopped by its last user."""

import os
import signal
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import psycopg
import pytest

from relight.project import cluster, embedded, paths, postmaster, roles
from relight.project.errors import UnableToStartServer, UnableToUseHome
from relight.project.locks import FileLock
from tests.embedded.commands import end, using, wait_until, wait_until_ready


def _kept(server: embedded.Server, statement: str = "SELECT word FROM kept") -> str:
    with psycopg.connect(server.url(roles.OWNER)) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return str(row[0])


def _keep(server: embedded.Server, word: str) -> None:
    with psycopg.connect(server.url(roles.OWNER)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT %s::text AS word", [word])


def _server_pid(home: Path) -> int:
    data = cluster.data_folder(home)
    assert data is not None
    running = postmaster.read(data)
    assert running is not None
    return running.pid


def _kill_server(home: Path) -> None:
    os.kill(_server_pid(home), signal.SIGKILL)
    wait_until(lambda: not embedded.is_running(home))


def test_a_new_home_gets_a_durable_server_that_only_its_owner_can_reach(home: Path) -> None:
    with embedded.server(home) as server, psycopg.connect(server.url()) as connection:
        said = {
            name: connection.info.parameter_status(name) or connection.execute(f"SHOW {name}").fetchone()[0]
            for name in ("fsync", "listen_addresses", "search_path", "idle_in_transaction_session_timeout")
        }
        user, capitals = connection.execute("SELECT current_user::text, upper('blåbærsyltetøy')").fetchone()

    assert said == {
        "fsync": "on",
        "listen_addresses": "",
        "search_path": "relight",
        "idle_in_transaction_session_timeout": "30s",
    }
    assert (user, capitals) == ("relight_app", "BLÅBÆRSYLTETØY")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (home, home / "run", home / "postgres18")} == {0o700}


def test_the_last_user_stops_the_server(home: Path) -> None:
    first = embedded.acquire(home)
    second = embedded.acquire(home)

    first.release()
    running_for_second = embedded.is_running(home)
    second.release()
    second.release()

    assert running_for_second
    assert not embedded.is_running(home)


def test_a_forked_child_leaves_the_server_to_its_parent(home: Path) -> None:
    with embedded.server(home) as server:
        child = os.fork()
        if child == 0:
            server.release()
            os._exit(0)
        os.waitpid(child, 0)

        assert embedded.is_running(home)


def test_a_forked_child_that_outlives_its_parents_use_keeps_the_server(home: Path) -> None:
    server = embedded.acquire(home)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        server.release()
        os._exit(0)

    server.release()
    running_for_child = embedded.is_running(home)
    os.close(writing)
    os.waitpid(child, 0)
    os.close(reading)

    assert running_for_child
    assert not embedded.is_running(home)


def test_a_command_that_comes_while_the_last_one_stops_the_server_gets_a_new_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving = embedded.acquire(home)
    is_stopping, may_stop, stands_in_line = Event(), Event(), Event()
    stop, try_exclusive = cluster.stop, FileLock.try_exclusive

    def stop_when_told(home: Path) -> None:
        is_stopping.set()
        assert may_stop.wait(20)
        stop(home)

    def tried(lock: FileLock) -> bool:
        is_ours = try_exclusive(lock)
        if not is_ours:
            stands_in_line.set()
        return is_ours

    monkeypatch.setattr(cluster, "stop", stop_when_told)
    monkeypatch.setattr(FileLock, "try_exclusive", tried)
    with ThreadPoolExecutor(2) as pool:
        left = pool.submit(leaving.release)
        assert is_stopping.wait(20)
        came = pool.submit(embedded.acquire, home)
        assert stands_in_line.wait(20)
        assert not came.done()
        may_stop.set()
        left.result()
        server = came.result()
        said = _kept(server, "SELECT 'served'")
        server.release()

    assert said == "served"


def test_two_commands_start_at_the_same_moment_and_share_one_server(home: Path) -> None:
    with using(home) as one, using(home) as other:
        wait_until_ready(one)
        wait_until_ready(other)
        data = cluster.data_folder(home)
        parents = [pid for pid in postmaster.processes(data) if _parent(pid) not in set(postmaster.processes(data))]
        codes = end(one), end(other)

    assert len(parents) == 1
    assert codes == (0, 0)
    assert not embedded.is_running(home)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_killed_command_leaves_the_server_to_the_next_which_stops_it(home: Path) -> None:
    with using(home) as command:
        wait_until_ready(command)
        pid = _server_pid(home)
        command.kill()
        command.wait()

    with embedded.server(home):
        pid_of_next = _server_pid(home)

    assert pid_of_next == pid
    assert not embedded.is_running(home)


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(home: Path) -> None:
    with embedded.server(home) as server, using(home) as command:
        wait_until_ready(command)
        os.killpg(command.pid, signal.SIGINT)
        command.wait(timeout=60)

        assert _kept(server, "SELECT 'alive'") == "alive"


def test_data_survives_a_killed_server(home: Path) -> None:
    with embedded.server(home) as server:
        _keep(server, "paid")
        _kill_server(home)

        server.ensure_running()

        assert _kept(server) == "paid"


def test_a_killed_server_is_taken_up_although_a_child_of_it_still_works(home: Path) -> None:
    with embedded.server(home) as server:
        _keep(server, "paid")
        busy = psycopg.connect(server.url())
        backend = busy.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        _kill_server(home)

        server.ensure_running()

        assert _kept(server) == "paid"
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")
        busy.close()


def test_a_server_killed_before_a_restart_of_the_machine_starts_although_its_id_is_somebody_elses_now(
    home: Path,
) -> None:
    with embedded.server(home) as server:
        _keep(server, "paid")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as somebody_else:
        lines = f"{somebody_else.pid}\n{home / 'postgres18'}\n1\n5432\n{home / 'run'}\n\n\nready\n"
        for path in (home / "postgres18" / "postmaster.pid", home / "run" / f"{paths.SOCKET_NAME}.lock"):
            path.write_text(lines)
        (home / "run" / paths.SOCKET_NAME).touch()

        with embedded.server(home) as server:
            kept = _kept(server)
        is_left_alone = somebody_else.poll() is None

    assert kept == "paid"
    assert is_left_alone


def test_a_server_made_half_by_a_killed_command_is_made_anew(home: Path) -> None:
    paths.made(home)
    half = home / "postgres18.making"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    with embedded.server(home) as server:
        assert _kept(server, "SELECT 'whole'") == "whole"

    assert not half.exists()


def test_a_command_killed_while_it_makes_the_server_is_followed_by_one_that_succeeds(home: Path) -> None:
    with using(home) as command:
        wait_until((home / "postgres18.making" / "PG_VERSION").exists)
        command.kill()
        command.wait()

    with embedded.server(home) as server:
        assert _kept(server, "SELECT 'whole'") == "whole"


@pytest.mark.parametrize("major", [14, 17, 99])
def test_data_of_another_major_version_is_refused_with_the_remedy(home: Path, major: int) -> None:
    data = paths.made(home) / "postgres18"
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text(f"{major}\n")

    with pytest.raises(UnableToStartServer) as refused, embedded.server(home):
        pass

    assert f"data of PostgreSQL {major}" in refused.value.found
    assert f"Install PostgreSQL {major}" in refused.value.remedy
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_home_too_deep_for_a_socket_has_it_in_a_private_folder_elsewhere(ground: Path) -> None:
    home = ground / ("deep" * 20) / "home"
    folder = paths.socket_folder(home)

    try:
        with embedded.server(home) as server:
            mode = stat.S_IMODE(folder.stat().st_mode)
            said = _kept(server, "SELECT 'reached'")
    finally:
        folder.rmdir()

    assert said == "reached"
    assert mode == 0o700
    assert paths.socket_path_bytes(folder) < 100
    assert folder == paths.socket_folder(home)


def test_a_socket_folder_that_somebody_else_laid_in_wait_is_refused(ground: Path) -> None:
    home = ground / ("deep" * 20) / "home"
    folder = paths.socket_folder(home)
    folder.symlink_to(ground)

    try:
        with pytest.raises(UnableToStartServer, match="belongs to somebody else"), embedded.server(home):
            pass
    finally:
        folder.unlink()


def test_a_home_that_is_a_file_is_refused(ground: Path) -> None:
    home = ground / "home"
    home.touch()

    with pytest.raises(UnableToUseHome, match="RELIGHT_HOME"), embedded.server(home):
        pass


def test_an_operators_own_settings_win_and_stay(home: Path) -> None:
    with embedded.server(home):
        pass
    (home / "postgres18" / "relight.local.conf").write_text("work_mem = '7MB'\n")

    with embedded.server(home) as server:
        assert _kept(server, "SHOW work_mem") == "7MB"


def test_a_system_server_does_as_well_where_the_wheel_is_missing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with embedded.server(home) as server:
        version = _kept(server, "SHOW server_version_num")

    assert int(version) >= 150000
    assert (home / f"postgres{int(version) // 10000}").is_dir()
