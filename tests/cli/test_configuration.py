import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from nanobanana.cli.main import app
from nanobanana.settings import Settings
from tests.cli.serving import CLEAN


def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nanobanana.cli.main", *words],
        env={**CLEAN, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_wrong_settings_are_one_line_each_and_exit_code_2(tmp_path: Path) -> None:
    done = run("serve", DATA_DIR=str(tmp_path / "data"), PORT="many", DATABASE_URL="mysql://secret@db/x")
    assert done.returncode == 2
    assert sorted(line.split(":")[1].strip() for line in done.stderr.splitlines()) == ["DATABASE_URL", "PORT"]
    assert "secret" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_production_lists_everything_that_is_missing(tmp_path: Path) -> None:
    done = run("serve", DATA_DIR=str(tmp_path), ENVIRONMENT="production")
    assert done.returncode == 2
    assert "PUBLIC_URL, SECRET_KEY, GEMINI_API_KEY" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("account", ["gemini_api_key", "gemini_standby_api_key", "vertex_project"])
def test_any_account_at_google_is_enough_for_production(account: str) -> None:
    Settings(environment="production", public_url="https://x.example", secret_key="s", **{account: "bananas"})


def test_vertex_without_its_library_is_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nanobanana.settings.find_spec", lambda _: None)

    with pytest.raises(ValidationError, match=r"pip install 'nanobanana\[vertex\]'"):
        Settings(vertex_project="bananas")


def test_a_project_that_would_lead_elsewhere_is_refused() -> None:
    with pytest.raises(ValidationError, match="vertex_project"):
        Settings(vertex_project="../../other")


@pytest.mark.parametrize(
    "url", ["example.com", "ftp://example.com", "https://", "https://x:many", "https://["]
)
def test_a_public_url_is_a_web_address_or_no_start(url: str) -> None:
    with pytest.raises(ValidationError, match="public_url"):
        Settings(public_url=url)
    assert Settings(public_url="https://example.com/").public_url == "https://example.com"


BUCKET = {
    "R2_BUCKET": "pictures",
    "R2_ENDPOINT": "https://account.r2.cloudflarestorage.com/",
    "R2_ACCESS_KEY_ID": "an-id",
    "R2_SECRET_ACCESS_KEY": "a-secret",
}


@pytest.mark.parametrize(
    ("environment", "store"),
    [
        ({}, "local"),
        (BUCKET, "s3"),
        ({**BUCKET, "IMAGE_STORE": "local"}, "local"),
        ({"IMAGE_STORE": "none"}, "none"),
    ],
)
def test_pictures_go_to_the_bucket_that_is_named_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], store: str
) -> None:
    """Also where the secret comes from a file."""
    (tmp_path / "secret").write_text("a-secret\n")
    for name, value in {**environment, "DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    if "R2_SECRET_ACCESS_KEY" in environment:
        monkeypatch.delenv("R2_SECRET_ACCESS_KEY")
        monkeypatch.setenv("R2_SECRET_ACCESS_KEY_FILE", str(tmp_path / "secret"))

    settings = Settings()

    assert settings.image_store == store
    assert "a-secret" not in repr(settings)
    assert "an-id" not in repr(settings)
    if environment.get("R2_ENDPOINT"):
        assert settings.r2_endpoint == "https://account.r2.cloudflarestorage.com"


@pytest.mark.parametrize(
    ("file", "image_store", "said"),
    [
        (
            "2026/11/28/abc.jpg",
            "",
            "Configuration: R2_BUCKET is set, but pictures lie in {}. To take them along set IMA",
        ),
        (
            "ab/abc.png",
            "",
            "Configuration: R2_BUCKET is set, but pictures lie in {}. To take them along set IMA",
        ),
        (
            "2026/11/28/abc.jpg",
            "local",
            "folder {} (nanobanana images move --to s3, then IMAGE_STORE=s3, for",
        ),
        ("2026/11/28/abc.jpg", "s3", "bucket pictures at"),
        ("2026/11/28/.keep", "", "bucket pictures at"),
    ],
)
def test_a_bucket_beside_pictures_in_the_folder_is_no_start_until_somebody_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, image_store: str, said: str
) -> None:
    kept = tmp_path / "images" / file
    kept.parent.mkdir(parents=True)
    kept.touch()
    for name, value in {**BUCKET, "DATA_DIR": str(tmp_path), "IMAGE_STORE": image_store}.items():
        monkeypatch.setenv(name, value)

    done = CliRunner().invoke(app, ["doctor"])

    assert said.format(tmp_path / "images") in done.output
    assert done.exit_code == (2 if said.startswith("Configuration") else 0)


def test_what_a_bucket_lacks_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(
        ValidationError, match="IMAGE_STORE=s3 needs R2_ENDPOINT, R2_ACCESS_KEY_ID, R2_SECRET_ACC"
    ):
        Settings(r2_bucket="pictures", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("r2_endpoint", "account.r2.cloudflarestorage.com"),
        ("r2_endpoint", "https://account.r2.cloudflarestorage.com/pictures"),
        ("r2_endpoint", "https://an-id:a-secret@s3.example.com"),
        ("r2_bucket", "Pictures/of/mine"),
        ("r2_public_url", "pictures.example.com"),
    ],
)
def test_a_bucket_that_cannot_be_one_is_no_start(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings(**{name: value, "data_dir": tmp_path})


def test_doctor_tells_the_bucket_and_no_secret(tmp_path: Path) -> None:
    done = run("doctor", DATA_DIR=str(tmp_path), **BUCKET)

    assert "bucket pictures at https://account.r2.cloudflarestorage.com" in done.stdout
    assert "a-secret" not in done.stdout + done.stderr
    assert "an-id" not in done.stdout + done.stderr


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    done = run("serve", SECRET_KEY_FILE=str(tmp_path / "absent"))
    assert done.returncode == 2
    assert str(tmp_path / "absent") in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"], ["db", "--help"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = f"import sys; sys.argv = ['x', *{words}]; from nanobanana.cli.main import main\ntry: main()\nexcept SystemExit: pass\n"
    code += "print(sorted({'pydantic_settings', 'fastapi', 'sqlalchemy', 'uvicorn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
