import ast
import gzip
import html
import json
import re
import shlex
from pathlib import Path

import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.web.request_code import request_code
from tests.people import Person
from tests.web.browser import log_in

GUIDES = {
    *("quickstart", "authentication", "generating", "waiting", "webhooks", "errors", "limits"),
    *("test-mode", "keys", "images", "usage", "changelog", "terms", "privacy"),
}


def words_of(page: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", page)).split())


async def test_it_says_what_this_is_what_it_costs_and_what_we_promise(client: AsyncClient) -> None:
    page = (await client.get("/")).text
    words = words_of(page)

    assert page.count("<h1>") == 1
    for said in (
        "A sentence goes in, a picture comes out.",
        "No image, no charge",
        "A cap is a cap",
        "One key, one image",
        "Accepted is never lost",
        "free $0 and no card 50 images a month 10 an hour pictures stay 30 days",
        "pro $29 a month 2,000 images a month 500 an hour pictures stay for good",
        "payg $0.02 an image from a balance, as long as it lasts 1,000 an hour",
        "NanoBanana works",
        "curl -s http://nanobanana.test/v1/generate",
    ):
        assert said in words
    assert set(re.findall(r'href="/docs/([\w-]+)', page)) <= GUIDES
    assert '<a class="light operational" href="/status">' in page


async def test_the_example_needs_no_script_and_one_puts_its_answer_in_place(client: AsyncClient) -> None:
    page = (await client.get("/")).text

    assert '<form class="try" action="/try" hx-get="/try" hx-target="#first-screen"' in page
    (picture,) = re.findall(r'<img src="(/static/first-picture[^"]*)"', page)
    shown = await client.get(picture)
    assert shown.headers["content-type"] == "image/webp"
    assert len(shown.content) < 20_000


async def test_it_is_light(client: AsyncClient) -> None:
    page = await client.get("/")
    loaded = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page.text)
    packed = [len(gzip.compress((await client.get(path)).content)) for path in loaded]

    assert len(packed) == 3
    assert sum(packed) + len(page.content) < 60_000


async def test_who_is_logged_in_is_led_to_the_dashboard(client: AsyncClient, alice: Person) -> None:
    await log_in(client, alice.email)
    page = (await client.get("/")).text

    assert '<a class="button" href="/dashboard">' in page
    assert "/register" not in page


async def test_troubles_are_told_there_and_on_the_status_page(
    client: AsyncClient, services: Services
) -> None:
    assert "data:" not in words_of((await client.get("/status")).text)
    services.stores.chosen._change(is_away=True)
    landing, status = await client.get("/"), await client.get("/status")

    assert "NanoBanana works, with limits" in landing.text
    assert "they come inside the answers, as data: URLs" in words_of(status.text)


class TestWithOtherPlans:
    @pytest.fixture
    def settings(self, settings: Settings, tmp_path: Path) -> Settings:
        file = tmp_path / "plans.toml"
        file.write_text(
            "[free]\n"
            "[a_plan-of-a-name-that-is-so-long]\nprice_usd_per_month = 1234.5\nimages_per_month = 1\n"
            "images_per_hour = 1\nimages_in_flight = 3\nretention_days = 1\n"
            "[fine]\nprice_usd_per_image = 0.0336\n"
        )
        return settings.model_copy(update={"plans_file": file, "public_url": "https://pictures.example"})

    async def test_those_are_the_prices_in_their_order(self, client: AsyncClient) -> None:
        words = words_of((await client.get("/")).text)

        assert "free $0 and no card as many images a month as you like as many an hour as you like" in words
        assert (
            "a_plan-of-a-name-that-is-so-long $1,234.50 a month 1 image a month 1 an hour 3 at a time"
            " pictures stay 1 day" in words
        )
        assert (
            "fine $0.0336 an image from a balance, as long as it lasts as many an hour as you like" in words
        )
        assert words.index("free $0") < words.index("a_plan-of") < words.index("fine $")
        assert "curl -s https://pictures.example/v1/generate" in words


@pytest.mark.parametrize(
    "prompt", ["a banana", 'it\'s "quoted"\\ $HOME `id`\n\tand more', "\u0645\u0648\u0632 \U0001f34c"]
)
def test_the_lines_send_the_very_order_whatever_is_in_it(prompt: str) -> None:
    order = {"prompt": prompt, "size": "1280x896"}
    code = request_code("https://pictures.example", key="nb_test_...", order=order)

    *_, body = shlex.split(code["curl"].replace("\\\n", ""))
    assert json.loads(body) == order
    (call,) = [
        node
        for node in ast.walk(ast.parse(code["Python"]))
        if isinstance(node, ast.Dict) and "prompt" in ast.unparse(node)
    ]
    assert ast.literal_eval(call) == order
    (body,) = re.findall(r"JSON\.stringify\((.*)\),", code["JavaScript"])
    assert json.loads(body) == order


async def test_what_browsers_ask_every_site_for_is_there(client: AsyncClient) -> None:
    robots = await client.get("/robots.txt")
    icon = await client.get("/favicon.ico", follow_redirects=True)

    assert robots.headers["content-type"].startswith("text/plain")
    assert "Disallow: /try\n" in robots.text
    assert icon.headers["content-type"] == "image/svg+xml"
