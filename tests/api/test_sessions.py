import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.people import PASSWORD, Person


async def test_the_list_names_each_session_and_marks_this_one(client: AsyncClient, alice: Person) -> None:
    login = {"email": alice.email, "password": PASSWORD}
    await client.post("/v1/auth/login", json=login, headers={"User-Agent": "phone " + "x" * 200})
    listed = (await client.get("/v1/account/sessions", headers=alice.by_session)).json()["data"]

    assert [session["current"] for session in listed] == [False, True]
    assert listed[0]["user_agent"] == "phone " + "x" * 114
    assert all(session["id"].startswith("ses_") for session in listed)
    assert listed[0].keys() == {
        "id", "created_at", "last_used_at", "expires_at", "user_agent", "current"
    }  # fmt: skip


async def test_one_session_can_be_ended_and_the_others_live_on(client: AsyncClient, alice: Person) -> None:
    login = {"email": alice.email, "password": PASSWORD}
    other = (await client.post("/v1/auth/login", json=login)).json()["access_token"]
    listed = (await client.get("/v1/account/sessions", headers=alice.by_session)).json()["data"]
    ended = await client.delete(f"/v1/account/sessions/{listed[0]['id']}", headers=alice.by_session)

    assert ended.status_code == 204
    by_other = {"Authorization": f"Bearer {other}"}
    assert (await client.get("/v1/account", headers=by_other)).status_code == 401
    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 200


async def test_somebody_elses_session_is_404(client: AsyncClient, alice: Person, charlie: Person) -> None:
    listed = (await client.get("/v1/account/sessions", headers=alice.by_session)).json()["data"]
    ended = await client.delete(f"/v1/account/sessions/{listed[0]['id']}", headers=charlie.by_session)

    assert len(listed) == 1
    assert ended.status_code == 404
    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 200


@pytest.mark.parametrize(("unused", "status"), [("13 days 23 hours", 200), ("14 days 1 hour", 401)])
async def test_a_session_ends_after_14_days_without_use(
    client: AsyncClient, alice: Person, services: Services, unused: str, status: int
) -> None:
    later = "update sessions set last_used_at = now() - %(unused)s::interval"
    await services.database.statement(later, {"unused": unused})

    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == status
    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == status


async def test_a_session_ends_after_30_days_whatever_its_use(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    rows = await services.database.statement("select expires_at - created_at as life from sessions", {})
    assert rows[0]["life"].days == 30
    await services.database.statement("update sessions set expires_at = now()", {})

    assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 401


@pytest.mark.parametrize(("minutes", "written"), [(59, False), (61, True)])
async def test_the_last_use_is_written_at_most_once_an_hour(
    client: AsyncClient, alice: Person, services: Services, minutes: int, *, written: bool
) -> None:
    earlier = "update sessions set last_used_at = now() - make_interval(mins => %(minutes)s)"
    await services.database.statement(earlier, {"minutes": minutes})
    await client.get("/v1/account", headers=alice.by_session)

    rows = await services.database.statement(
        "select last_used_at > now() - interval '1 minute' as fresh from sessions", {}
    )
    assert rows == [{"fresh": written}]


async def test_ended_sessions_are_discarded(services: Services, alice: Person, charlie: Person) -> None:
    expired = """
        update sessions set expires_at = now()
        where account_id = (select id from accounts where email = %(email)s)
    """
    await services.database.statement(expired, {"email": alice.email})
    await services.people.sessions.discard_expired()

    assert len(await services.database.statement("select id from sessions", {})) == 1
