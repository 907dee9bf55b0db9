"""Which parts of the service are real, and what stands in for the others."""

from pathlib import Path

from nanobanana.settings import Settings


def parts(settings: Settings) -> list[tuple[str, str, str]]:
    """What it is called, what serves as it, and how to have another, by the settings as the operator gave them."""
    real, folder = "", _short(settings.data_dir)
    return [
        ("Google", f"the real one, by {_routes(settings)}", real)
        if settings.has_google
        else ("Google", "sandbox, drawn pictures at no cost", "(set GEMINI_API_KEY for the real one)"),
        ("PostgreSQL", "the one of DATABASE_URL", real)
        if settings.database_url
        else ("PostgreSQL", f"embedded, under {folder}", "(set DATABASE_URL for another)"),
        ("Redis", "the one of REDIS_URL", real)
        if settings.redis_url
        else ("Redis", "embedded Valkey", "(set REDIS_URL for another)"),
        ("Pictures", *_pictures(settings)),
    ]


def _pictures(settings: Settings) -> tuple[str, str]:
    match settings.image_store:
        case "local":
            hint = (
                "nanobanana images move --to s3, then IMAGE_STORE=s3,"
                if settings.r2_bucket
                else "set R2_BUCKET"
            )
            return f"folder {_short(settings.image_dir)}", f"({hint} for a bucket)"
        case "s3":
            links = settings.r2_public_url or "signed links of a week"
            return f"bucket {settings.r2_bucket} at {settings.r2_endpoint}, by {links}", ""
        case "none":
            return "handed over as data: URLs", "(IMAGE_STORE=local keeps them in a folder)"


def _routes(settings: Settings) -> str:
    names = {
        "the primary key": settings.gemini_api_key,
        "the standby key": settings.gemini_standby_api_key,
        f"Vertex AI in {settings.vertex_location}": settings.vertex_project,
    }
    return ", then ".join(name for name, setting in names.items() if setting)


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
