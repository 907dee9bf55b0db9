"""The disk that pictures are stored on is full, and then not any more."""

import asyncio
import base64
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.chaos.books import books_of
from tests.chaos.figures import Figures
from tests.chaos.load import client_of
from tests.cli.serving import Service, serving
from tests.google import Google

ORDERS = 10


@pytest.fixture
def google(sandbox_url: str) -> Google:
    return Google(sandbox_url)


@pytest.fixture
def images(data_dir: Path) -> Iterator[Path]:
    """A disk of its own for the image folder."""
    folder = data_dir / "images"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs", str(folder)]
    if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("this user may mount nothing")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def service(data_dir: Path, images: Path, database_url: str, google: Google) -> Iterator[Service]:
    settings = {
        "DATABASE_URL": database_url,
        "REDIS_URL": os.environ["TEST_REDIS_URL"],
        "GEMINI_API_KEY": google.key,
        "GEMINI_BASE_URL": google.url,
        # Room for the first to wait, and for those that are in flight by then.
        "STORE_OUTAGE_BYTES": "1",
    }
    with serving(data_dir, factory=None, settings=settings) as service:
        yield service


async def test_while_the_disk_is_full_callers_get_their_pictures_until_no_more_can_wait_and_then_it_goes_on(
    service: Service, images: Path, database_url: str, google: Google, figures: Figures
) -> None:
    async with client_of(service) as client:

        async def orders(count: int) -> tuple[list[dict[str, Any]], set[tuple[Any, ...]]]:
            """What was made, and how the others were refused."""
            sent = (client.post("/v1/generate", json={"prompt": "a banana"}) for _ in range(count))
            answers = await asyncio.gather(*sent)
            errors = [(answer.status_code, answer.json()["error"]) for answer in answers if answer.is_error]
            refused = {(status, error["code"], error["charged"]) for status, error in errors}
            return [answer.json() for answer in answers if answer.is_success], refused

        ((before,), _) = await orders(1)
        filler = _fill(images)
        began = time.monotonic()
        made, refused = await orders(ORDERS)
        figures.note("pictures made while it is full", len(made))
        told = {(body["stored"], body["url"][:5]) for body in made}
        figures.expect("they are told to be", told, is_={(False, "data:")})
        figures.expect_at_most("the slowest of them, s", time.monotonic() - began, 10)
        calls = google.calls()
        none, refused_later = await orders(2)
        figures.expect("pictures once no more can wait", len(none), is_=0)
        figures.expect("answers then", refused | refused_later, is_={(503, "overloaded", False)})
        figures.expect("calls of Google for them", google.calls() - calls, is_=0)
        figures.expect("a picture that is there", (await client.get(before["url"])).status_code, is_=200)

        filler.unlink()
        began = time.monotonic()
        while not any(body["stored"] for body in (await orders(1))[0]):
            await asyncio.sleep(0.1)
        figures.expect_at_most("stored again after s", time.monotonic() - began, 15)
        async with asyncio.timeout(15):
            while _waiting(database_url):
                await asyncio.sleep(0.1)
        for body in made:
            shown = (await client.get(f"/v1/generations/{body['id']}")).json()
            same = (await client.get(shown["url"])).content == base64.b64decode(body["url"].partition(",")[2])
            figures.expect("a picture that waited is the same", (shown["stored"], same), is_=(True, True))
    books = await books_of(database_url)
    figures.expect("files beside those of generations", _stems(images) ^ _names(database_url), is_=set())
    books.show(figures, accepted={body["id"] for body in made}, drawn=google.calls())
    figures.hold()


def _waiting(database_url: str) -> bool:
    with psycopg.connect(database_url) as connection:
        return bool(connection.execute("select from image_bytes").fetchall())


def _names(database_url: str) -> set[str]:
    with psycopg.connect(database_url) as connection:
        return {Path(name).name for (name,) in connection.execute("select image_name from generations")}


def _stems(folder: Path) -> set[str]:
    return {file.stem for file in folder.rglob("*") if file.is_file()}


def _fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler
