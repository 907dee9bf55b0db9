"""The example that visitors try without an account."""

import asyncio
import html
import io
import json
import re
import time
from ipaddress import IPv4Address

import pytest
from httpx2 import AsyncClient, Response
from PIL import Image

from nanobanana.domain.tryout import service
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.web.middleware import request_log
from tests.logs import logged_by
from tests.rows import rows_of_all_tables

HTMX = {"HX-Request": "true"}


async def try_out(client: AsyncClient, prompt: str = "a banana", **more: str) -> Response:
    return await client.get("/try", params={"prompt": prompt, **more})


def picture_of(page: Response) -> str:
    (address,) = re.findall(r'<img src="(/try/picture[^"]*)"', page.text)
    return html.unescape(address)


def answer_of(page: Response) -> dict[str, object]:
    (text,) = re.findall(r'<pre id="answer".*?<code>(.*?)</code>', page.text, re.DOTALL)
    return json.loads(html.unescape(text))


async def test_a_try_shows_request_and_answer_and_its_picture_is_drawn_in_the_size_asked_for(
    client: AsyncClient, settings: Settings
) -> None:
    with logged_by(request_log) as lines:
        page = await try_out(client, "a zebra at dusk", size="768x1408", style="artistic")
        drawn = [await client.get(picture_of(page)) for _ in range(2)]

    assert page.status_code == 200
    assert "<html" in page.text
    assert "nb_test_..." in page.text
    assert answer_of(page)["status"] == "succeeded"
    assert {picture.status_code for picture in drawn} == {200}
    assert drawn[0].content == drawn[1].content
    assert Image.open(io.BytesIO(drawn[0].content)).size == (768, 1408)
    assert drawn[0].headers["content-type"] == "image/jpeg"
    private, max_age = drawn[0].headers["cache-control"].split(", max-age=")
    assert (private, 590 <= int(max_age) <= 600) == ("private", True)

    # Nothing is left of it anywhere.
    assert settings.database_url
    rows = str(list(rows_of_all_tables(settings.database_url.get_secret_value())))
    assert [line["path"] for line in lines] == ["/try", "/try/picture", "/try/picture"]
    assert "zebra" not in rows + str(lines)
    assert not settings.image_dir.exists() or not list(settings.image_dir.rglob("*.jpg"))


async def test_a_script_is_given_the_part_alone(client: AsyncClient) -> None:
    part = await client.get("/try", params={"prompt": "a banana"}, headers=HTMX)

    assert "<html" not in part.text
    assert part.text.lstrip().startswith('<div class="first-screen" id="first-screen">')
    assert picture_of(part)


async def test_the_address_of_a_picture_is_good_for_that_picture_alone_and_for_ten_minutes(
    client: AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = picture_of(await try_out(client, "a banana", size="1024x1024", style="natural"))
    changed = [
        address.replace("a+banana", "a+melon"),
        address.replace("1024x1024", "1280x896"),
        address.replace("natural", "artistic"),
        re.sub(r"ends_at=\d+", f"ends_at={2**40}", address),
        re.sub(r"signature=\w", "signature=\u00e4", address),
    ]
    assert {(await client.get(other)).status_code for other in changed} == {404}
    incomplete = [
        address.partition("&signature")[0],
        address + "&more=1",
        address.replace("ends_at=", "ends_at=x"),
    ]
    assert {(await client.get(other)).status_code for other in incomplete} == {400}

    now = time.time()
    monkeypatch.setattr(services.tryout, "_clock", lambda: now + 595)
    assert (await client.get(address)).status_code == 200
    monkeypatch.setattr(services.tryout, "_clock", lambda: now + 601)
    assert (await client.get(address)).status_code == 404


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("[test:rate_limited]", "429 Too Many Requests", "rate_limited"),
        ("[test:content_policy]", "422 Unprocessable", "content_policy"),
        ("[test:nonsense]", "400 Bad Request", "invalid_request"),
    ],
)
async def test_a_magic_word_shows_the_failure_as_a_test_key_meets_it(
    client: AsyncClient, word: str, status: str, code: str
) -> None:
    page = await try_out(client, f"a banana {word}")
    error = answer_of(page)["error"]

    assert page.status_code == 200
    assert status in page.text
    assert (error["code"], error["charged"]) == (code, False)
    assert error["request_id"] == page.headers["x-request-id"]
    assert '<img src="/try' not in page.text
    assert 'class="banana"' in page.text


async def test_what_the_sandbox_does_not_draw_is_an_error_and_no_500(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = await client.get(picture_of(await try_out(client, "a banana [sandbox:image_safety]")))
    monkeypatch.setattr(service, "_LONGEST_DRAWING_S", 0.1)
    stalled = await client.get(picture_of(await try_out(client, "a banana [sandbox:latency=5]")))
    monkeypatch.setattr(service, "_SLOWEST_S", 0)
    slow = await try_out(client, "a banana [test:slow=120]")

    assert (refused.status_code, stalled.status_code) == (422, 503)
    # It is not waited for as long as a key may ask.
    async with asyncio.timeout(20):
        assert (await client.get(picture_of(slow))).status_code in {200, 503}


async def test_a_prompt_has_the_apis_shape_and_500_characters_at_most(client: AsyncClient) -> None:
    wrong = [
        await try_out(client, "x" * 501),
        await try_out(client, " ", size="1024x1024"),
        await try_out(client, "a\x00b"),
        await try_out(client, "a banana", size="1x1"),
        await try_out(client, "a banana", style='"><script>alert(1)</script>'),
    ]
    right = await try_out(client, "\u0645" * 500)

    assert {page.status_code for page in wrong} == {400}
    assert all('class="wrong"' in page.text for page in wrong)
    assert "x" * 501 in wrong[0].text
    assert all("<script>" not in page.text for page in wrong)
    assert right.status_code == 200
    assert (await client.get(picture_of(right))).status_code == 200


async def test_a_process_draws_two_at_once_and_others_wait_for_seconds_at_most(
    client: AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_PATIENCE_S", 0.1)
    address = picture_of(await try_out(client))
    async with services.tryout._place():
        assert (await client.get(address)).status_code == 200
        async with services.tryout._place():
            refused = await client.get(address)
    freed = await client.get(address)

    assert (refused.status_code, freed.status_code) == (503, 200)
    assert "retry-after" in refused.headers


@pytest.mark.usefixtures("patience_with_redis")
class TestThrottle:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        proxies = Settings(trusted_proxies="127.0.0.1").trusted_proxies
        return settings.model_copy(update={"throttle_scale": 1, "trusted_proxies": proxies})

    async def test_five_tries_an_hour_and_it_says_how_many_are_left(self, client: AsyncClient) -> None:
        await try_out(client, "x" * 501)  # takes none
        pages = [await try_out(client) for _ in range(6)]

        assert [page.status_code for page in pages] == [200] * 5 + [429]
        said = [
            "4 tries are left",
            "3 tries are left",
            "2 tries are left",
            "One try is left",
            "That was the last try",
        ]
        assert all(words in page.text for words, page in zip(said, pages, strict=False))
        refused = pages[-1]
        assert 3500 <= int(refused.headers["retry-after"]) <= 3600
        assert "without an account for now. Try again in 60 minutes." in refused.text
        assert "200 OK" not in refused.text
        assert 'href="/register"' in refused.text
        assert "a banana" in refused.text

    async def test_twenty_tries_an_hour_from_a_subnet(self, client: AsyncClient) -> None:
        def from_address(number: int) -> dict[str, str]:
            return {"X-Forwarded-For": f"203.0.113.{number}"}

        tried = [
            await client.get("/try", params={"prompt": "a [test:overloaded]"}, headers=from_address(number))
            for number in range(21)
        ]
        elsewhere = await client.get(
            "/try", params={"prompt": "a"}, headers={"X-Forwarded-For": "203.0.114.1"}
        )

        assert [page.status_code for page in tried] == [200] * 20 + [429]
        assert elsewhere.status_code == 200

    async def test_twenty_pictures_an_hour_for_an_address(
        self, client: AsyncClient, services: Services
    ) -> None:
        address = picture_of(await try_out(client))
        for _ in range(19):
            await services.throttle.take("try_picture", address=IPv4Address("127.0.0.1"))
        # What nobody signed takes none.
        await client.get(address.replace("a+banana", "a+melon"))

        assert (await client.get(address)).status_code == 200
        assert (await client.get(address)).status_code == 429
