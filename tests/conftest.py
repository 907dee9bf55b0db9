"""One PostgreSQL, one Valkey, one S3 and one sandbox for the whole run; a database of its own for each test."""

import asyncio
import gc
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import httpcore2
import psycopg
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, HTTPError, get

from nanobanana.settings import Settings

# Until the tests begin: what is imported and collected stays.
gc.disable()

# A setting of the machine must not steer a test.
for _name in Settings.model_fields:
    os.environ.pop(_name.upper(), None)

from nanobanana.app import create_app  # noqa: E402 - after the environment is clean
from nanobanana.domain.accounts import passwords  # noqa: E402
from nanobanana.domain.plans.service import put_in_force  # noqa: E402
from nanobanana.services import Services  # noqa: E402
from nanobanana.storage.database import Database  # noqa: E402
from nanobanana.storage.embedded.servers import running_servers  # noqa: E402
from nanobanana.storage.migration import migrate  # noqa: E402
from tests.cli.serving import ROOMY_PLANS  # noqa: E402
from tests.people import Person, sign_up  # noqa: E402
from tests.s3_server import running_s3  # noqa: E402
from tests.secrecy import watch  # noqa: E402

pytest_plugins = ["tests.s3_fixtures", "tests.secrecy_hooks", "tests.service_fixtures"]

# The world's certificates, for which no test asks, are 20 ms of each client.
httpcore2.default_ssl_context = cache(httpcore2.default_ssl_context)

REAL_HASHER = passwords._hasher

# What waits most of its time, the longest first. At the end of a run, a core would wait with it.
FIRST = (
    "tests/chaos/test_google_faults.py",
    "tests/chaos/test_kill",
    "tests/journeys/test_openapi.py",
    "tests/chaos/",
)

_TEMPLATE = "nanobanana_template"
_servers = pytest.StashKey[ExitStack]()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests only wait, for a lease to end or a process to start."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """The process that all xdist workers hang on starts the servers; the others find them in the environment."""
    if hasattr(config, "workerinput"):
        return
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="nanobanana-tests-", dir=_in_memory_folder())
            )
        )
        folder.chmod(0o755)
        settings = stack.enter_context(running_servers(Settings(data_dir=folder)))
        assert settings.database_url
        assert settings.redis_url
        os.environ["TEST_DATABASE_URL"] = settings.database_url.get_secret_value()
        os.environ["TEST_REDIS_URL"] = settings.redis_url.get_secret_value()
        os.environ["TEST_SANDBOX_URL"] = stack.enter_context(_running_sandbox())
        os.environ["TEST_S3_URL"] = stack.enter_context(running_s3())
        _spare_the_disk()
        _execute(f'create database "{_TEMPLATE}"')
        migrate(_url_of(_TEMPLATE))
        asyncio.run(_put_plans_in_force())
        config.stash[_servers] = stack.pop_all()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first of the equal parts that the processes begin with gets all that waits: while one waits, two work. The
    rest of that part is taken from it."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop() -> Iterator[object]:
    gc.collect()
    gc.freeze()
    gc.enable()
    return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _connection.cache_info().currsize:
        _connection().close()
    if stack := config.stash.get(_servers, None):
        stack.close()


def _in_memory_folder() -> str | None:
    """Where there is one of some size: a database is made there in a quarter of the time."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * 1024**3
    return str(memory) if roomy else None


def _spare_the_disk() -> None:
    """No test cuts the power, and hundreds of databases are made: this is most of their time."""
    for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
        _execute(f"alter system set {setting}")
    if _server_version() >= 18:
        _execute("alter system set file_copy_method = clone")
    _execute("select pg_reload_conf()")


async def _put_plans_in_force() -> None:
    database = Database(_url_of(_TEMPLATE), size=1)
    await database.open()
    await put_in_force(database, ROOMY_PLANS)
    await database.close()


@contextmanager
def _running_sandbox() -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listening.set_inheritable(True)
    command = [sys.executable, "-m", "nanobanana_sandbox", "--fd", str(listening.fileno())]
    process = subprocess.Popen([*command, "--api-keys", "sandbox,test-*"], pass_fds=[listening.fileno()])
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    try:
        for _ in range(100):
            if process.poll() is None and _answers(url):
                break
            time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return get(f"{url}/v1beta/models", headers={"x-goog-api-key": "sandbox"}, timeout=1).is_success
    except HTTPError:
        return False


def _url_of(database: str) -> str:
    return os.environ["TEST_DATABASE_URL"].replace("/nanobanana?", f"/{database}?")


def _server_version() -> int:
    return _connection().info.server_version // 10_000


def _execute(statement: str) -> None:
    _connection().execute(statement.encode())


@cache
def _connection() -> psycopg.Connection:
    """One for all databases that this process makes: to connect costs as much as half a database."""
    return psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True)


@pytest.fixture(scope="session")
def sandbox_url() -> str:
    return os.environ["TEST_SANDBOX_URL"]


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred tests sign somebody up: at its real cost, a hash is most of their time. It stays what it is in
    processes, which most tests of passwords under load are about."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)


@pytest.fixture
def database_url() -> Iterator[str]:
    with fresh_database() as url:
        yield url


@contextmanager
def fresh_database() -> Iterator[str]:
    """A copy of the migrated database: commits, locks and races in it are real."""
    name = f"test_{secrets.token_hex(8)}"
    _execute(f'create database "{name}" template "{_TEMPLATE}" strategy file_copy')
    yield _url_of(name)
    watch.saw_database(_url_of(name))
    _execute(f'drop database "{name}" with (force)')


@pytest.fixture
def settings(database_url: str, sandbox_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=database_url,
        redis_url=os.environ["TEST_REDIS_URL"],
        sandbox_url=sandbox_url,
        # One for each: no test counts against the limits of another in the Valkey they share.
        secret_key=f"a secret of the tests {secrets.token_hex(8)}",
        # Whole casts sign up from one address here; what throttles do has tests of its own.
        throttle_scale=1000,
        log_level="debug",
        shutdown_grace_s=5,
    )


@pytest.fixture
def patience_with_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine busy with other tests must not make Redis look gone to a test that counts exactly."""
    for name in ("storage.redis._CONNECT_S", "storage.redis._ANSWER_S"):
        monkeypatch.setattr(f"nanobanana.{name}", 20)
    monkeypatch.setattr("nanobanana.domain.limits.service._SILENT_TURNS", 1000)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    app = _app_of(settings)
    async with app.router.lifespan_context(app):
        yield app


_apps: dict[str, FastAPI] = {}


def _app_of(settings: Settings) -> FastAPI:
    """Its routes are worked out at the first request, at 60 ms: those of an earlier test serve, when its settings were
    the same but for what each test has of its own and a start opens anew."""
    of_its_own = {"data_dir", "database_url", "secret_key"}
    app = create_app(settings)  # which is quick, and sets up the log
    app = _apps.setdefault(repr(settings.model_dump(exclude=of_its_own)), app)
    app.state.settings = settings
    return app


@pytest.fixture
def services(app: FastAPI) -> Services:
    return app.state.services


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Speaks to the app in memory, from loopback."""
    async with in_memory(app) as client:
        yield client


def in_memory(app: FastAPI) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app), base_url="http://nanobanana.test", timeout=30)


@pytest.fixture
async def alice(client: AsyncClient) -> Person:
    """Owns the account that a test is about."""
    return await sign_up(client, "alice@example.com")


@pytest.fixture
async def charlie(client: AsyncClient) -> Person:
    """Must see nothing of Alice's."""
    return await sign_up(client, "charlie@example.com")
