import asyncio
import io

import pytest
from httpx2 import AsyncClient
from PIL import Image

from nanobanana.services import Services
from nanobanana.web.api import generate
from tests.people import Person

SIZES = ["1024x1024", "1280x896", "896x1280", "1408x768", "768x1408"]


async def _generate(client: AsyncClient, person: Person, **body: object) -> dict[str, object]:
    response = await client.post("/v1/generate", json={"prompt": "a banana", **body}, headers=person.by_key)
    assert response.status_code == 200, response.text
    return response.json()


async def _picture(client: AsyncClient, url: str) -> Image.Image:
    response = await client.get(url)
    assert response.status_code == 200
    image = Image.open(io.BytesIO(response.content))
    image.load()
    return image


@pytest.mark.parametrize("size", SIZES)
async def test_the_size_asked_for_is_the_size_delivered(
    client: AsyncClient, alice: Person, size: str
) -> None:
    generation = await _generate(client, alice, size=size)

    image = await _picture(client, generation["url"])

    assert f"{image.width}x{image.height}" == size


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
async def test_the_format_asked_for_is_the_format_delivered(
    client: AsyncClient, alice: Person, format: str
) -> None:
    generation = await _generate(client, alice, format=format)

    response = await client.get(generation["url"])

    assert generation["url"].endswith({"png": ".png", "jpeg": ".jpg", "webp": ".webp"}[format])
    assert response.headers["content-type"] == f"image/{format}"
    assert Image.open(io.BytesIO(response.content)).format == format.upper()


async def test_an_image_answers_with_the_fields_of_the_contract(client: AsyncClient, alice: Person) -> None:
    generation = await _generate(client, alice, prompt="  a cute banana\n")

    assert generation["id"].startswith("gen_")
    assert generation["prompt"] == "a cute banana"
    assert generation["status"] == "succeeded"
    assert generation["created_at"].endswith("Z")
    assert generation["url"].startswith("http://nanobanana.test/images/")


async def test_both_styles_make_different_pictures_of_one_prompt(client: AsyncClient, alice: Person) -> None:
    natural = await _generate(client, alice, style="natural")
    artistic = await _generate(client, alice, style="artistic")

    pictures = [(await client.get(generation["url"])).content for generation in (natural, artistic)]

    assert pictures[0] != pictures[1]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n "}, "prompt"),
        ({"prompt": "x" * 4001}, "prompt"),
        ({"prompt": "null\x00byte"}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": "x", "size": "1000x1000"}, "size"),
        ({"prompt": "x", "style": "vivid"}, "style"),
        ({"prompt": "x", "format": "gif"}, "format"),
        ({"prompt": "x", "promt": "y"}, "promt"),
        ([], "body"),
        ("text", "body"),
    ],
)
async def test_a_wrong_field_is_400_and_named(
    client: AsyncClient, alice: Person, body: object, param: str
) -> None:
    response = await client.post("/v1/generate", json=body, headers=alice.by_key)

    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["code"], error["param"], error["charged"]) == ("invalid_request", param, False)


async def test_all_wrong_fields_are_named_at_once(client: AsyncClient, alice: Person) -> None:
    response = await client.post("/v1/generate", json={"size": "1x1", "colour": "red"}, headers=alice.by_key)

    details = response.json()["error"]["details"]
    assert {detail["param"] for detail in details} == {"prompt", "size", "colour"}


async def test_a_prompt_of_4000_characters_is_taken(client: AsyncClient, alice: Person) -> None:
    assert await _generate(client, alice, prompt="🍌" * 4000)


@pytest.mark.parametrize(
    ("scenario", "status", "code", "state"),
    [
        ("image_safety", 422, "content_policy", "blocked"),
        ("prompt_blocked", 422, "content_policy", "blocked"),
        ("truncate", 503, "upstream_unavailable", "failed"),
    ],
)
async def test_a_failure_of_googles_is_a_clear_error_and_a_settled_row(
    client: AsyncClient, alice: Person, scenario: str, status: int, code: str, state: str
) -> None:
    response = await client.post(
        "/v1/generate", json={"prompt": f"a banana [sandbox:{scenario}]"}, headers=alice.by_key
    )

    error = response.json()["error"]
    assert (response.status_code, error["code"], error["charged"]) == (status, code, False)
    shown = await client.get(response.headers["location"], headers=alice.by_key)
    assert shown.json()["status"] == state
    assert shown.json()["error"]["code"] == code


async def test_a_caller_who_will_not_wait_gets_202_and_finds_the_image_later(
    client: AsyncClient, alice: Person
) -> None:
    response = await client.post(
        "/v1/generate",
        json={"prompt": "a banana [sandbox:latency=0.3]"},
        headers={**alice.by_key, "Prefer": "respond-async"},
    )

    assert response.status_code == 202
    assert response.json()["url"] is None
    assert response.headers["retry-after"]
    finished = await _until_finished(client, alice, response.headers["location"])
    assert finished["status"] == "succeeded"
    assert await _picture(client, finished["url"])


async def _until_finished(client: AsyncClient, person: Person, location: str) -> dict[str, object]:
    async with asyncio.timeout(20):
        while True:
            generation = (await client.get(location, headers=person.by_key)).json()
            if generation["status"] not in {"queued", "running"}:
                return generation
            await asyncio.sleep(0.05)


async def test_a_caller_who_hangs_up_loses_nothing(client: AsyncClient, alice: Person) -> None:
    call = asyncio.create_task(
        client.post("/v1/generate", json={"prompt": "a banana [sandbox:latency=0.5]"}, headers=alice.by_key)
    )
    while not (page := (await client.get("/v1/generations", headers=alice.by_key)).json()["data"]):
        await asyncio.sleep(0.02)
    call.cancel()

    finished = await _until_finished(client, alice, f"/v1/generations/{page[0]['id']}")

    assert finished["status"] == "succeeded"


async def test_generations_are_listed_newest_first_page_by_page(client: AsyncClient, alice: Person) -> None:
    made = [(await _generate(client, alice, prompt=f"banana {number}"))["id"] for number in range(3)]

    first = (await client.get("/v1/generations", params={"limit": 2}, headers=alice.by_session)).json()
    second = (
        await client.get(
            "/v1/generations", params={"limit": 2, "cursor": first["next_cursor"]}, headers=alice.by_key
        )
    ).json()

    assert [row["id"] for row in first["data"] + second["data"]] == made[::-1]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)


@pytest.mark.parametrize("limit", ["0", "101", "x"])
async def test_a_limit_outside_1_to_100_is_400(client: AsyncClient, alice: Person, limit: str) -> None:
    response = await client.get("/v1/generations", params={"limit": limit}, headers=alice.by_key)

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "limit"


async def test_another_accounts_generations_are_404_and_not_listed(
    client: AsyncClient, alice: Person, charlie: Person
) -> None:
    generation = await _generate(client, alice)

    shown = await client.get(f"/v1/generations/{generation['id']}", headers=charlie.by_key)
    listed = await client.get("/v1/generations", headers=charlie.by_session)

    assert shown.status_code == 404
    assert listed.json()["data"] == []


async def test_test_keys_mark_their_images(client: AsyncClient, alice: Person) -> None:
    response = await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_test_key)

    assert response.json()["mode"] == "test"


async def test_a_settled_row_knows_its_model_and_tokens(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    generation = await _generate(client, alice)

    rows = await services.database.statement("select model, input_tokens, output_tokens from generations", {})

    assert generation["model"] == rows[0]["model"] == "gemini-nano-banana-2.1"
    assert rows[0]["input_tokens"] > 0
    assert rows[0]["output_tokens"] >= 1120


@pytest.mark.parametrize("size", SIZES)
async def test_a_circle_of_the_models_is_a_circle_of_ours(
    client: AsyncClient, alice: Person, size: str
) -> None:
    generation = await _generate(client, alice, prompt="[sandbox:test_card]", size=size, format="png")

    image = (await _picture(client, generation["url"])).convert("L")

    width, height = image.size
    assert f"{width}x{height}" == size
    # Darkness adds up to the circle's diameter, to a fraction of a pixel. Corner marks lie on neither line.
    across = sum(255 - image.getpixel((x, height // 2)) for x in range(width)) / 255
    down = sum(255 - image.getpixel((width // 2, y)) for y in range(height)) / 255
    assert abs(across - down) < 0.5
    assert across > 380


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ([], 55),
        (["wait=30"], 30),
        (["WAIT = 0"], 0),
        (["wait=999"], 90),
        (["wait=1000000"], 90),
        (["wait=-1", "wait=7"], 7),
        (["wait=1.5"], 55),
        (["x-wait=0"], 55),
        (['foo="respond-async"'], 55),
        (["handling=lenient, Respond-Async"], 0),
        (["wait=3; x=y"], 3),
    ],
)
def test_prefer_is_read_as_rfc_7240_has_it(prefer: list[str], seconds: int) -> None:
    assert generate._wait_s(prefer) == seconds
