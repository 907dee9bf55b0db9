import os
import signal
import stat
import subprocess
from pathlib import Path
from threading import Timer

import psutil
import psycopg
import pytest
import redis
from pydantic import SecretStr

from nanobanana.settings import Settings
from nanobanana.storage.embedded.errors import EmbeddedServerError
from nanobanana.storage.embedded.servers import running_servers
from tests.storage.embedded.holding import holding

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="shows what happens under root")
AS_USER = pytest.mark.skipif(os.geteuid() == 0, reason="shows what happens without root")


def database_url(settings: Settings) -> str:
    assert settings.database_url
    return settings.database_url.get_secret_value()


def query(url: str, sql: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(sql.encode()).fetchone()
    return row and row[0]


def execute(url: str, sql: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(sql.encode())


def test_what_was_committed_is_there_after_a_stop_and_a_start(data_dir: Path) -> None:
    # given
    settings = Settings(data_dir=data_dir)
    with running_servers(settings) as running:
        execute(database_url(running), "create table kept as select 7 as n")
    # when, then
    with running_servers(settings) as running:
        assert query(database_url(running), "select n from kept") == 7


def test_postgresql_keeps_its_promises_and_has_no_port(open_dir: Path) -> None:
    with running_servers(Settings(data_dir=open_dir / "data")) as running:
        url = database_url(running)
        assert query(url, "show listen_addresses") == ""
        assert query(url, "show fsync") == "on"
        assert query(url, "show server_encoding") == "UTF8"
        assert query(url, "select datlocale from pg_database where datname = current_database()") == "C.UTF-8"
        sockets = Path(str(query(url, "show unix_socket_directories")).strip('"'))
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


def test_valkey_writes_nothing_and_has_no_port(data_dir: Path) -> None:
    with running_servers(Settings(data_dir=data_dir)) as running:
        assert running.redis_url
        client = redis.Redis.from_url(running.redis_url.get_secret_value(), decode_responses=True)
        config = client.config_get()
        client.close()
    assert (config["port"], config["save"], config["appendonly"]) == ("0", "", "no")


def test_servers_that_the_settings_name_are_left_alone(open_dir: Path) -> None:
    settings = Settings(
        data_dir=open_dir / "data",
        database_url=SecretStr("postgresql://db/x"),
        redis_url=SecretStr("redis://cache"),
    )
    with running_servers(settings) as running:
        assert running == settings
    assert not (open_dir / "data").exists()


def test_another_command_joins_servers_that_run_and_leaves_them_running(data_dir: Path) -> None:
    with holding(data_dir) as holder:
        with running_servers(Settings(data_dir=data_dir)) as running:
            assert database_url(running) == holder.database_url
        assert query(holder.database_url, "select 1") == 1


def test_two_commands_that_start_at_once_share_the_servers(open_dir: Path) -> None:
    data_dir = open_dir / "data"
    with holding(data_dir) as one, holding(data_dir) as other:
        assert one.database_url == other.database_url
        assert sorted([bool(one.servers()), bool(other.servers())]) == [False, True]


def test_servers_run_in_sessions_of_their_own(data_dir: Path) -> None:
    # or Ctrl-C in a terminal would end them before the service has drained
    with holding(data_dir) as holder:
        children = psutil.Process(holder.process.pid).children()
        assert [os.getsid(child.pid) for child in children] == [child.pid for child in children]


def test_servers_end_with_a_killed_parent_and_the_next_start_waits_for_that(data_dir: Path) -> None:
    # given
    with holding(data_dir) as holder:
        execute(holder.database_url, "create table kept as select 7 as n")
        servers = holder.servers()
        # Of the direct children: PostgreSQL's own come and go.
        children = psutil.Process(holder.process.pid).children()
        (postmaster,) = [child for child in children if "-D" in child.cmdline()]
        # when: its clean shutdown takes a while
        postmaster.suspend()
        holder.kill()
    Timer(0.5, postmaster.resume).start()
    # then
    with running_servers(Settings(data_dir=data_dir)) as running:
        assert not [server for server in servers if is_alive(server)]
        assert query(database_url(running), "select n from kept") == 7


def test_after_kill_9_of_everything_the_next_start_recovers(data_dir: Path) -> None:
    # given
    with holding(data_dir) as holder:
        execute(holder.database_url, "create table kept as select 7 as n")
        # when
        os.kill(holder.process.pid, signal.SIGSTOP)  # so that it sees nothing of what comes
        for server in holder.servers():
            server.kill()
        holder.kill()
    # then
    assert (data_dir / "postgres/data/postmaster.pid").exists()
    with running_servers(Settings(data_dir=data_dir)) as running:
        assert query(database_url(running), "select n from kept") == 7


def test_a_cluster_that_was_not_finished_is_made_anew(open_dir: Path) -> None:
    # given: killed in the middle of initdb
    unfinished = open_dir / "data/postgres/data.unfinished"
    unfinished.mkdir(parents=True)
    (open_dir / "data").chmod(0o711)
    (unfinished.parent).chmod(0o711)
    (unfinished / "PG_VERSION").write_text("18\n")
    # when, then
    with running_servers(Settings(data_dir=open_dir / "data")) as running:
        assert query(database_url(running), "select 1") == 1
    assert not unfinished.exists()


@pytest.mark.parametrize("name", ['a "b" c%2F?=&', "a,b"])
def test_a_path_with_odd_characters_is_fine(open_dir: Path, name: str) -> None:
    with running_servers(Settings(data_dir=open_dir / name)) as running:
        assert query(database_url(running), "select 1") == 1
        assert running.redis_url
        assert redis.Redis.from_url(running.redis_url.get_secret_value()).ping()


def test_a_path_too_long_for_a_socket_gets_one_elsewhere(open_dir: Path) -> None:
    data_dir = open_dir / ("long" * 30)
    with running_servers(Settings(data_dir=data_dir)) as running:
        sockets = Path(str(query(database_url(running), "show unix_socket_directories")).strip('"'))
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert not sockets.is_relative_to(data_dir)
    assert not sockets.exists()


def test_a_stranger_with_the_old_postmasters_number_does_not_prevent_a_start(data_dir: Path) -> None:
    # given: after a crash, another process of the same user has got the number (usual in a container)
    settings = Settings(data_dir=data_dir)
    with running_servers(settings):
        pass
    cluster = data_dir / "postgres/data"
    owner = cluster.stat()
    with subprocess.Popen(["sleep", "60"], user=owner.st_uid) as stranger:
        (cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster}\n1\n5432\n\n\n0 0\nready\n")
        # when, then
        try:
            with running_servers(settings) as running:
                assert query(database_url(running), "select 1") == 1
        finally:
            stranger.kill()


def test_a_database_of_another_version_is_refused_with_what_to_do(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    with running_servers(settings):
        pass
    (data_dir / "postgres/data/PG_VERSION").write_text("17\n")
    with (
        pytest.raises(EmbeddedServerError, match=r"made by PostgreSQL 17.*NB_PG_BIN"),
        running_servers(settings),
    ):
        pass


def test_a_link_to_a_database_that_is_gone_is_never_replaced_by_an_empty_one(open_dir: Path) -> None:
    (open_dir / "postgres").symlink_to(open_dir / "gone")
    with (
        pytest.raises(EmbeddedServerError, match="is gone"),
        running_servers(Settings(data_dir=open_dir)),
    ):
        pass


def test_programs_of_the_operators_choice_that_are_not_there_are_named(
    open_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NB_PG_BIN", "/nowhere/bin")
    with (
        pytest.raises(EmbeddedServerError, match="no PostgreSQL in /nowhere/bin"),
        running_servers(Settings(data_dir=open_dir)),
    ):
        pass


@AS_ROOT
def test_under_root_postgresql_runs_as_nobody(data_dir: Path) -> None:
    with holding(data_dir) as holder:
        servers = [server for server in holder.servers() if server.name() == "postgres"]
        assert {server.username() for server in servers} == {"nobody"}
        groups = Path(f"/proc/{servers[0].pid}/status").read_text().split("Groups:")[1].splitlines()[0]
        assert groups.strip() == ""


@AS_ROOT
def test_under_root_no_directory_is_opened_wider_and_the_database_lives_elsewhere(closed_dir: Path) -> None:
    # given
    data_dir = closed_dir / "data"
    data_dir.mkdir(mode=0o700)
    # when
    with running_servers(Settings(data_dir=data_dir)) as running:
        place = Path(str(query(database_url(running), "show data_directory")))
    # then
    assert place.is_relative_to("/var/lib/nanobanana")
    assert (data_dir / "postgres").resolve() == place.parent
    assert [stat.S_IMODE(path.stat().st_mode) for path in (closed_dir, data_dir)] == [0o700, 0o700]


@AS_ROOT
def test_under_root_the_cluster_of_a_user_runs_as_that_user(closed_dir: Path) -> None:
    # given: what a start without root leaves behind
    with running_servers(Settings(data_dir=closed_dir / "data")):
        pass
    link = closed_dir / "data/postgres"
    user = 12_345
    for path in (link.resolve(), *link.resolve().rglob("*")):
        os.chown(path, user, user)
    # when, then
    with holding(closed_dir / "data") as holder:
        assert {s.uids().real for s in holder.servers() if s.name() == "postgres"} == {user}


@AS_USER
def test_without_root_everything_lives_under_the_data_directory(closed_dir: Path) -> None:
    with running_servers(Settings(data_dir=closed_dir / "data")) as running:
        place = Path(str(query(database_url(running), "show data_directory")))
    assert place == closed_dir / "data/postgres/data"
    assert stat.S_IMODE((closed_dir / "data").stat().st_mode) == 0o700


def is_alive(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
