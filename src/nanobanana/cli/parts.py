"""Which parts of the service are real, and what stands in for the others."""

from pathlib import Path

from nanobanana.settings import Settings


def parts(settings: Settings) -> list[tuple[str, str, str]]:
    """What it is called, what serves as it, and how to have another, by the settings as the operator gave them."""
    real, folder = "", _short(settings.data_dir)
    return [
        ("Google", "the real one", real)
        if settings.gemini_api_key
        else ("Google", "sandbox, drawn pictures at no cost", "(set GEMINI_API_KEY for the real one)"),
        ("PostgreSQL", "the one of DATABASE_URL", real)
        if settings.database_url
        else ("PostgreSQL", f"embedded, under {folder}", "(set DATABASE_URL for another)"),
        ("Redis", "the one of REDIS_URL", real)
        if settings.redis_url
        else ("Redis", "embedded Valkey", "(set REDIS_URL for another)"),
        ("Pictures", f"folder {_short(settings.image_dir)}", "(IMAGE_STORE=none for data: URLs)")
        if settings.image_store == "local"
        else ("Pictures", "handed over as data: URLs", "(IMAGE_STORE=local keeps them in a folder)"),
    ]


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
