"""`nanobanana admin suspend`, `unsuspend` and `audit`."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from nanobanana.app import create_app
from nanobanana.cli.main import app
from nanobanana.settings import Settings
from tests.cli.test_configuration import run
from tests.conftest import in_memory
from tests.people import PASSWORD, Person, sign_up

Admin = Callable[..., Result]

ADA = "ada@example.com"


@pytest.fixture
def admin(servers: dict[str, str], tmp_path: Path) -> Admin:
    def admin(*words: str) -> Result:
        return CliRunner().invoke(app, ["admin", *words], env={"DATA_DIR": str(tmp_path), **servers})

    return admin


async def _in_service(settings: Settings, work: Callable[..., object]) -> object:
    service = create_app(settings)
    async with service.router.lifespan_context(service), in_memory(service) as client:
        return await work(client)


@pytest.fixture
def ada(settings: Settings) -> Person:
    return asyncio.run(_in_service(settings, lambda client: sign_up(client, ADA)))


def test_suspended_keys_are_refused_until_they_are_unsuspended(
    admin: Admin, ada: Person, settings: Settings
) -> None:
    def asked() -> int:
        body = {"prompt": "a banana"}
        asking = _in_service(settings, lambda it: it.post("/v1/generate", json=body, headers=ada.by_key))
        return asyncio.run(asking).status_code

    suspended = admin("suspend", "ADA@example.com", "--reason", "a stolen card")
    assert (suspended.exit_code, suspended.stdout.partition(".")[0]) == (0, "ADA@example")
    assert asked() == 403
    unsuspended = admin("unsuspend", ADA)
    assert (unsuspended.exit_code, unsuspended.stdout) == (0, f"{ADA} is not suspended any more.\n")
    assert asked() == 200


def test_what_is_so_already_is_told_and_changes_nothing(admin: Admin, ada: Person) -> None:
    unsuspended = admin("unsuspend", ADA)
    admin("suspend", ADA)
    suspended = admin("suspend", ADA)

    assert (unsuspended.exit_code, unsuspended.stderr) == (1, f"{ADA} is not suspended.\n")
    assert (suspended.exit_code, suspended.stderr) == (1, f"{ADA} is suspended already.\n")
    assert len(admin("audit").stdout.splitlines()) == 1


def test_who_is_not_there_is_named(admin: Admin, ada: Person) -> None:
    for command in ("suspend", "unsuspend", "audit"):
        done = admin(command, "eve@example.com")

        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == "There is no account with the address eve@example.com.\n"


def test_the_audit_log_shows_what_was_done_to_whom_oldest_first(
    admin: Admin, ada: Person, settings: Settings
) -> None:
    asyncio.run(_in_service(settings, lambda client: sign_up(client, "eve@example.com")))
    admin("plan", ADA, "payg")
    admin("credit", ADA, "25", "--note", "invoice 17")
    admin("credit", ADA, "-100")
    admin("suspend", ADA, "--reason", "a stolen card")
    admin("suspend", "eve@example.com")
    admin("unsuspend", ADA)

    lines = admin("audit", ADA).stdout.splitlines()

    assert all(re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ  ", line) for line in lines)
    assert [re.sub(" +", " ", line[22:]) for line in lines] == [
        f"operator plan {ADA} plan='payg'",
        f"operator credit {ADA} note='invoice 17' micro_usd=25000000",
        f"operator suspend {ADA} reason='a stolen card'",
        f"operator unsuspend {ADA}",
    ]
    assert len(admin("audit").stdout.splitlines()) == 5


def test_an_erased_account_stays_in_the_log_without_its_address(
    admin: Admin, ada: Person, settings: Settings, database_url: str
) -> None:
    admin("suspend", ADA)
    erasure = {"json": {"current_password": PASSWORD}, "headers": ada.by_session}
    asyncio.run(_in_service(settings, lambda client: client.request("DELETE", "/v1/account", **erasure)))

    (line,) = admin("audit").stdout.splitlines()

    assert ADA not in line
    assert line.endswith("(erased)")
    with psycopg.connect(database_url) as connection:
        assert ADA not in str(connection.execute("select * from audit_log").fetchall())


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_word_list_that_cannot_be_used_is_no_start(
    data_dir: Path, servers: dict[str, str], tmp_path: Path, command: str
) -> None:
    file = tmp_path / "terms.txt"
    file.write_bytes(b"a fine term\n\xff\n")

    done = run(command, DATA_DIR=str(data_dir), PORT="0", **servers, BLOCKLIST_FILE=str(file))

    assert done.returncode == 1
    assert f"{file}: line 2 is not UTF-8" in done.stderr
    assert "a fine term" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
