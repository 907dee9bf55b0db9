"""`nanobanana worker` beside a service that leaves queue and jobs to it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from httpx2 import Client

from tests.cli.serving import CLEAN, Service, serving

SAYS_READY = "Working off queue and jobs"


@contextmanager
def working(data_dir: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "nanobanana.cli.main", "worker"],
        env={**CLEAN, "DATA_DIR": str(data_dir), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout
        said = ""
        while SAYS_READY not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def service(data_dir: Path, database_url: str) -> Iterator[Service]:
    settings = {"DATABASE_URL": database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}
    with serving(data_dir, factory=None, settings={**settings, "RUN_JOBS": "false"}) as service:
        yield service


def _state(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        ((state,),) = connection.execute("select state from generations").fetchall()
    return state


def test_what_waits_is_made_by_a_worker_alone(service: Service, database_url: str) -> None:
    key = (service.data_dir / "development_api_key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    with Client(base_url=service.url, headers=headers, timeout=60) as client:
        made = client.post("/v1/generate", json={"prompt": "a banana"})
        assert made.status_code == 200  # what a caller waits for, a web process makes itself
        with psycopg.connect(database_url) as connection:
            connection.execute("delete from ledger")
            connection.execute("delete from generations")
        body = {"prompt": "a banana [sandbox:unavailable]"}
        waiting = client.post("/v1/generate", json=body, headers={"Prefer": "wait=2"}).json()
        assert (waiting["status"], waiting["queue_position"]) == ("queued", 1)
        with psycopg.connect(database_url) as connection:
            connection.execute("update generations set prompt = 'a banana'")

        settings = {"DATABASE_URL": database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}
        with working(service.data_dir, **settings) as worker:
            ended = client.get(f"/v1/generations/{waiting['id']}", params={"wait": 30}).json()
            assert ended["status"] == "succeeded"
            assert client.get(ended["url"]).status_code == 200
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(timeout=20) == 0


def test_a_worker_that_is_stopped_puts_back_what_it_does_not_finish(
    service: Service, database_url: str
) -> None:
    key = (service.data_dir / "development_api_key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}", "Prefer": "wait=1"}
    with Client(base_url=service.url, headers=headers, timeout=60) as client:
        client.post("/v1/generate", json={"prompt": "a banana [sandbox:unavailable]"})
    with psycopg.connect(database_url) as connection:
        connection.execute("update generations set prompt = 'a banana [sandbox:latency=60]'")
    settings = {"DATABASE_URL": database_url, "REDIS_URL": os.environ["TEST_REDIS_URL"]}

    with working(service.data_dir, **settings, SHUTDOWN_GRACE_S="0.5") as worker:
        deadline = time.monotonic() + 20
        while _state(database_url) != "running" and time.monotonic() < deadline:
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0

    assert _state(database_url) == "queued"
