"""Many at once on one key or account: exactly one story, and nobody gets a 500."""

import asyncio
from collections import Counter

from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from tests.people import Person

PROMPT = {"prompt": "a banana"}


def _by(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def _live_key_id(client: AsyncClient, person: Person) -> str:
    keys = (await client.get("/v1/keys", headers=person.by_session)).json()["data"]
    return next(key["id"] for key in keys if key["mode"] == "live")


async def test_50_rotations_at_once_leave_two_texts_alive_the_shown_one_and_the_one_before(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    id = await _live_key_id(client, alice)

    answers = await asyncio.gather(
        *(client.post(f"/v1/keys/{id}/rotate", json={}, headers=alice.by_session) for _ in range(50))
    )

    assert {answer.status_code for answer in answers} == {200}
    texts = [alice.key, *(answer.json()["key"] for answer in answers)]
    assert len(set(texts)) == 51
    statuses = {text: (await client.get("/v1/generations", headers=_by(text))).status_code for text in texts}
    assert Counter(statuses.values()) == {200: 2, 401: 49}
    shown = (await client.get(f"/v1/keys/{id}", headers=alice.by_session)).json()
    alive = {text[-4:] for text, status in statuses.items() if status == 200}
    assert alive == {shown["last4"], shown["previous_last4"]}
    # Each answer names the text that its own rotation replaced: together they are one chain.
    replaced = [answer.json()["previous_last4"] for answer in answers]
    ends = {shown["last4"]}
    assert Counter(replaced) == Counter(text[-4:] for text in texts) - Counter(ends)


async def test_of_50_rotations_and_a_revocation_at_once_no_text_survives(
    client: AsyncClient, alice: Person
) -> None:
    id = await _live_key_id(client, alice)
    rotations = [
        asyncio.create_task(client.post(f"/v1/keys/{id}/rotate", json={}, headers=alice.by_session))
        for _ in range(50)
    ]

    revoked = await client.delete(f"/v1/keys/{id}", headers=alice.by_session)

    answers = await asyncio.gather(*rotations)
    assert revoked.status_code == 204
    assert {answer.status_code for answer in answers} <= {200, 404}
    texts = [alice.key, *(answer.json()["key"] for answer in answers if answer.is_success)]
    for text in texts:
        assert (await client.get("/v1/generations", headers=_by(text))).status_code == 401


async def test_of_50_revocations_at_once_one_wins(client: AsyncClient, alice: Person) -> None:
    id = await _live_key_id(client, alice)

    answers = await asyncio.gather(
        *(client.delete(f"/v1/keys/{id}", headers=alice.by_session) for _ in range(50))
    )

    assert Counter(answer.status_code for answer in answers) == {204: 1, 404: 49}


async def test_of_20_new_keys_at_once_only_as_many_are_made_as_an_account_may_have(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await services.database.statement(
        """
        insert into api_keys (id, account_id, mode, name, hash, last4)
        select 'key_' || n, a.id, 'live', 'filling', sha256(n::text::bytea), 'xxxx'
        from accounts a, generate_series(1, 91) n
        """,
        {},
    )

    answers = await asyncio.gather(
        *(client.post("/v1/keys", json={}, headers=alice.by_session) for _ in range(20))
    )

    assert Counter(answer.status_code for answer in answers) == {201: 7, 409: 13}


async def test_after_disable_all_no_key_made_meanwhile_works(client: AsyncClient, alice: Person) -> None:
    creations = [
        asyncio.create_task(client.post("/v1/keys", json={}, headers=alice.by_session)) for _ in range(10)
    ]
    await asyncio.wait(creations, return_when=asyncio.FIRST_COMPLETED)

    disabled = (await client.post("/v1/keys/disable-all", headers=alice.by_session)).json()["data"]

    answers = await asyncio.gather(*creations)
    statuses: dict[str, Response] = {
        answer.json()["id"]: await client.get("/v1/generations", headers=_by(answer.json()["key"]))
        for answer in answers
    }
    assert len(disabled) >= 3
    for key in disabled:
        assert key["disabled"]
        assert key["id"] not in statuses or statuses[key["id"]].status_code == 401


async def test_many_may_record_uses_of_the_same_keys_at_once(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    keys = (await client.get("/v1/keys", headers=alice.by_session)).json()["data"]
    for key in keys:
        services.api_keys._used[key["id"]] = 0

    async def record() -> None:
        services.api_keys._used = {key["id"]: 0 for key in keys}
        await services.api_keys.record_uses()

    await asyncio.gather(*(record() for _ in range(50)))

    shown = (await client.get("/v1/keys", headers=alice.by_session)).json()["data"]
    assert all(key["last_used_at"] for key in shown)
