"""What was made: listed by what it is, deleted, and told when it is gone."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.generation import service
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.kit.ids import first_id
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person
from tests.rows import rows_of_all_tables

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


async def _generate(client: AsyncClient, person: Person, **body: object) -> dict[str, Any]:
    response = await client.post("/v1/generate", json={"prompt": "a banana", **body}, headers=person.by_key)
    assert response.status_code == 200, response.text
    return response.json()


async def _row(services: Services, id: str) -> Mapping[str, Any]:
    (row,) = await services.database.statement("select * from generations where id = %(id)s", {"id": id})
    return row


async def _insert(services: Services, person: Person, made: datetime, **columns: object) -> str:
    """A row as of that moment, by one of the account's keys."""
    row = {"state": "succeeded", "size": "1024x1024", "mode": "live", "expires_at": None, **columns}
    (inserted,) = await services.database.statement(
        """
        insert into generations (id, account_id, api_key_id, mode, prompt, size, style, state, attempt, finished_at,
                                 image_name, image_state, image_format, expires_at)
        select %(id)s, a.id, k.id, 'live', 'a banana', %(size)s, 'natural', %(state)s, 1, now(), %(id)s,
               case %(state)s when 'succeeded' then 'kept' end, 'png', %(expires_at)s
        from accounts a join api_keys k on k.account_id = a.id and k.mode = %(mode)s
        where a.email = %(email)s
        returning id
        """,
        {**row, "id": first_id("gen", made), "email": person.email},
    )
    return inserted["id"]


class TestFilters:
    @pytest.fixture
    async def ids(self, services: Services, alice: Person, charlie: Person) -> list[str]:
        """Of the days of March, from the first on."""
        await _insert(services, charlie, MARCH + timedelta(hours=1))
        kinds: list[dict[str, object]] = [
            {},
            {"state": "failed"},
            {"size": "1280x896"},
            {"mode": "test"},
            {"expires_at": MARCH},
            {"size": "1280x896"},
        ]
        return [
            await _insert(services, alice, MARCH + timedelta(days=day), **kind)
            for day, kind in enumerate(kinds)
        ]

    @pytest.mark.parametrize(
        ("query", "days"),
        [
            ({"created_after": "2026-03-05"}, [5, 4]),
            ({"created_after": "2026-03-05T00:00:00Z"}, [5, 4]),
            ({"created_after": "2026-03-05T00:00:00.001Z"}, [5]),
            ({"created_after": "2026-03-05T01:00:00+01:00"}, [5, 4]),
            ({"created_before": "2026-03-02"}, [0]),
            ({"created_before": "2026-03-02T00:00:00.001Z"}, [1, 0]),
            ({"created_after": "2026-03-02", "created_before": "2026-03-04"}, [2, 1]),
            ({"created_after": "2026-03-02", "created_before": "2026-03-02"}, []),
            ({"created_after": "9999-12-31"}, []),
            ({"created_before": "0001-01-01"}, []),
            ({"status": "failed"}, [1]),
            ({"size": "1280x896"}, [5, 2]),
            ({"size": "1280x896", "created_before": "2026-03-06"}, [2]),
            ({"size": "1280x896", "status": "failed"}, []),
            ({"image_state": "expired"}, [4]),
            ({"image_state": "kept"}, [5, 3, 2, 0]),
            ({"unknown": "parameter", "status": "failed"}, [1]),
        ],
    )
    async def test_only_what_fits_is_listed(
        self, client: AsyncClient, alice: Person, ids: list[str], query: dict[str, str], days: list[int]
    ) -> None:
        page = (await client.get("/v1/generations", params=query, headers=alice.by_session)).json()

        assert [row["id"] for row in page["data"]] == [ids[day] for day in days]
        assert (page["has_more"], page["next_cursor"]) == (False, None)

    async def test_the_images_of_one_key_are_listed_and_none_of_another_accounts(
        self, client: AsyncClient, alice: Person, charlie: Person, ids: list[str]
    ) -> None:
        keys = (await client.get("/v1/keys", headers=alice.by_session)).json()["data"]
        test_key = next(key["id"] for key in keys if key["mode"] == "test")

        (mine, others) = [
            (await client.get("/v1/generations", params={"key": test_key}, headers=by)).json()["data"]
            for by in (alice.by_session, charlie.by_session)
        ]

        assert [row["id"] for row in mine] == [ids[3]]
        assert others == []

    async def test_what_is_rare_is_found_page_by_page_in_a_bounded_number_of_rows(
        self, client: AsyncClient, alice: Person, ids: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "LOOKED_AT", 2)
        query: dict[str, str] = {"size": "1280x896", "limit": "1"}
        pages = []
        while not pages or pages[-1]["has_more"]:
            pages.append((await client.get("/v1/generations", params=query, headers=alice.by_key)).json())
            query["cursor"] = pages[-1]["next_cursor"]

        assert [[row["id"] for row in page["data"]] for page in pages] == [[ids[5]], [ids[2]], [], []]
        assert len({page["next_cursor"] for page in pages}) == len(pages)

    @pytest.mark.parametrize(
        ("query", "param"),
        [
            ({"created_after": "yesterday"}, "created_after"),
            ({"created_after": "1700000000"}, "created_after"),
            ({"created_after": "2026-03-01T00:00:00"}, "created_after"),
            ({"created_before": "2026-02-30"}, "created_before"),
            ({"created_before": ""}, "created_before"),
            ({"created_after": "2026-03-02", "created_before": "2026-03-01"}, "created_after"),
            ({"key": "nb_live_x"}, "key"),
            ({"status": "done"}, "status"),
            ({"size": "1x1"}, "size"),
            ({"image_state": "gone"}, "image_state"),
        ],
    )
    async def test_a_wrong_filter_is_400_and_named(
        self, client: AsyncClient, alice: Person, query: dict[str, str], param: str
    ) -> None:
        response = await client.get("/v1/generations", params=query, headers=alice.by_key)

        assert (response.status_code, response.json()["error"]["param"]) == (400, param)


async def test_a_deleted_picture_is_gone_everywhere_and_stays_charged(
    client: AsyncClient, alice: Person, services: Services, settings: Settings
) -> None:
    once = {"Idempotency-Key": "once"}
    body = {"prompt": "a secret banana"}
    made = (await client.post("/v1/generate", json=body, headers={**alice.by_key, **once})).json()
    address = f"/v1/generations/{made['id']}"
    assert (await client.get(made["thumbnail_url"])).status_code == 200
    used = (await client.get("/v1/usage", headers=alice.by_session)).json()

    for _ in range(2):
        deleted = await client.delete(address, headers=alice.by_key)
        assert (deleted.status_code, deleted.content) == (204, b"")

    assert [file for file in settings.image_dir.rglob("*") if file.is_file()] == []
    for gone in [
        await client.get(address, headers=alice.by_key),
        await client.get(made["url"]),
        await client.get(made["thumbnail_url"]),
    ]:
        _is_gone(gone, "image_deleted")
    (listed,) = (await client.get("/v1/generations", headers=alice.by_key)).json()["data"]
    assert (listed["image_state"], listed["url"], listed["thumbnail_url"]) == ("deleted", None, None)
    assert (listed["prompt"], listed["charge"]["state"]) == ("", "captured")
    replayed = await client.post("/v1/generate", json=body, headers={**alice.by_key, **once})
    assert (replayed.status_code, replayed.headers["idempotent-replayed"]) == (200, "true")
    assert (replayed.json()["url"], replayed.json()["image_state"]) == (None, "deleted")
    assert (await client.get("/v1/usage", headers=alice.by_session)).json() == used
    assert (await services.billing.reconcile()) == []
    row = await _row(services, made["id"])
    assert (row["image_place"], row["image_state"], row["prompt"]) == (None, "deleted", "")
    assert row["expires_at"] <= datetime.now(UTC)
    assert settings.database_url
    rows = rows_of_all_tables(settings.database_url.get_secret_value())
    assert not any("a secret banana" in row for _, row in rows)


def _is_gone(response: Response, code: str) -> None:
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["charged"]) == (410, code, False)
    assert f"{datetime.now(UTC):%Y-%m}" in error["message"]


async def test_an_expired_picture_is_gone_before_its_row_says_so(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    made = await _generate(client, alice)
    await services.database.statement("update generations set expires_at = now()", {})
    for file in services.settings.image_dir.rglob("*.jpg"):
        file.unlink()

    for gone in [
        await client.get(f"/v1/generations/{made['id']}", headers=alice.by_key),
        await client.get(made["url"]),
        await client.get(made["thumbnail_url"]),
    ]:
        _is_gone(gone, "image_expired")
    (listed,) = (await client.get("/v1/generations", headers=alice.by_key)).json()["data"]
    assert (listed["image_state"], listed["url"], listed["thumbnail_url"]) == ("expired", None, None)

    assert (await client.delete(f"/v1/generations/{made['id']}", headers=alice.by_key)).status_code == 204
    assert (await _row(services, made["id"]))["image_state"] == "expired"


async def test_of_many_each_is_told_what_became_of_it(
    client: AsyncClient, alice: Person, charlie: Person, services: Services
) -> None:
    kept, other = await _generate(client, alice), await _generate(client, charlie)
    blocked = await client.post(
        "/v1/generate", json={"prompt": "a banana [sandbox:image_safety]"}, headers=alice.by_key
    )
    blocked_id = blocked.headers["location"].rpartition("/")[2]
    running = await client.post(
        "/v1/generate",
        json={"prompt": "a banana [sandbox:latency=2]"},
        headers={**alice.by_key, "Prefer": "respond-async"},
    )
    unknown = first_id("gen", MARCH)
    ids = [blocked_id, unknown, running.json()["id"], other["id"], kept["id"], kept["id"]]

    response = await client.post("/v1/generations/delete", json={"ids": ids}, headers=alice.by_session)
    one = await client.delete(f"/v1/generations/{running.json()['id']}", headers=alice.by_key)
    others = await client.delete(f"/v1/generations/{other['id']}", headers=alice.by_key)

    assert response.status_code == 200
    assert [(row["id"], row["result"]) for row in response.json()["data"]] == [
        (blocked_id, "deleted"),
        (unknown, "not_found"),
        (running.json()["id"], "not_deletable"),
        (other["id"], "not_found"),
        (kept["id"], "deleted"),
    ]
    assert (one.status_code, one.json()["error"]["code"], others.status_code) == (409, "not_deletable", 404)
    shown = await client.get(blocked.headers["location"], headers=alice.by_key)
    assert (shown.status_code, shown.json()["status"], shown.json()["prompt"]) == (200, "blocked", "")
    others = await client.get(f"/v1/generations/{other['id']}", headers=charlie.by_key)
    assert (others.json()["image_state"], others.json()["prompt"]) == ("kept", "a banana")
    assert (await client.get(other["url"])).status_code == 200
    assert (await client.get(kept["url"])).status_code == 410


@pytest.mark.parametrize("number", [0, 1, 100, 101])
async def test_1_to_100_are_deleted_in_a_call(client: AsyncClient, alice: Person, number: int) -> None:
    ids = [first_id("gen", MARCH + timedelta(seconds=second)) for second in range(number)]

    response = await client.post("/v1/generations/delete", json={"ids": ids}, headers=alice.by_key)

    assert response.status_code == (200 if 1 <= number <= 100 else 400)


async def test_what_can_be_no_id_is_400_and_named(client: AsyncClient, alice: Person) -> None:
    response = await client.post("/v1/generations/delete", json={"ids": ["gen_\0"]}, headers=alice.by_key)

    assert (response.status_code, response.json()["error"]["param"]) == (400, "ids.0")


async def test_a_key_that_only_reads_deletes_nothing(client: AsyncClient, alice: Person) -> None:
    made = await _generate(client, alice)
    reader = await client.post(
        "/v1/keys", json={"name": "reader", "mode": "live", "scopes": ["read"]}, headers=alice.by_session
    )
    by_reader = {"Authorization": f"Bearer {reader.json()['key']}"}

    one = await client.delete(f"/v1/generations/{made['id']}", headers=by_reader)
    many = await client.post("/v1/generations/delete", json={"ids": [made["id"]]}, headers=by_reader)

    assert (one.status_code, many.status_code) == (403, 403)
    assert (await client.get(made["url"])).status_code == 200


async def test_a_store_that_is_away_leaves_the_file_to_the_purge_and_nothing_to_see(
    client: AsyncClient, alice: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await _generate(client, alice)

    async def away(*_: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(LocalFolder, "delete", away)
    deleted = await client.delete(f"/v1/generations/{made['id']}", headers=alice.by_key)

    assert deleted.status_code == 204
    row = await _row(services, made["id"])
    assert (row["image_state"], row["image_place"], row["prompt"]) == ("deleted", "store", "")
    monkeypatch.undo()
    await client.delete(f"/v1/generations/{made['id']}", headers=alice.by_key)
    assert (await _row(services, made["id"]))["image_place"] is None
    assert (await client.get(made["url"])).status_code == 410


async def test_all_who_delete_the_same_at_once_are_told_the_same(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    ids = [await _insert(services, alice, MARCH + timedelta(seconds=second)) for second in range(50)]

    answers = await asyncio.gather(
        *(
            client.post("/v1/generations/delete", json={"ids": order}, headers=alice.by_session)
            for order in (ids, ids[::-1]) * 4
        )
    )

    results = {row["result"] for answer in answers for row in answer.json()["data"]}
    assert ({answer.status_code for answer in answers}, results) == ({200}, {"deleted"})


async def test_a_name_that_never_was_is_404(client: AsyncClient, alice: Person) -> None:
    made = await _generate(client, alice)
    never = made["url"][:-8] + "AAAA.jpg"

    assert (await client.get(never)).status_code == 404
    assert (await client.get(never.replace("/images/", "/thumbnails/"))).status_code == 404
