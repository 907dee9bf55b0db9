"""Test keys: the same API, pictures marked TEST, every failure on demand, never Google."""

import asyncio
import io
import re
import secrets
from pathlib import Path

import pytest
from httpx2 import AsyncClient, Response, get
from PIL import Image, ImageChops

from nanobanana.domain.generation.magic_words import OUTCOMES, REFUSALS
from nanobanana.services import Services
from nanobanana.settings import Settings
from tests.people import Person

_ROW = re.compile(r"^\| `\[test:(.+?)\]` \| (\d+) \| `(\w+)` \| ?(.*) \|$", re.MULTILINE)
DOCUMENTED = _ROW.findall(Path("docs/test-mode.md").read_text())


@pytest.fixture
def google_key() -> str:
    """A key of this test's own, so that the calls with it are counted apart."""
    return f"test-{secrets.token_hex(8)}"


@pytest.fixture
def settings(settings: Settings, sandbox_url: str, google_key: str) -> Settings:
    """Live keys meet a Google of their own, played by the same sandbox."""
    google = Settings(gemini_api_key=google_key, gemini_base_url=sandbox_url)
    return settings.model_copy(
        update={"gemini_api_key": google.gemini_api_key, "gemini_base_url": google.gemini_base_url}
    )


async def _generate(client: AsyncClient, person: Person, prompt: str, **body: object) -> Response:
    json = {"prompt": prompt, **body}
    return await client.post("/v1/generate", json=json, headers=person.by_test_key)


async def _picture(client: AsyncClient, response: Response) -> bytes:
    assert response.status_code == 200, response.text
    return (await client.get(response.json()["url"])).content


def _calls_to_google(settings: Settings, google_key: str) -> int:
    return len(get(f"{settings.sandbox_url}/_sandbox/calls", params={"key": google_key}).json()["calls"])


def test_the_documented_words_are_the_words_there_are() -> None:
    assert [word for word, *_ in DOCUMENTED] == [*REFUSALS, *OUTCOMES]


@pytest.mark.parametrize(
    ("word", "status", "code", "also"), DOCUMENTED, ids=[word for word, *_ in DOCUMENTED]
)
async def test_a_word_gives_the_answer_that_its_row_documents(
    client: AsyncClient, alice: Person, word: str, status: str, code: str, also: str
) -> None:
    response = await _generate(client, alice, f"a banana [test:{word}]")

    error = response.json()["error"]
    assert (response.status_code, error["code"], error["charged"]) == (int(status), code, False)
    headers = dict(re.findall(r"`([\w-]+): ([\w-]+)`", also))
    told = {name: response.headers.get(name) for name in ("Retry-After", "WWW-Authenticate")}
    assert {name: value for name, value in told.items() if value} == headers
    assert re.findall(r'`"limit": "(\w+)"`', also) == ([error["limit"]] if "limit" in error else [])
    assert error["retryable"] == (code in {"rate_limited", "overloaded", "upstream_unavailable"})
    ended = re.findall(r"ended `(\w+)`", also)
    assert bool(ended) == ("location" in response.headers)
    for state in ended:
        shown = (await client.get(response.headers["location"], headers=alice.by_test_key)).json()
        assert (shown["status"], shown["mode"], shown["error"]["code"]) == (state, "test", code)


async def test_a_refusal_leaves_no_generation(client: AsyncClient, alice: Person) -> None:
    await _generate(client, alice, "a banana [test:rate_limited]")

    assert (await client.get("/v1/generations", headers=alice.by_test_key)).json()["data"] == []


async def test_a_dead_test_key_gets_no_failures_on_demand(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    assert (await _generate(client, alice, "a banana [test:rate_limited]")).status_code == 429
    await services.database.statement("update api_keys set disabled = true", {})

    assert (await _generate(client, alice, "a banana [test:rate_limited]")).status_code == 401


@pytest.mark.parametrize("word", ["nothing", "", "quota_exceeded=", "slow=0", "slow=121", "slow=x", "Slow"])
async def test_a_word_that_is_in_no_table_is_400(client: AsyncClient, alice: Person, word: str) -> None:
    response = await _generate(client, alice, f"a banana [test:{word}]")

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "prompt"


async def test_slow_is_202_for_who_will_not_wait_and_the_id_turns_into_what_the_other_word_says(
    client: AsyncClient, alice: Person
) -> None:
    started = asyncio.get_running_loop().time()
    response = await client.post(
        "/v1/generate",
        json={"prompt": "a banana [test:slow=1] [test:content_policy]"},
        headers={**alice.by_test_key, "Prefer": "wait=0"},
    )

    assert (response.status_code, response.json()["mode"]) == (202, "test")
    async with asyncio.timeout(20):
        while True:
            shown = (await client.get(response.headers["location"], headers=alice.by_test_key)).json()
            if shown["status"] != "running":
                break
            await asyncio.sleep(0.05)
    assert shown["error"]["code"] == "content_policy"
    assert asyncio.get_running_loop().time() - started >= 1


async def test_the_slowest_word_is_taken(client: AsyncClient, alice: Person) -> None:
    response = await client.post(
        "/v1/generate",
        json={"prompt": "a banana [test:slow=120]"},
        headers={**alice.by_test_key, "Prefer": "wait=0"},
    )

    assert response.status_code == 202


async def test_the_words_mean_nothing_to_a_live_key(
    client: AsyncClient, alice: Person, settings: Settings, google_key: str
) -> None:
    for word in (*REFUSALS, "slow=120", "nothing"):
        body = {"prompt": f"a banana [test:{word}]"}
        assert (await client.post("/v1/generate", json=body, headers=alice.by_key)).status_code == 200

    assert _calls_to_google(settings, google_key) == len(REFUSALS) + 2


async def test_test_keys_never_reach_google(
    client: AsyncClient, alice: Person, settings: Settings, google_key: str
) -> None:
    for prompt in ("a banana", "a banana [test:upstream_unavailable]", "a banana [sandbox:overloaded]"):
        await _generate(client, alice, prompt)

    assert _calls_to_google(settings, google_key) == 0


async def test_the_sandboxs_words_work_with_test_keys(client: AsyncClient, alice: Person) -> None:
    response = await _generate(client, alice, "a banana [sandbox:image_safety]")

    assert (response.status_code, response.json()["error"]["code"]) == (422, "content_policy")


@pytest.mark.parametrize("format", [None, "png", "jpeg", "webp"])
async def test_the_same_order_gives_the_same_bytes(
    client: AsyncClient, alice: Person, format: str | None
) -> None:
    order = {"size": "1280x896", "style": "artistic", "format": format}

    first = await _picture(client, await _generate(client, alice, "a banana", **order))
    second = await _picture(client, await _generate(client, alice, "a banana", **order))
    other = await _picture(client, await _generate(client, alice, "a lemon", **order))

    assert first == second != other


@pytest.mark.parametrize("size", ["1024x1024", "1408x768", "768x1408"])
async def test_a_picture_of_a_test_key_is_the_live_one_with_a_visible_mark(
    client: AsyncClient, alice: Person, size: str
) -> None:
    body = {"prompt": "a banana", "size": size, "format": "png"}
    live = await client.post("/v1/generate", json=body, headers=alice.by_key)
    test = await client.post("/v1/generate", json=body, headers=alice.by_test_key)

    files = [await _picture(client, answer) for answer in (live, test)]
    plain, marked = (Image.open(io.BytesIO(file)).convert("L") for file in files)

    difference = ImageChops.difference(plain, marked).point(lambda level: 255 * (level > 24))
    share = sum(difference.histogram()[255:]) / (plain.width * plain.height)
    left, top, right, bottom = difference.getbbox()
    assert marked.size == plain.size == tuple(map(int, size.split("x")))
    assert 0.01 < share < 0.4
    assert right - left > plain.width * 0.4
    assert bottom - top > plain.height * 0.4
