import pytest
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from tests.people import Person

PROMPT = {"prompt": "a banana"}


async def _rotate(client: AsyncClient, person: Person, id: str, **body: object) -> dict[str, object]:
    response = await client.post(f"/v1/keys/{id}/rotate", json=body, headers=person.by_session)
    assert response.status_code == 200, response.text
    return response.json()


async def _created(client: AsyncClient, person: Person) -> dict[str, object]:
    settings = {"name": "shop", "monthly_image_cap": 7, "allowed_addresses": ["127.0.0.1"]}
    return (await client.post("/v1/keys", json=settings, headers=person.by_session)).json()


async def _use(client: AsyncClient, text: object) -> Response:
    return await client.post("/v1/generate", json=PROMPT, headers={"Authorization": f"Bearer {text}"})


async def _statuses(client: AsyncClient, *keys: dict[str, object]) -> list[int]:
    return [(await _use(client, key["key"])).status_code for key in keys]


async def test_a_rotation_changes_the_text_and_nothing_else(client: AsyncClient, alice: Person) -> None:
    created = await _created(client, alice)

    rotated = await _rotate(client, alice, created["id"])

    assert rotated["key"] != created["key"]
    assert rotated["key"][-4:] == rotated["last4"]
    assert rotated["previous_last4"] == created["last4"]
    changed = {"key", "last4", "previous_last4", "previous_expires_at"}
    assert {name for name in created if created[name] != rotated[name]} == changed


async def test_during_the_overlap_both_texts_work_and_after_it_the_new_one_only(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    created = await _created(client, alice)
    rotated = await _rotate(client, alice, created["id"], overlap_seconds=60)
    during = await _statuses(client, created, rotated)
    await services.database.statement(
        "update api_keys set previous_expires_at = now() where previous_hash is not null", {}
    )
    after = await _statuses(client, created, rotated)

    assert (during, after) == ([200, 200], [401, 200])


async def test_a_rotation_without_overlap_ends_the_old_text_at_once(
    client: AsyncClient, alice: Person
) -> None:
    created = await _created(client, alice)
    assert await _statuses(client, created) == [200]

    rotated = await _rotate(client, alice, created["id"], overlap_seconds=0)

    assert await _statuses(client, created, rotated) == [401, 200]


async def test_a_second_rotation_ends_the_oldest_text_at_once(client: AsyncClient, alice: Person) -> None:
    first = await _created(client, alice)
    second = await _rotate(client, alice, first["id"])
    assert await _statuses(client, first, second) == [200, 200]

    third = await _rotate(client, alice, first["id"])

    assert await _statuses(client, first, second, third) == [401, 200, 200]


async def test_revoking_ends_both_texts(client: AsyncClient, alice: Person) -> None:
    created = await _created(client, alice)
    rotated = await _rotate(client, alice, created["id"])
    assert await _statuses(client, created, rotated) == [200, 200]

    await client.delete(f"/v1/keys/{created['id']}", headers=alice.by_session)

    assert await _statuses(client, created, rotated) == [401, 401]


@pytest.mark.parametrize(("seconds", "status"), [(-1, 400), (0, 200), (604_800, 200), (604_801, 400)])
async def test_an_overlap_is_0_seconds_to_7_days(
    client: AsyncClient, alice: Person, seconds: int, status: int
) -> None:
    created = await _created(client, alice)

    response = await client.post(
        f"/v1/keys/{created['id']}/rotate", json={"overlap_seconds": seconds}, headers=alice.by_session
    )

    assert response.status_code == status


async def test_the_overlap_is_a_day_unless_said_otherwise(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    created = await _created(client, alice)
    await _rotate(client, alice, created["id"])

    rows = await services.database.statement(
        "select previous_expires_at - now() as left from api_keys where previous_hash is not null", {}
    )

    assert 86_390 < rows[0]["left"].total_seconds() <= 86_400


async def test_a_revoked_key_cannot_be_rotated_back_to_life(client: AsyncClient, alice: Person) -> None:
    created = await _created(client, alice)
    await client.delete(f"/v1/keys/{created['id']}", headers=alice.by_session)

    response = await client.post(f"/v1/keys/{created['id']}/rotate", json={}, headers=alice.by_session)

    assert response.status_code == 404
