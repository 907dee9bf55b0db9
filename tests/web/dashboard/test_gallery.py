"""The gallery: what is listed, what is chosen of it, and what is deleted for good."""

import html
import re

import pytest
from httpx2 import AsyncClient, Response

from nanobanana.domain.generation import service
from nanobanana.domain.routes.service import Routes
from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.web.dashboard import gallery
from tests.people import Person
from tests.rows import insert_generations
from tests.s3_fixtures import S3Bucket
from tests.web.browser import FROM_OURS, form_token_of, log_in

NOBODYS = "gen_0000000000000000000000"


async def made(client: AsyncClient, person: Person, *, by_test_key: bool = False, **body: object) -> str:
    headers = {**(person.by_test_key if by_test_key else person.by_key), "Prefer": "wait=20"}
    answer = await client.post("/v1/generate", json={"prompt": "a banana", **body}, headers=headers)
    return answer.json()["id"] if answer.is_success else answer.headers["location"].rpartition("/")[2]


async def send(client: AsyncClient, path: str, **fields: object) -> Response:
    token = form_token_of(await client.get("/gallery"))
    return await client.post(path, data={"form_token": token, **fields}, headers=FROM_OURS)


def shown(page: Response) -> list[str]:
    """The ids of the tiles."""
    return re.findall(r'class="tile" href="/gallery/(\w+)"', page.text)


def link_of(page: Response, words: str) -> str:
    (link,) = re.findall(rf'href="([^"]+)".*>{words}</a>', page.text)
    return html.unescape(link)


async def test_an_empty_gallery_says_what_would_be_there(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    page = await client.get("/gallery")

    assert "Your pictures will hang here" in page.text
    assert 'href="/playground"' in page.text
    assert "<input" not in page.text.replace('type="hidden"', "").split("<main")[1]


async def test_a_page_has_24_the_newest_first_and_leads_to_the_next_until_there_is_none(
    client: AsyncClient, alice: Person, charlie: Person, settings: Settings
) -> None:
    assert settings.database_url
    insert_generations(settings.database_url.get_secret_value(), alice, count=49)
    await log_in(client, alice.email)
    first = await client.get("/gallery")
    second = await client.get(link_of(first, "Show older ones"))
    third = await client.get(link_of(second, "Show older ones"))

    numbers = [int(id.removeprefix("gen_")) for page in (first, second, third) for id in shown(page)]
    assert numbers == list(range(48, -1, -1))
    assert len(shown(first)) == len(shown(second)) == 24
    assert "Show older ones" not in third.text
    await log_in(client, charlie.email)
    assert not shown(await client.get("/gallery"))


async def test_filters_are_kept_and_hold_on_every_page(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    wide = await made(client, alice, size="1408x768")
    blocked = await made(client, alice, by_test_key=True, prompt="a cat [test:content_policy]")
    await log_in(client, alice.email)
    everything = await client.get("/gallery")
    keys = re.findall(r'<option value="(key_\w+)">[^<]*\((live|test),', everything.text)
    live = next(id for id, mode in keys if mode == "live")
    for query, expected in [
        ({}, [blocked, wide]),
        ({"size": "1408x768"}, [wide]),
        ({"status": "blocked"}, [blocked]),
        ({"picture": "kept"}, [wide]),
        ({"key": live}, [wide]),
        ({"from": "2026-01-01", "to": "2999-12-31", "status": ""}, [blocked, wide]),
        ({"to": "2001-01-01"}, []),
    ]:
        page = await client.get("/gallery", params=query)
        assert shown(page) == expected, query
        for name, value in query.items():
            chosen = (
                f'<option value="{value}" selected>' if name not in {"from", "to"} else f'value="{value}"'
            )
            assert chosen in page.text
    assert "No image is like this." in page.text


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"from": "2026-03-02", "to": "2026-03-01"}, "This must not be before the first day."),
        ({"from": "yesterday"}, "There is no such day."),
        ({"to": "9999-12-31"}, "This must be a day from 2000 to 2999."),
        ({"status": "lost"}, "This must be"),
        ({"key": "key_short"}, "This does not have the form"),
    ],
)
async def test_a_filter_that_cannot_be_is_told_beside_its_field(
    client: AsyncClient, alice: Person, query: dict[str, str], problem: str
) -> None:
    await log_in(client, alice.email)
    page = await client.get("/gallery", params=query)

    assert page.status_code == 400
    assert f'<p class="wrong">{problem}' in html.unescape(page.text)


async def test_what_is_rare_is_looked_for_in_so_many_images_and_then_further(
    client: AsyncClient, alice: Person, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOKED_AT", 10)
    monkeypatch.setattr(gallery, "LOOKED_AT", 10)
    assert settings.database_url
    insert_generations(settings.database_url.get_secret_value(), alice, count=15)
    await log_in(client, alice.email)
    empty = await client.get("/gallery", params={"status": "failed"})
    end = await client.get(link_of(empty, "Look further"))
    short = await client.get("/gallery", params={"status": "succeeded"})

    assert "Nothing like this among the 10 images back to" in empty.text
    assert "No image is like this." in end.text
    assert len(shown(short)) == 10
    assert "Looked through 10 images, back to" in short.text
    assert len(shown(await client.get(link_of(short, "Look further")))) == 5


async def test_ticked_pictures_are_deleted_after_a_question_and_the_filters_stay(
    client: AsyncClient, alice: Person
) -> None:
    ids = [await made(client, alice) for _ in range(3)]
    await log_in(client, alice.email)
    picture = re.findall(r'src="(/thumbnails/[^"]+)"', (await client.get("/gallery")).text)[-1]
    assert (await client.get(picture)).status_code == 200
    asked = await send(client, "/gallery/delete", ids=ids[:2], query="size=1024x1024")

    assert "Delete 2 images?" in asked.text
    assert shown(await client.get("/gallery", params={"picture": "kept"})) == ids[::-1]
    deleted = await send(client, "/gallery/delete", ids=ids[:2], query="size=1024x1024", sure="yes")
    assert (deleted.status_code, deleted.headers["location"]) == (
        303,
        "/gallery?size=1024x1024&done=deleted",
    )
    page = await client.get(deleted.headers["location"])
    assert "Deleted for good." in page.text
    assert page.text.count("Prompt deleted") == 2
    assert (await client.get(picture)).status_code == 410


async def test_nothing_and_more_than_100_are_not_deleted(client: AsyncClient, alice: Person) -> None:
    id = await made(client, alice)
    await log_in(client, alice.email)
    for ids in ([], [id, *[NOBODYS] * 100], ["gen_short"]):
        answer = await send(client, "/gallery/delete", ids=ids, sure="yes")
        assert answer.headers["location"] == "/gallery?done=none"
    assert shown(await client.get("/gallery", params={"picture": "kept"})) == [id]
    assert "Choose from 1 to 100" in (await client.get("/gallery?done=none")).text
    both = await send(client, "/gallery/delete", ids=[id, *[NOBODYS] * 99], sure="yes")
    assert both.headers["location"] == "/gallery?done=deleted"


async def test_what_has_not_ended_is_left_and_said_so(
    client: AsyncClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Routes, "room", lambda _: 0)
    headers = {**alice.by_key, "Prefer": "respond-async"}
    id = (await client.post("/v1/generate", json={"prompt": "a banana"}, headers=headers)).json()["id"]
    await log_in(client, alice.email)
    page = await client.get("/gallery")
    assert "1 image, once it is made" in page.text
    assert f'value="{id}"' not in page.text
    left = await client.get((await send(client, "/gallery/delete", ids=id, sure="yes")).headers["location"])
    assert "The rest is still on its way" in left.text

    item = await client.get(f"/gallery/{id}")
    assert '<meta http-equiv="refresh"' in item.text
    assert "Waiting" in item.text
    cancelled = await client.get((await send(client, f"/gallery/{id}/cancel")).headers["location"])
    assert "Cancelled. Nothing is charged for it." in cancelled.text
    assert "Not charged: cancelled" in cancelled.text
    assert '<meta http-equiv="refresh"' not in cancelled.text
    again = await send(client, f"/gallery/{id}/cancel")
    assert (again.status_code, "Only a queued generation" in again.text) == (409, True)


async def test_one_image_has_a_page_with_all_that_is_known_of_it(client: AsyncClient, alice: Person) -> None:
    prompt = "صورة\nموزة " + "ب" * 3985
    id = await made(client, alice, prompt=prompt, size="896x1280", style="artistic", format="webp")
    await log_in(client, alice.email)
    page = await client.get(f"/gallery/{id}")

    assert prompt in page.text
    assert '<p class="prompt" dir="auto"' in page.text
    assert 'width="896" height="1280"' in page.text
    for fact in ("Kept", "1 image", "artistic", "webp", "gemini-nano-banana-2.1", "live", "First key", id):
        assert f">{fact}" in page.text
    link, name = re.findall(r'href="(/images/[^"]+)" download="([^"]+)"', page.text)[0]
    assert name == f"{id}.webp"
    picture = await client.get(link)
    assert picture.content[8:12] == b"WEBP"
    assert f'href="/playground?again={id}"' in page.text
    assert len((await client.get("/gallery")).text) < 20_000


async def test_a_failed_one_says_why_what_to_do_and_that_it_costs_nothing(
    client: AsyncClient, alice: Person
) -> None:
    id = await made(client, alice, by_test_key=True, prompt="a cat [test:content_policy]")
    await log_in(client, alice.email)
    page = await client.get(f"/gallery/{id}")

    assert "Refused by the content policy" in page.text
    assert "Nothing was charged." in page.text
    assert 'href="/docs/errors#content_policy"' in page.text
    ticks = [f'name="ids" value="{id}"' in (await client.get("/gallery")).text]
    await send(client, "/gallery/delete", ids=id, sure="yes")
    ticks.append(f'name="ids" value="{id}"' in (await client.get("/gallery")).text)
    assert ticks == [True, False], "nothing is left of it to delete"


async def test_what_is_gone_has_its_page_without_picture_and_prompt(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    ids = [await made(client, alice, prompt="a secret cat") for _ in range(2)]
    await client.delete(f"/v1/generations/{ids[0]}", headers=alice.by_key)
    await services.database.statement(
        "update generations set expires_at = now() where id = %(id)s", {"id": ids[1]}
    )
    await log_in(client, alice.email)
    for id, word in zip(ids, ("Deleted", "Expired"), strict=True):
        page = await client.get(f"/gallery/{id}")
        assert page.status_code == 200
        assert word in page.text
        assert "/images/" not in page.text
        assert "Gone since" in page.text


async def test_somebody_elses_images_are_404(client: AsyncClient, alice: Person, charlie: Person) -> None:
    id = await made(client, alice)
    await made(client, charlie)
    await log_in(client, charlie.email)
    answers = [
        *[await client.get(f"/gallery/{one}") for one in (id, NOBODYS, "gen_short")],
        await send(client, f"/gallery/{id}/cancel"),
        await send(client, "/gallery/delete", ids=id, sure="yes"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    shown = await client.get(f"/v1/generations/{id}", headers=alice.by_key)
    assert shown.json()["image_state"] == "kept"


async def test_the_name_of_a_revoked_key_is_not_needed(client: AsyncClient, alice: Person) -> None:
    id = await made(client, alice)
    keys = (await client.get("/v1/keys", headers=alice.by_session)).json()["data"]
    live = next(key["id"] for key in keys if key["mode"] == "live")
    await client.delete(f"/v1/keys/{live}", headers=alice.by_session)
    await log_in(client, alice.email)

    assert "A key that is revoked" in (await client.get(f"/gallery/{id}")).text
    assert shown(await client.get("/gallery", params={"key": live})) == [id]


class TestInABucket:
    @pytest.fixture
    def settings(self, settings: Settings, s3_bucket: S3Bucket) -> Settings:
        more = {**s3_bucket.settings, "r2_public_url": s3_bucket.public_url}
        return settings.model_copy(update=more)

    async def test_the_policy_lets_pictures_come_from_there_and_a_link_opens_them(
        self, client: AsyncClient, alice: Person, s3_bucket: S3Bucket
    ) -> None:
        id = await made(client, alice)
        await log_in(client, alice.email)
        for path in ("/gallery", f"/gallery/{id}", "/playground", f"/playground/{id}"):
            policy = (await client.get(path)).headers["content-security-policy"]
            assert f"img-src 'self' data: {s3_bucket.endpoint};" in policy
        page = (await client.get(f"/gallery/{id}")).text
        assert f'src="{s3_bucket.public_url}/' in page
        assert " download=" not in page
        assert "Open to save" in page
