import base64
import os
import time
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx2 import AsyncClient

from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.integrations.object_store.s3 import Bucket
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.storage.database import Database
from nanobanana.web import images as web_images
from tests.people import Person
from tests.s3_fixtures import S3Bucket


@pytest.fixture
async def url(client: AsyncClient, alice: Person) -> str:
    response = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    return response.json()["url"]


@pytest.fixture
def file(settings: Settings, url: str) -> Path:
    return settings.image_dir / url.partition("/images/")[2]


async def test_a_picture_is_embeddable_but_never_a_page(client: AsyncClient, url: str) -> None:
    response = await client.get(url)

    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]


async def test_a_picture_has_a_name_that_people_can_read_and_is_as_old_as_its_order(
    client: AsyncClient, url: str
) -> None:
    told = (await client.get(url)).headers

    day = urlsplit(url).path.removeprefix("/images/")[:10].replace("/", "-")
    assert told["content-disposition"].startswith(f'inline; filename="nanobanana-{day}-')
    assert told["content-disposition"].endswith('.jpg"')
    assert told["content-type"] == "image/jpeg"
    assert abs(parsedate_to_datetime(told["last-modified"]).timestamp() - time.time()) < 60


@pytest.mark.parametrize(
    ("left_s", "cached_s"),
    [
        (86_400 * 30, 86_400),
        (100, 100),
        # Written, and kept for good.
        (0, 86_400),
        (-30, 86_400),
    ],
)
async def test_caches_keep_a_picture_for_a_day_and_not_past_its_end_where_the_file_tells_it(
    client: AsyncClient, url: str, file: Path, monkeypatch: pytest.MonkeyPatch, left_s: int, cached_s: int
) -> None:
    """The database is not asked."""
    os.utime(file, (0, time.time() + left_s))
    monkeypatch.delattr(Database, "statement")

    cached = (await client.get(url)).headers["cache-control"]

    *words, immutable = cached.split(", ")
    assert (words[0], immutable) == ("public", "immutable")
    assert cached_s - 30 <= int(words[1].removeprefix("max-age=")) <= cached_s


@pytest.mark.parametrize("thumbnail", [False, True])
@pytest.mark.parametrize(
    ("left_s", "status", "cached_s"),
    [(None, 200, 86_400), (86_400 * 2, 200, 86_400), (100, 200, 100), (0, 410, None)],
)
async def test_of_a_file_whose_end_has_passed_the_row_is_asked_once(
    client: AsyncClient,
    alice: Person,
    services: Services,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    left_s: int | None,
    status: int,
    cached_s: int | None,
    *,
    thumbnail: bool,
) -> None:
    """Until the purge it is there; and it may be a copy, or of a picture that stays for longer now."""
    monkeypatch.setattr(web_images, "_WRITTEN_WITHIN_S", -1)  # as if the order had been an hour ago
    response = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    url = response.json()["thumbnail_url" if thumbnail else "url"]
    assert (await client.get(url)).status_code == 200
    file = settings.image_dir / urlsplit(url).path.split("/", 2)[2]
    os.utime(file, (0, time.time() - 1))
    await services.database.statement(
        "update generations set expires_at = now() + make_interval(secs => %(left_s)s)", {"left_s": left_s}
    )

    answers = [await client.get(url), await client.get(url, headers={"If-None-Match": "*"})]
    assert [answer.status_code for answer in answers] == [status, 304 if status == 200 else status]
    monkeypatch.undo()
    if cached_s:
        monkeypatch.delattr(Database, "statement")
        answers.append(await client.get(url))
        for answer in answers:
            max_age_s = int(answer.headers["cache-control"].split("=")[1].partition(",")[0])
            assert cached_s - 30 <= max_age_s <= cached_s


async def test_the_file_tells_the_end_of_a_picture_that_has_one(
    client: AsyncClient, alice: Person, settings: Settings
) -> None:
    order = {"prompt": "a banana"}
    made = (await client.post("/v1/generate", json=order, headers=alice.by_test_key)).json()

    file = settings.image_dir / made["url"].partition("/images/")[2]
    expires_at = datetime.fromisoformat(made["expires_at"]).timestamp()
    assert abs(file.stat().st_mtime - expires_at) < 30


async def test_who_has_the_picture_gets_304(client: AsyncClient, url: str) -> None:
    etag = (await client.get(url)).headers["etag"]

    again = await client.get(url, headers={"If-None-Match": etag})
    other = await client.get(url, headers={"If-None-Match": '"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert other.status_code == 200


async def test_a_part_of_the_picture_can_be_asked_for(client: AsyncClient, url: str) -> None:
    whole = (await client.get(url)).content

    part = await client.get(url, headers={"Range": "bytes=10-19"})

    assert part.status_code == 206
    assert part.content == whole[10:20]
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"


# Python refuses to make a number of so many digits.
_MANY = "9" * 5_000
_ENDLESS = [f"bytes={_MANY}-", f"bytes=0-{_MANY}", f"bytes=-{_MANY}", f"bytes=0-1,2-{_MANY}"]


@pytest.mark.parametrize("header", ["garbage", "lines=0-3", "bytes=5-2", "bytes=x-y", *_ENDLESS])
async def test_a_range_that_means_nothing_is_ignored(client: AsyncClient, url: str, header: str) -> None:
    response = await client.get(url, headers={"Range": header})

    assert response.status_code == 200


async def test_a_range_behind_the_end_is_416_in_the_envelope(client: AsyncClient, url: str) -> None:
    size = len((await client.get(url)).content)

    response = await client.get(url, headers={"Range": f"bytes={size}-"})
    last = await client.get(url, headers={"Range": f"bytes={size - 1}-"})
    far = [
        (await client.get(url, headers={"Range": f"bytes={'9' * digits}-"})).status_code
        for digits in (18, 19)
    ]

    assert (response.status_code, last.status_code) == (416, 206)
    assert far == [416, 200]
    assert response.headers["content-range"] == f"bytes */{size}"
    assert response.json()["error"]["code"] == "range_not_satisfiable"


async def test_head_gives_the_length_without_the_picture(client: AsyncClient, url: str) -> None:
    head = await client.head(url)

    assert head.status_code == 200
    assert head.content == b""
    assert int(head.headers["content-length"]) > 1000


@pytest.mark.parametrize(
    "name", ["A" * 22 + ".png", "A" * 22 + ".html", "x.png", ".partial", "%2e%2e%2fsecret_key"]
)
async def test_an_unknown_picture_is_a_clear_4xx(client: AsyncClient, name: str) -> None:
    response = await client.get(f"/images/{name}")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


class TestWithoutAStore:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"image_store": "none"})

    async def test_the_answer_holds_the_picture_as_a_data_url(self, url: str, settings: Settings) -> None:
        assert url.startswith("data:image/jpeg;base64,")
        assert not settings.image_dir.exists()

    async def test_the_picture_waits_for_a_caller_who_comes_back(
        self, client: AsyncClient, alice: Person, url: str
    ) -> None:
        listed = (await client.get("/v1/generations", headers=alice.by_key)).json()["data"]

        assert listed[0]["url"] is None
        shown = await client.get(f"/v1/generations/{listed[0]['id']}", headers=alice.by_key)

        assert shown.json()["url"] == url


class TestInABucket:
    @pytest.fixture
    def settings(self, settings: Settings, s3_bucket: S3Bucket) -> Settings:
        return settings.model_copy(update=s3_bucket.settings)

    async def test_every_answer_has_a_signed_link_of_its_own_to_the_same_bytes(
        self, client: AsyncClient, alice: Person, settings: Settings
    ) -> None:
        made = await self.generate(client, alice.by_test_key)
        path = f"/v1/generations/{made['id']}"
        shown = (await client.get(path, headers=alice.by_test_key)).json()
        listed = (await client.get("/v1/generations", headers=alice.by_test_key)).json()["data"]

        links = [made["url"], shown["url"], listed[0]["url"]]
        async with AsyncClient() as http:
            pictures = [(await http.get(link)).content for link in links]
        assert made["stored"] is True
        assert pictures[0].startswith(b"\xff\xd8")
        assert pictures == pictures[:1] * 3
        assert not settings.image_dir.exists()

    async def test_a_link_ends_with_the_picture(self, client: AsyncClient, alice: Person) -> None:
        made = await self.generate(client, alice.by_test_key)
        link = {name: values[0] for name, values in parse_qs(urlsplit(made["url"]).query).items()}

        lifetime = timedelta(seconds=int(link["X-Amz-Expires"]))
        ends_at = datetime.fromisoformat(link["X-Amz-Date"]) + lifetime
        assert timedelta(0) <= datetime.fromisoformat(made["expires_at"]) - ends_at < timedelta(seconds=30)

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_links_of_before_the_move_lead_to_the_bucket_while_the_picture_lives(
        self, client: AsyncClient, alice: Person, method: str
    ) -> None:
        """They were of the local store."""
        made = await self.generate(client, alice.by_key)
        link = f"/images/{urlsplit(made['url']).path.split('/', 2)[2]}"

        led = await client.request(method, link, follow_redirects=False)
        async with AsyncClient() as http:
            picture = (await http.get(led.headers["location"])).content
            assert picture == (await http.get(made["url"])).content
        assert (led.status_code, led.headers["cache-control"]) == (302, "public, max-age=60")
        assert led.headers["access-control-allow-origin"] == "*"
        for ending in (".png", "_512.webp"):
            other = await client.get(link.removesuffix(".jpg") + ending, follow_redirects=False)
            assert other.status_code == 404
        await client.delete(f"/v1/generations/{made['id']}", headers=alice.by_key)
        assert (await client.request(method, link)).status_code == 410

    async def test_a_picture_that_waits_for_the_bucket_is_at_our_own_path(
        self, client: AsyncClient, alice: Person, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(*_: object, **__: object) -> None:
            raise StoreError("away")

        monkeypatch.setattr(Bucket, "put", away)
        made = await self.generate(client, alice.by_key)
        (row,) = await services.database.statement("select image_name from generations", {})
        link = f"/images/{row['image_name']}.jpg"

        shown = await client.get(link)
        assert shown.headers["cache-control"] == "public, max-age=60, immutable"
        assert shown.content == base64.b64decode(made["url"].partition(",")[2])
        await client.delete(f"/v1/generations/{made['id']}", headers=alice.by_key)
        assert (await client.get(link)).status_code == 410

    @staticmethod
    async def generate(client: AsyncClient, headers: dict[str, str]) -> Any:
        response = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()


class TestBehindAPublicDomain:
    @pytest.fixture
    def settings(self, settings: Settings, s3_bucket: S3Bucket) -> Settings:
        return settings.model_copy(update={**s3_bucket.settings, "r2_public_url": s3_bucket.public_url})

    async def test_links_are_the_domains_and_need_no_signature(self, url: str, s3_bucket: S3Bucket) -> None:
        async with AsyncClient() as http:
            response = await http.get(url)

        assert url.startswith(f"{s3_bucket.public_url}/2")
        assert "?" not in url
        assert response.content.startswith(b"\xff\xd8")
