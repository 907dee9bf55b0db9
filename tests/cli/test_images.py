"""`nanobanana images`, beside a service or without one."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nanobanana.cli.main import app
from nanobanana.image_stores import open_store
from nanobanana.integrations.object_store.local import LocalFolder
from nanobanana.settings import Settings
from tests.cli.serving import CLEAN
from tests.domain.inventory.shelf import PICTURE, Shelf, all_files
from tests.s3_fixtures import S3Bucket


@pytest.fixture
def shelf(database_url: str) -> Iterator[Shelf]:
    shelf = Shelf(database_url)
    yield shelf
    shelf.close()


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "images")


@pytest.fixture
def environment(servers: dict[str, str], tmp_path: Path, s3_bucket: S3Bucket) -> dict[str, str]:
    """Of a service with a folder, and a bucket that is set up beside it."""
    return {
        "DATA_DIR": str(tmp_path),
        **servers,
        "IMAGE_STORE": "local",
        "R2_ENDPOINT": s3_bucket.endpoint,
        "R2_BUCKET": s3_bucket.name,
        "R2_ACCESS_KEY_ID": s3_bucket.settings["r2_access_key_id"].get_secret_value(),
        "R2_SECRET_ACCESS_KEY": s3_bucket.settings["r2_secret_access_key"].get_secret_value(),
    }


def images(environment: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(app, ["images", *words], env=environment)


def kept(shelf: Shelf, folder: LocalFolder, count: int) -> list[Path]:
    files = [folder.file(f"{shelf.row(shelf.new_id(days_ago=number % 5))}.png") for number in range(count)]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(PICTURE)
    return files


def test_verify_ends_with_0_or_names_what_it_finds_and_ends_with_1(
    environment: dict[str, str], shelf: Shelf, folder: LocalFolder
) -> None:
    missing, astray, *_ = kept(shelf, folder, 5)
    well = images(environment, "verify")

    missing.unlink()
    shelf.change(
        f"update generations set image_place = null where image_name || '.png' like '%{astray.name}'"
    )
    found = images(environment, "verify")

    assert (well.exit_code, found.exit_code) == (0, 1)
    assert f"file_missing: {missing.relative_to(folder.file(''))}" in found.stderr.replace("\n", "")
    assert f"row_ended: {astray.relative_to(folder.file(''))}" in found.stderr.replace("\n", "")
    assert "rows without their file" in found.stdout
    assert astray.exists()


def test_verify_shows_a_bounded_number_of_each_kind(environment: dict[str, str], shelf: Shelf) -> None:
    for _ in range(101):
        shelf.row(shelf.new_id(days_ago=1))

    found = images(environment, "verify")

    assert found.stderr.count("file_missing: 2") == 100
    assert "file_missing: more of these are only counted" in found.stderr


def test_without_a_store_there_is_nothing_to_verify(environment: dict[str, str]) -> None:
    done = images({**environment, "IMAGE_STORE": "none"}, "verify")

    assert (done.exit_code, done.stderr) == (2, "IMAGE_STORE=none: there is no store to look into.\n")


def test_a_move_needs_the_settings_of_the_bucket_whatever_is_in_use(environment: dict[str, str]) -> None:
    del environment["R2_BUCKET"]

    done = images(environment, "move", "--to", "s3")

    assert (done.exit_code, done.stderr) == (2, "Configuration: IMAGE_STORE=s3 needs R2_BUCKET\n")


def test_a_bucket_that_is_away_is_one_sentence(environment: dict[str, str], shelf: Shelf) -> None:
    done = images({**environment, "R2_ENDPOINT": "http://127.0.0.1:1"}, "move", "--to", "s3")

    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith("The store of pictures fails: ")
    assert "Traceback" not in done.output


def test_what_could_not_be_moved_is_named(
    environment: dict[str, str], shelf: Shelf, folder: LocalFolder
) -> None:
    missing, *_ = kept(shelf, folder, 3)
    missing.unlink()

    done = images(environment, "move", "--to", "s3")

    assert done.exit_code == 1
    assert f"{missing.relative_to(folder.file(''))} is not in the store" in done.stderr.replace("\n", "")
    assert "1 could not be copied" in done.stderr
    assert "IMAGE_STORE=s3" not in done.stdout


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_move_that_was_ended_in_the_middle_goes_on_from_there(
    environment: dict[str, str], shelf: Shelf, folder: LocalFolder, s3_bucket: S3Bucket, end: signal.Signals
) -> None:
    files = kept(shelf, folder, 400)
    command = [sys.executable, "-m", "nanobanana.cli.main", "images", "move", "--to", "s3"]

    with subprocess.Popen(
        command,
        env={**CLEAN, **environment},
        stderr=subprocess.PIPE,
        # As at a terminal: what a shell starts in the background, tests too, ignores Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  no other threads yet
    ) as process:
        while asyncio.run(_objects(s3_bucket)) < 20:
            assert process.poll() is None
        process.send_signal(end)
        _, said = process.communicate()
    copied = asyncio.run(_objects(s3_bucket))
    done = images(environment, "move", "--to", "s3")

    assert process.returncode == (130 if end == signal.SIGINT else -signal.SIGKILL)
    assert (b"Run it again" in said, b"Traceback" in said) == (end == signal.SIGINT, False)
    assert 20 <= copied < len(files)
    assert done.exit_code == 0
    assert f"{len(files) - copied} pictures were copied" in done.stdout
    assert f"{copied} were there before" in done.stdout
    assert "Set IMAGE_STORE=s3 and restart" in done.stdout
    assert "`nanobanana images move --to s3` again, for what was made and deleted meanwhile" in done.stdout
    assert images({**environment, "IMAGE_STORE": "s3"}, "verify").exit_code == 0


async def _objects(s3_bucket: S3Bucket) -> int:
    return len(await all_files(open_store(Settings(**s3_bucket.settings), "s3")))
