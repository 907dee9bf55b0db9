"""`nanobanana admin` and `doctor`, on the database of a service that has made images."""

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import AsyncMock

import psycopg
import pytest
from typer.testing import CliRunner, Result

from nanobanana.app import create_app
from nanobanana.cli.main import app
from nanobanana.domain.billing.service import Billing
from nanobanana.google_routes import live_routes
from nanobanana.integrations.google.http import open_http
from nanobanana.integrations.google.types import ImageRequest
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from nanobanana.storage.redis import open_redis
from tests.cli.serving import serving
from tests.cli.test_configuration import run
from tests.conftest import in_memory
from tests.people import Person, sign_up

Admin = Callable[..., Result]

ADA = "ada@example.com"


@pytest.fixture
def admin(servers: dict[str, str], tmp_path: Path) -> Admin:
    """Runs the command in this process: a start of Python costs more than all its work."""

    def admin(*words: str) -> Result:
        return CliRunner().invoke(app, ["admin", *words], env={"DATA_DIR": str(tmp_path), **servers})

    return admin


@pytest.fixture
def ada(settings: Settings) -> Person:
    """Has made an image on payg, had one refused, and one for nothing on free."""
    return asyncio.run(_with_a_past(settings))


async def _with_a_past(settings: Settings) -> Person:
    service = create_app(settings)
    async with service.router.lifespan_context(service), in_memory(service) as client:
        services: Services = service.state.services
        ada = await sign_up(client, ADA)
        await client.post("/v1/generate", json={"prompt": "a banana"}, headers=ada.by_key)
        await services.billing.move(email=ADA, plan="payg")
        await services.billing.credit(email=ADA, micro_usd=100_000)
        for prompt in ("a banana", "[sandbox:image_safety]"):
            await client.post("/v1/generate", json={"prompt": prompt}, headers=ada.by_key)
    return ada


def one(database_url: str, statement: str) -> object:
    with psycopg.connect(database_url) as connection:
        found = connection.execute(statement.encode())
        return found.fetchone()[0] if found.description else None


def test_credit_adds_and_takes_back_and_tells_the_exact_balance(
    admin: Admin, ada: Person, database_url: str
) -> None:
    added = admin("credit", "ADA@example.com", "12345.678901", "--note", "invoice 17")
    taken = admin("credit", ADA, "-12345.758901")

    assert (added.exit_code, added.stdout) == (0, "The balance of ADA@example.com is $12,345.758901 now.\n")
    assert (taken.exit_code, taken.stdout) == (0, f"The balance of {ADA} is $0.00 now.\n")
    assert one(database_url, "select micro_usd from balances") == 0
    assert one(database_url, "select micro_usd from ledger where note = 'invoice 17'") == 12_345_678_901
    assert admin("reconcile").exit_code == 0


def test_credit_never_takes_what_is_held_or_not_there(admin: Admin, ada: Person, database_url: str) -> None:
    one(database_url, "update balances set held_micro_usd = 20000")

    below_held = admin("credit", ADA, "-0.060001")
    to_held = admin("credit", ADA, "-0.06")

    assert (below_held.exit_code, below_held.stdout) == (1, "")
    assert (
        below_held.stderr
        == "The balance would fall below what is held for images being made, or below zero.\n"
    )
    assert (to_held.exit_code, one(database_url, "select micro_usd from balances")) == (0, 20_000)


@pytest.mark.parametrize(
    "usd", ["many", "0", "nan", "inf", "0.0000001", "1000000.000001", "-1000001", "1e400"]
)
def test_what_is_no_amount_is_refused(usd: str) -> None:
    done = CliRunner().invoke(app, ["admin", "credit", ADA, usd])

    assert (done.exit_code, "Invalid value for USD" in done.output) == (2, True)


def test_who_is_not_there_is_named(admin: Admin) -> None:
    for words in (("credit", "eve@example.com", "5"), ("plan", "eve@example.com", "pro")):
        done = admin(*words)

        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == "There is no account with the address eve@example.com.\n"


def test_plan_moves_an_account_to_a_plan_there_is(admin: Admin, ada: Person, database_url: str) -> None:
    moved = admin("plan", ADA, "hobby")
    nowhere = admin("plan", ADA, "platinum")

    assert (moved.exit_code, moved.stdout) == (0, f"{ADA} is on the plan hobby now.\n")
    assert (nowhere.exit_code, nowhere.stderr) == (
        1,
        "There is no plan 'platinum'. There are: free, hobby, payg, pro.\n",
    )
    assert one(database_url, "select plan from accounts") == "hobby"


def test_reconcile_finds_nothing_where_all_is_well(admin: Admin, ada: Person) -> None:
    done = admin("reconcile")

    assert (done.exit_code, done.stdout, done.stderr) == (
        0,
        "Ledger, counters, generations and usage agree.\n",
        "",
    )


def test_reconcile_finds_what_somebody_changed_in_any_record(
    servers: dict[str, str], tmp_path: Path, ada: Person, database_url: str
) -> None:
    one(database_url, "update account_months set images = images + 1")
    one(database_url, "update key_months set held_images = 1")
    one(database_url, "update free_days set images = 0")
    one(database_url, "update balances set micro_usd = micro_usd + 1")
    one(database_url, "update usage_days set failed = 7")
    one(
        database_url,
        "update generations set state = 'succeeded', image_state = 'kept' where state = 'blocked'",
    )

    done = run("admin", "reconcile", DATA_DIR=str(tmp_path), **servers)

    assert done.returncode == 1
    lines = done.stdout.splitlines()
    checks = ["account_months", "balances", "free_days", "generations", "key_months", "usage_days"]
    assert sorted(line.split("  ")[0] for line in lines) == checks
    assert done.stderr == "6 records disagree.\n"
    (balances,) = [line for line in lines if line.startswith("balances")]
    assert balances.endswith("recorded {80001,0}, expected {80000,0}")


@pytest.mark.parametrize(
    "tampering",
    [
        "delete from account_months",
        "delete from key_months",
        "delete from free_days",
        "delete from balances",
        "delete from usage_days",
        "delete from generations where state = 'blocked'",
        "delete from generations where price_micro_usd > 0 and state = 'succeeded'",
        "insert into free_days (day, images) values ('2026-01-01', 1)",
        "update generations set price_micro_usd = 1 where state = 'succeeded'",
    ],
)
def test_reconcile_finds_what_is_gone_or_was_put_there(
    ada: Person, database_url: str, tampering: str
) -> None:
    one(database_url, tampering)

    assert asyncio.run(_differences(database_url))


async def _differences(database_url: str) -> list[object]:
    database = Database(database_url, size=1)
    await database.open()
    try:
        return await Billing(database).reconcile()
    finally:
        await database.close()


def test_the_routes_are_shown_and_one_that_is_out_is_brought_back(
    admin: Admin, patience_with_redis: None, redis_with_primary_out: None
) -> None:
    shown = admin("routes")
    reopened = admin("routes", "--reopen", "primary")

    primary, standby = shown.stdout.splitlines()
    assert primary.startswith("primary   gemini-nano-banana-2.1         out since 20")
    assert primary.endswith("because of key_rejected")
    assert standby == "standby   gemini-nano-banana-2.1         operational"
    assert "operational since 20" in reopened.stdout.splitlines()[0]
    assert admin("routes").stdout == reopened.stdout


@pytest.fixture
def redis_with_primary_out(servers: dict[str, str], sandbox_url: str) -> None:
    servers |= {
        "GEMINI_API_KEY": f"nobody-{secrets.token_hex(8)}",
        "GEMINI_STANDBY_API_KEY": "test-standby",
        "GEMINI_MODELS": "gemini-nano-banana-2.1",
        "GEMINI_BASE_URL": sandbox_url,
        "SECRET_KEY": f"a secret of the tests {secrets.token_hex(8)}",
    }
    settings = Settings(**{name.lower(): value for name, value in servers.items()})
    asyncio.run(_find_primary_out(settings))


async def _find_primary_out(settings: Settings) -> None:
    redis = open_redis(settings.redis_url.get_secret_value())
    async with open_http() as http:
        routes = live_routes(settings, http, redis, secret=settings.secret_keys[0])
        request = ImageRequest(prompt="a banana", width=1024, height=1024)
        async with routes.generate(request, deadline=time.time() + 60, note_loss=AsyncMock()):
            pass
    await redis.aclose()


def test_a_route_that_does_not_exist_cannot_be_reopened(admin: Admin, patience_with_redis: None) -> None:
    done = admin("routes", "--reopen", "third")

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "There is no route third. The routes are: sandbox.\n"


def test_without_redis_there_is_nothing_to_show(admin: Admin, servers: dict[str, str]) -> None:
    servers["REDIS_URL"] = "redis://127.0.0.1:1/0"

    done = admin("routes")

    assert (done.exit_code, done.stdout) == (1, "")
    assert "Redis does not answer" in done.stderr


def test_doctor_names_the_routes_in_the_order_of_use(tmp_path: Path) -> None:
    done = run("doctor", GEMINI_API_KEY="x", GEMINI_STANDBY_API_KEY="y", VERTEX_PROJECT="bananas")

    assert (
        "Google      the real one, by the primary key, then the standby key, then Vertex AI in global"
        in done.stdout.splitlines()
    )


def test_doctor_tells_what_stands_in_and_what_each_plan_earns(tmp_path: Path) -> None:
    done = run("doctor", DATA_DIR=str(tmp_path / "data"))

    assert (done.returncode, done.stderr) == (0, "")
    assert "sandbox, drawn pictures at no cost (set GEMINI_API_KEY for the real one)" in done.stdout
    assert done.stdout.splitlines()[-5:] == [
        "Plans at full use, with the images of gemini-nano-banana-2.1:",
        "  free        -$1.68 a month   loses money",
        "  hobby       -$7.80 a month   loses money",
        "  pro         -$38.20 a month   loses money",
        "  payg        -$0.0136 an image   loses money",
    ]
    assert not (tmp_path / "data").exists()


def test_doctor_knows_plans_that_earn_and_says_what_it_does_not_know(tmp_path: Path) -> None:
    plans = tmp_path / "plans.toml"
    plans.write_text(
        "[free]\nprice_usd_per_month = 5\nimages_per_month = 100\n[all]\nprice_usd_per_month = 5\n"
    )

    earns = run("doctor", PLANS_FILE=str(plans), GEMINI_API_KEY="x")
    unknown = run("doctor", GEMINI_MODELS="gemini-9")

    assert earns.stdout.splitlines()[-2:] == [
        "  free        $1.64 a month",
        "  all         no limit of images a month: nobody knows",
    ]
    assert unknown.stdout.splitlines()[-1] == (
        "What gemini-9 takes for an image is unknown: add it to MODEL_COSTS_FILE to see what plans earn."
    )


@pytest.mark.parametrize("command", ["doctor", "serve"])
@pytest.mark.parametrize("setting", ["PLANS_FILE", "MODEL_COSTS_FILE"])
def test_a_wrong_table_is_all_its_problems_and_no_start(
    data_dir: Path, servers: dict[str, str], tmp_path: Path, command: str, setting: str
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text("[free]\ncolour = 1\nshape = 2\n")

    done = run(command, DATA_DIR=str(data_dir), PORT="0", **{**servers, setting: str(file)})

    assert done.returncode == 1
    assert f"{file}: [free] colour: there is no such field\n" in done.stderr
    assert f"{file}: [free] shape: there is no such field\n" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_serve_says_which_plans_lose_money_and_starts_with_free_alone(
    data_dir: Path, servers: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "plans.toml"
    file.write_text("[free]\nimages_per_month = 50\n")

    with serving(data_dir, factory=None, settings={**servers, "PLANS_FILE": str(file)}) as service:
        assert "Fully used, these plans lose money: free -$1.68 a month (nanobanana doctor)" in service.said


def test_a_plan_that_accounts_are_on_cannot_vanish(
    data_dir: Path, servers: dict[str, str], ada: Person, tmp_path: Path
) -> None:
    file = tmp_path / "plans.toml"
    file.write_text("[free]\n[pro]\n")

    done = run("serve", DATA_DIR=str(data_dir), PORT="0", **servers, PLANS_FILE=str(file))

    assert done.returncode == 1
    assert f"{file}: accounts are on plans that it does not have: payg." in done.stderr
    assert "nanobanana admin plan EMAIL PLAN" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
