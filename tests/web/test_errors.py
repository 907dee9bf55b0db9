"""Errors as pages, and those of pictures as JSON for whoever embeds them."""

import pytest
from httpx2 import AsyncClient

from nanobanana.domain.limits.errors import RateLimitedError
from nanobanana.errors import InternalError, NanoBananaError, NotFoundError, OverloadedError
from nanobanana.services import Services
from nanobanana.web.errors import error_response
from tests.people import Person
from tests.web.browser import log_in

FOR_PEOPLE = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("error", "heading"),
    [
        (NotFoundError("There is no page at this address."), "There is nothing here"),
        (RateLimitedError(retry_after_s=130), "Too fast"),
        (InternalError(), "Something broke on our side"),
        (OverloadedError(), "We are not there for a moment"),
    ],
)
def test_a_page_says_what_happened_what_to_do_and_whom_to_name(error: NanoBananaError, heading: str) -> None:
    scope = {"path": "/login", "headers": [], "state": {"request_id": "req_1"}}
    page = error_response(error, scope)
    html = bytes(page.body).decode()

    assert page.status_code == error.status
    assert f"<h1>{heading}</h1>" in html
    assert error.message in html
    assert "<code>req_1</code>" in html
    assert '<svg class="banana"' in html
    assert page.headers.get("retry-after") == error.headers.get("Retry-After")


async def test_while_the_database_is_away_pages_say_so_and_those_without_it_stay(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await log_in(client, alice.email)
    await services.database.close()
    for path in ("/account", "/login", "/welcome/first-image"):
        away = await client.get(path)
        assert away.status_code == 503
        assert "We are not there for a moment" in away.text
        assert int(away.headers["retry-after"]) > 0
    client.cookies.clear()
    for path in ("/", "/login", "/register", "/forgot-password", "/status", "/try?prompt=a"):
        assert (await client.get(path)).status_code == 200


async def test_whoever_embeds_a_picture_may_read_why_there_is_none_each_time_anew(
    client: AsyncClient, alice: Person
) -> None:
    made = (await client.post("/v1/generate", json={"prompt": "a banana"}, headers=alice.by_key)).json()
    await client.delete(f"/v1/generations/{made['id']}", headers=alice.by_key)
    answers = [
        await client.get(path)
        for path in (
            made["url"],
            made["thumbnail_url"],
            "/images/nothing.jpg",
            "/thumbnails/nothing_512.webp",
        )
    ]

    assert [answer.status_code for answer in answers] == [410, 410, 404, 404]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["error"]["charged"] is False
    page = await client.get(made["url"], headers=FOR_PEOPLE)
    assert "<h1>This picture is gone</h1>" in page.text
    assert "access-control-allow-origin" not in page.headers
