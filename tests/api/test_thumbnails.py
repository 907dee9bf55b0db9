import asyncio
import io
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import AsyncClient
from PIL import Image

from nanobanana.domain.gallery import thumbnails
from nanobanana.domain.images import rules
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import PASSWORD, Person
from tests.s3_fixtures import S3Bucket

Generate = Callable[..., Any]


@pytest.fixture
def generate(client: AsyncClient, alice: Person) -> Generate:
    async def generate(**body: object) -> dict[str, Any]:
        response = await client.post(
            "/v1/generate", json={"prompt": "a banana", **body}, headers=alice.by_key
        )
        return response.json()

    return generate


class Drawing:
    """Counts the thumbnails that are drawn, and holds each until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = self.at_once = self.most_at_once = 0
        self.may_end = threading.Event()
        self._draw = rules.thumbnail
        monkeypatch.setattr(rules, "thumbnail", self.draw)

    def draw(self, data: bytes) -> bytes:
        self.number += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.may_end.wait(20)
        self.at_once -= 1
        return self._draw(data)

    async def begun(self) -> None:
        async with asyncio.timeout(20):
            while not self.at_once:
                await asyncio.sleep(0.01)


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> Drawing:
    return Drawing(monkeypatch)


@pytest.mark.parametrize(
    ("format", "size", "small"),
    [
        ("png", "1024x1024", (512, 512)),
        ("jpeg", "1408x768", (512, 279)),
        ("webp", "768x1408", (279, 512)),
    ],
)
async def test_a_thumbnail_is_webp_with_512_pixels_on_the_longer_side(
    client: AsyncClient,
    generate: Generate,
    settings: Settings,
    format: str,
    size: str,
    small: tuple[int, int],
) -> None:
    made = await generate(format=format, size=size)
    assert len(list(settings.image_dir.rglob("*.*"))) == 1  # nothing is made before somebody looks

    first, second = [await client.get(made["thumbnail_url"]) for _ in range(2)]
    picture = await client.get(made["url"])

    image = Image.open(io.BytesIO(first.content))
    assert (image.format, image.size) == ("WEBP", small)
    assert second.content == first.content
    for response in (first, second):
        assert response.headers["content-type"] == "image/webp"
        for header in ("access-control-allow-origin", "content-security-policy", "x-content-type-options"):
            assert response.headers[header] == picture.headers[header]
    assert first.headers["cache-control"] == "public, max-age=60, immutable"
    assert second.headers["cache-control"] == picture.headers["cache-control"]
    again = await client.get(made["thumbnail_url"], headers={"If-None-Match": second.headers["etag"]})
    assert (again.status_code, first.headers["etag"]) == (304, second.headers["etag"])


async def test_a_thumbnail_is_made_once_for_all_who_ask_even_if_they_leave(
    client: AsyncClient, generate: Generate, drawing: Drawing
) -> None:
    made = await generate()
    calls = [asyncio.create_task(client.get(made["thumbnail_url"])) for _ in range(10)]
    await drawing.begun()
    calls.pop(0).cancel()
    drawing.may_end.set()

    answers = await asyncio.gather(*calls)
    later = await client.get(made["thumbnail_url"])

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in answers} == {later.content}
    assert drawing.number == 1


async def test_thumbnails_are_made_one_at_a_time_and_a_bounded_number_waits(
    client: AsyncClient, generate: Generate, drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "_WAITING_AT_MOST", 2)
    urls = [(await generate(prompt=f"banana {number}"))["thumbnail_url"] for number in range(3)]
    calls = [asyncio.create_task(client.get(urls[0])), asyncio.create_task(client.get(urls[1]))]
    await drawing.begun()
    await asyncio.sleep(0.1)

    refused = await client.get(urls[2])
    drawing.may_end.set()
    answers = [answer.status_code for answer in await asyncio.gather(*calls)]

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
    assert refused.headers["retry-after"]
    assert (answers, drawing.most_at_once) == ([200, 200], 1)
    assert (await client.get(urls[2])).status_code == 200


async def test_a_picture_deleted_meanwhile_leaves_no_thumbnail(
    client: AsyncClient, alice: Person, generate: Generate, drawing: Drawing, settings: Settings
) -> None:
    made = await generate()
    call = asyncio.create_task(client.get(made["thumbnail_url"]))
    await drawing.begun()
    await client.delete(f"/v1/generations/{made['id']}", headers=alice.by_key)
    drawing.may_end.set()

    assert (await call).status_code == 410
    assert [file for file in settings.image_dir.rglob("*") if file.is_file()] == []


async def test_an_account_erased_meanwhile_leaves_no_thumbnail(
    client: AsyncClient, alice: Person, generate: Generate, drawing: Drawing, settings: Settings
) -> None:
    """The eraser deletes pictures before it says so in their rows."""
    made = await generate()
    call = asyncio.create_task(client.get(made["thumbnail_url"]))
    await drawing.begun()
    erased = await client.request(
        "DELETE", "/v1/account", json={"current_password": PASSWORD}, headers=alice.by_session
    )
    drawing.may_end.set()

    assert erased.status_code == 202
    assert (await call).status_code == 404
    assert list(settings.image_dir.rglob("*_512.webp")) == []


async def test_a_store_that_is_away_hinders_no_look_at_what_can_be_read(
    client: AsyncClient, generate: Generate, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await generate()

    async def away(*_: object, **__: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(LocalFolder, "put", away)
    waiting = await generate(prompt="another banana")
    looks = [await client.get(made["thumbnail_url"]) for made in (stored, waiting)]
    monkeypatch.setattr(LocalFolder, "get", away)
    looks += [await client.get(made["thumbnail_url"]) for made in (stored, waiting)]

    assert (stored["stored"], waiting["stored"]) == (True, False)
    assert [look.status_code for look in looks] == [200, 200, 503, 200]


async def test_who_waits_behind_a_store_that_hangs_is_told_to_come_back(
    client: AsyncClient, generate: Generate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "_PATIENCE_S", 1)
    urls = [(await generate(prompt=f"banana {number}"))["thumbnail_url"] for number in range(20)]
    asked = 0

    async def hang(*_: object) -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.7)
        raise StoreError("slow")

    monkeypatch.setattr(LocalFolder, "get", hang)
    began = time.monotonic()
    answers = await asyncio.gather(*(client.get(url) for url in urls))

    assert time.monotonic() - began < 4
    assert {answer.status_code for answer in answers} == {503}
    assert all(answer.headers["retry-after"] for answer in answers)
    codes = {answer.json()["error"]["code"] for answer in answers}
    assert codes == {"overloaded", "upstream_unavailable"}
    assert asked < len(urls)
    monkeypatch.undo()
    assert (await client.get(urls[0])).status_code == 200


@pytest.mark.parametrize("ending", [".jpg", ".webp", "_256.webp", ""])
async def test_only_the_name_of_a_thumbnail_is_one(
    client: AsyncClient, generate: Generate, ending: str
) -> None:
    made = await generate()

    response = await client.get(made["thumbnail_url"].removesuffix("_512.webp") + ending)

    assert response.status_code == 404


class TestWithoutAStore:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"image_store": "none"})

    async def test_the_thumbnail_waits_beside_the_picture_and_goes_with_it(
        self, client: AsyncClient, alice: Person, generate: Generate, services: Services
    ) -> None:
        made = await generate()

        answers = [await client.get(made["thumbnail_url"]) for _ in range(2)]

        assert [Image.open(io.BytesIO(answer.content)).size for answer in answers] == [(512, 512)] * 2
        await client.delete(f"/v1/generations/{made['id']}", headers=alice.by_key)
        assert await services.database.statement("select name from image_bytes", {}) == []
        assert (await client.get(made["thumbnail_url"])).status_code == 410


class TestInABucket:
    @pytest.fixture
    def settings(self, settings: Settings, s3_bucket: S3Bucket) -> Settings:
        return settings.model_copy(update=s3_bucket.settings)

    async def test_the_second_look_is_led_to_the_bucket_while_the_picture_lives(
        self, client: AsyncClient, alice: Person, generate: Generate
    ) -> None:
        made = await generate()

        first, second = [await client.get(made["thumbnail_url"], follow_redirects=False) for _ in range(2)]
        async with AsyncClient() as http:
            led_to = await http.get(second.headers["location"])
            await client.delete(f"/v1/generations/{made['id']}", headers=alice.by_key)
            afterwards = await http.get(second.headers["location"])

        assert (first.status_code, second.status_code) == (200, 302)
        assert second.headers["cache-control"] == "public, max-age=60"
        assert led_to.content == first.content
        assert led_to.headers["content-type"] == "image/webp"
        assert afterwards.status_code == 404
        assert (await client.get(made["thumbnail_url"])).status_code == 410
