import pytest
from httpx2 import AsyncClient

from nanobanana.settings import Settings
from tests.people import Person


@pytest.fixture
async def url(client: AsyncClient, alice: Person) -> str:
    response = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)
    return response.json()["url"]


async def test_a_picture_is_cached_for_good_and_embeddable_but_never_a_page(
    client: AsyncClient, url: str
) -> None:
    response = await client.get(url)

    assert "immutable" in response.headers["cache-control"]
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]


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


@pytest.mark.parametrize("header", ["garbage", "lines=0-3", "bytes=5-2", "bytes=x-y"])
async def test_a_range_that_means_nothing_is_ignored(client: AsyncClient, url: str, header: str) -> None:
    response = await client.get(url, headers={"Range": header})

    assert response.status_code == 200


async def test_a_range_behind_the_end_is_416_in_the_envelope(client: AsyncClient, url: str) -> None:
    size = len((await client.get(url)).content)

    response = await client.get(url, headers={"Range": f"bytes={size}-"})
    last = await client.get(url, headers={"Range": f"bytes={size - 1}-"})

    assert (response.status_code, last.status_code) == (416, 206)
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
