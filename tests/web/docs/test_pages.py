"""The documentation as people and machines read it."""

import gzip
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx2 import AsyncClient

from nanobanana.settings import Settings
from nanobanana.web.docs.facts import errors
from nanobanana.web.static_files import static_url
from tests.people import Person
from tests.web.browser import log_in
from tests.web.docs.pages import ONCE, PAGES, anchors_of, blocks_of, links_of, twin_of

OURS = "http://nanobanana.test"
# Whose addresses stand for those of the reader.
READERS = {"example.com"}


async def test_every_page_has_a_strict_policy_and_may_be_kept_for_minutes(
    client: AsyncClient, alice: Person
) -> None:
    addresses = [address for page in PAGES for address in (page.path, page.twin)]
    before = [await client.get(address) for address in addresses]
    await log_in(client, alice.email)
    after = [await client.get(address) for address in addresses]

    for answer, again in zip(before, after, strict=True):
        assert answer.status_code == 200, answer.url
        assert answer.content == again.content, "it depends on who visits"
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<[^>]+\s(style|on\w+)=", answer.text)


async def test_addresses_that_are_guessed_lead_to_a_page(client: AsyncClient) -> None:
    for guessed, page in (("/docs/", "/docs"), ("/docs/reference", "/docs/reference/generations")):
        answer = await client.get(guessed)
        assert (answer.status_code, answer.headers["location"]) == (303, page)


async def test_a_page_that_the_browser_has_is_not_sent_again(client: AsyncClient) -> None:
    for encoding in ("gzip", "identity"):
        first = await client.get("/docs/errors", headers={"Accept-Encoding": encoding})
        etag = {"If-None-Match": first.headers["etag"], "Accept-Encoding": encoding}
        again = await client.get("/docs/errors", headers=etag)
        other = await client.get("/docs/errors", headers={**etag, "If-None-Match": '"another"'})

        assert ("content-encoding" in first.headers) == (encoding == "gzip")
        assert first.headers["vary"] == "Accept-Encoding"
        assert (again.status_code, again.content) == (304, b"")
        assert other.status_code == 200


async def test_every_page_with_its_style_and_scripts_is_less_than_60_kb(client: AsyncClient) -> None:
    beside = 0
    for name in ("style.css", "htmx.min.js", "nanobanana.js"):
        beside += len(gzip.compress((await client.get(static_url(name))).content))
    for page in PAGES:
        html = (await client.get(page.path)).content
        assert len(gzip.compress(html)) + beside < 60_000, page.slug


async def test_every_link_and_every_anchor_leads_somewhere(client: AsyncClient, app: FastAPI) -> None:
    anchors = {page.path: anchors_of((await client.get(page.path)).text) for page in PAGES}
    patterns = [re.sub(r"{\w+(:path)?}", ".+", route.path) for route in iter_route_contexts(app.routes)]
    for page in PAGES:
        for link in links_of((await client.get(page.path)).text):
            url = urlsplit(link)
            if url.scheme:
                continue
            path = url.path or page.path
            if path in anchors:
                assert not url.fragment or url.fragment in anchors[path], f"{page.path} → {link}"
            elif path.startswith(("/docs", "/llms")):
                assert (await client.get(path)).status_code == 200, f"{page.path} → {link}"
            else:
                assert any(re.fullmatch(pattern, path) for pattern in patterns), f"{page.path} → {link}"


async def test_every_anchor_is_there_once(client: AsyncClient) -> None:
    for page in PAGES:
        ids = re.findall(r'\sid="([^"]+)"', (await client.get(page.path)).text)
        assert len(ids) == len(set(ids)), page.slug


async def test_every_error_code_is_explained_and_nothing_else(client: AsyncClient) -> None:
    html = (await client.get("/docs/errors")).text
    explained = re.findall(r'<h3 id="(\w+)"><code>(\w+)</code>', html)

    assert [anchor for anchor, _ in explained] == [code for _, code in explained]
    assert sorted(code for _, code in explained) == sorted(errors())


async def test_every_page_is_markdown_too_with_links_that_lead_on(client: AsyncClient) -> None:
    for page in PAGES:
        answer = await client.get(page.twin)
        assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
        assert answer.text.startswith(f"# {page.title}\n\n> {page.summary}\n")
        for link in re.findall(r"\]\(([^)]+)\)", answer.text):
            assert link.startswith((OURS, "https://", "mailto:", "#")), link
            if link.startswith(f"{OURS}/docs"):
                assert link.partition("#")[0].endswith((".md", ".svg")), link


async def test_machines_find_every_page(client: AsyncClient) -> None:
    overview = await client.get("/llms.txt")
    everything = (await client.get("/llms-full.txt")).text

    assert overview.headers["content-type"] == "text/plain; charset=utf-8"
    assert re.match(r"# NanoBanana\n\n> .+\n", overview.text)
    for page in ONCE:
        assert f"- [{page.title}]({OURS}{page.twin}): {page.summary}\n" in overview.text
        assert await twin_of(client, page) in everything


async def test_examples_name_no_host_but_ours(client: AsyncClient) -> None:
    for page in PAGES:
        for block in blocks_of(await twin_of(client, page)):
            hosts = set(re.findall(r"https?://([^/\s\"'`]+)", block.text))
            hosts |= set(re.findall(r"^Host: (\S+)", block.text, re.MULTILINE))
            assert hosts <= {urlsplit(OURS).netloc} | READERS, page.slug


async def test_what_is_not_there_is_told_by_a_page(client: AsyncClient) -> None:
    for path in (
        "/docs/nothing",
        "/docs/nothing.md",
        "/docs/..%2fsettings",
        "/docs/errors.md.md",
        "/docs/%00",
    ):
        answer = await client.get(path)
        assert answer.status_code == 404
        assert "<h1>" in answer.text
    assert (await client.get("/docs/")).headers["location"] == "/docs"


async def test_sizes_are_drawn_to_scale(client: AsyncClient) -> None:
    drawing = (await client.get("/docs/sizes.svg")).text
    shapes = re.findall(r'width="([\d.]+)" height="([\d.]+)" rx', drawing)
    labels = re.findall(r">(\d+) \u00d7 (\d+)</text>", drawing)

    assert len(shapes) == len(labels) == 5
    for (width, height), (pixels_wide, pixels_high) in zip(shapes, labels, strict=True):
        assert float(width) / float(height) == pytest.approx(int(pixels_wide) / int(pixels_high), rel=0.01)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


async def test_code_is_readable_in_light_and_in_dark(client: AsyncClient) -> None:
    style = (await client.get(static_url("style.css"))).text
    grounds = re.findall(r"--sunken: (#\w{6})", style)
    palettes = [
        re.findall(r"--code-\w+: (#\w{6})", line) for line in style.splitlines() if "--code-word: " in line
    ]

    assert len(grounds) == len(palettes) == 2
    for ground, palette in zip(grounds, palettes, strict=True):
        for colour in palette:
            lighter, darker = sorted((_luminance(ground) + 0.05, _luminance(colour) + 0.05), reverse=True)
            assert lighter / darker >= 4.5, (ground, colour)


async def test_without_an_operators_text_nobody_is_invented(client: AsyncClient) -> None:
    for name in ("terms", "privacy"):
        text = (await client.get(f"/docs/{name}.md")).text
        assert "has not said here who they are" in text
        assert "@" not in text


class TestWithTextsOfTheOperator:
    @pytest.fixture
    def settings(self, settings: Settings, tmp_path: Path) -> Settings:
        terms = tmp_path / "terms.md"
        terms.write_text(
            "## Ours\n\nBe *kind*. {{ not_a_fact }} <script>alert(1)</script>\n\n```yaml\na: 1\n```\n"
        )
        changes = {"terms_file": terms, "contact_email": "help@nanobanana.test"}
        return settings.model_copy(update={**changes, "public_url": "https://pictures.test"})

    async def test_they_stand_in_the_place_of_ours(self, client: AsyncClient) -> None:
        page = (await client.get("/docs/terms")).text

        assert "Be <em>kind</em>. {{ not_a_fact }} &lt;script&gt;" in page
        assert "Google" not in page

    async def test_people_learn_whom_to_write_to_and_addresses_are_the_public_ones(
        self, client: AsyncClient
    ) -> None:
        assert 'href="mailto:help@nanobanana.test"' in (await client.get("/docs/privacy")).text
        quickstart = (await client.get("/docs/quickstart.md")).text
        assert "https://pictures.test/v1/generate" in quickstart
        assert OURS not in quickstart
