import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg

from tests.cli.serving import CLEAN, Service, ended, serving


def test_it_says_where_it_listens_what_stands_in_and_how_to_try_it(shared_service: Service) -> None:
    said = shared_service.said
    for fact in (
        "GEMINI_API_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "API key: nb_live_",
        f"curl -s {shared_service.url}",
    ):
        assert fact in said
    assert all(line.isprintable() for line in said.splitlines())


def test_children_find_complete_settings_and_the_operators_own_values_stay(shared_service: Service) -> None:
    found = shared_service.get("/environment")
    assert found["WEB_PROCESSES"] == "2"
    assert found["MALLOC_ARENA_MAX"] == "7"
    assert found["MALLOC_MMAP_THRESHOLD_"] == "67108864"
    assert found["SANDBOX_URL"].startswith("http://127.0.0.1:")
    assert found["DATABASE_URL"].startswith("postgresql://")
    assert found["REDIS_URL"].startswith("unix://")
    assert Path(found["PROMETHEUS_MULTIPROC_DIR"]).is_relative_to(shared_service.data_dir)


def test_a_second_service_on_the_same_data_says_so_and_touches_nothing(shared_service: Service) -> None:
    with serving(shared_service.data_dir, ready=False) as second:
        assert second.finish() == 1
    assert f"process {shared_service.process.pid}, {shared_service.url}" in second.said
    assert shared_service.get("/healthz") == {}


def test_a_web_process_that_dies_is_started_again(shared_service: Service) -> None:
    # given
    before = shared_service.web_processes()
    # when
    os.kill(min(before), signal.SIGKILL)
    # then: the socket stays open meanwhile
    wait_until(lambda: len(shared_service.web_processes() - {min(before)}) == 2)
    assert shared_service.get("/healthz") == {}


def test_an_embedded_server_that_dies_is_started_again(shared_service: Service) -> None:
    # given
    (before,) = shared_service.postmasters()
    # when
    os.kill(before, signal.SIGKILL)
    # then
    wait_until(lambda: shared_service.postmasters() - {before})
    wait_until(lambda: accepts_queries(shared_service.get("/environment")["DATABASE_URL"]))


def test_a_second_start_keeps_the_secret_key_and_the_development_key(
    data_dir: Path, servers: dict[str, str]
) -> None:
    def secret_and_key(service: Service) -> tuple[str, str]:
        file = Path(service.get("/environment")["SECRET_KEY_FILE"])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        return file.read_text(), re.findall(r"nb_live_\w+", service.said)[0]

    with serving(data_dir, settings=servers) as first:
        before = secret_and_key(first)
    with serving(data_dir, settings=servers) as second:
        assert secret_and_key(second) == before


def test_a_taken_port_is_one_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "nanobanana.cli.main", "serve", "--port", str(port)]
        done = subprocess.run(
            command, env={**CLEAN, "DATA_DIR": str(data_dir)}, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {port} on 127.0.0.1 is taken")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_drains_and_ends_with_0(data_dir: Path, servers: dict[str, str]) -> None:
    with serving(data_dir, settings=servers) as service, ThreadPoolExecutor() as pool:
        # given
        family = service.family()
        slow = pool.submit(service.get, "/slow")
        wait_for_connection(service)
        # when: to the whole group, as a terminal sends Ctrl-C
        os.killpg(service.process.pid, signal.SIGINT)
        # then
        assert slow.result() == {"done": True}
        assert service.finish() == 0
        assert ended(family, within_s=0)


def test_a_second_signal_ends_everything_at_once(data_dir: Path, servers: dict[str, str]) -> None:
    with serving(data_dir, factory="create_unstoppable_app", settings=servers) as service:
        # given
        family, port = service.family(), int(service.url.rpartition(":")[2])
        service.process.send_signal(signal.SIGINT)
        wait_until(lambda: refuses(port))
        # when
        service.process.send_signal(signal.SIGINT)
        # then
        assert service.process.wait(timeout=2) == 130
        assert ended(family, within_s=2)


def test_after_its_grace_a_web_process_that_does_not_end_is_killed(
    data_dir: Path, servers: dict[str, str]
) -> None:
    with serving(
        data_dir, factory="create_unstoppable_app", settings={**servers, "SHUTDOWN_GRACE_S": "0"}
    ) as service:
        service.process.terminate()
        assert service.finish() == 0


def test_everything_ends_with_a_killed_supervisor_and_the_next_start_is_clean(data_dir: Path) -> None:
    # given
    with serving(data_dir, workers=3) as service:
        family, port = service.family(), int(service.url.rpartition(":")[2])
        assert len(service.web_processes()) == 3
        # when
        service.process.kill()
        # then
        assert ended(family, within_s=2)
        assert refuses(port)
    with serving(data_dir) as service:
        assert service.get("/healthz") == {}


def test_a_service_that_cannot_start_gives_up_with_1(data_dir: Path, servers: dict[str, str]) -> None:
    with serving(data_dir, factory="create_broken_app", ready=False, settings=servers) as service:
        assert service.finish() == 1
        assert "Web process 1 ended 5 times right after its start." in service.said


def wait_until(condition: Callable[[], object], *, within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def wait_for_connection(service: Service) -> None:
    port = int(service.url.rpartition(":")[2])
    (web,) = [psutil.Process(pid) for pid in service.web_processes()]
    wait_until(lambda: any(c.laddr.port == port and c.status == "ESTABLISHED" for c in web.net_connections()))


def accepts_queries(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def refuses(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0
