"""The disk that pictures are stored on is full, and then not any more."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

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
    }
    with serving(data_dir, factory=None, settings=settings) as service:
        yield service


async def test_while_the_disk_is_full_orders_fail_clearly_and_cost_nothing_and_then_it_goes_on(
    service: Service, images: Path, database_url: str, google: Google, figures: Figures
) -> None:
    async with client_of(service) as client:

        async def orders(count: int) -> list[tuple[int, str]]:
            sent = (client.post("/v1/generate", json={"prompt": "a banana"}) for _ in range(count))
            answers = [(answer.status_code, answer.json()) for answer in await asyncio.gather(*sent)]
            assert all(body["error"]["charged"] is False for status, body in answers if status != 200)
            return [(status, body.get("url") or body["error"]["code"]) for status, body in answers]

        ((_, url),) = await orders(1)
        filler = _fill(images)
        began = time.monotonic()
        failed = await orders(ORDERS)
        told = {f"{status} {code}" for status, code in failed}
        figures.expect("answers while it is full", *told, is_="503 upstream_unavailable")
        figures.expect_at_most("the slowest of them, s", time.monotonic() - began, 10)
        figures.expect("a picture that is there", (await client.get(url)).status_code, is_=200)

        filler.unlink()
        made = await orders(ORDERS)
        figures.expect("answers afterwards", {status for status, _ in made}, is_={200})
    books = await books_of(database_url)
    files = _stems(images)
    shown = {Path(url).stem for _, url in [(200, url), *made]}
    figures.expect("files without a generation", len(files - shown), is_=0)
    figures.expect("images without a file", len(shown - files), is_=0)
    books.show(figures, accepted=set(), drawn=google.calls())
    figures.hold()


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
