"""What `serve` prints when it is ready: where it listens, what is real and what stands in, a key to try it with."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from nanobanana import __version__
from nanobanana.settings import Settings


def announce(settings: Settings, *, url: str, key: str, seconds: float) -> None:
    """`settings` as the operator gave them: what is unset there has a stand-in."""
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"[bold]NanoBanana {__version__}[/] listens on [bold]{escape(url)}[/] (ready in {seconds:.1f} s)"
    )
    for name, what, hint in _parts(settings):
        console.print(f"  {name:<11}[green]{escape(what)}[/] [dim]{escape(hint)}[/]".rstrip())
    if key:
        console.print(f"API key: [bold]{key}[/]")
        console.print(f"Try it:  {escape(_curl(url, key))}")


def _parts(settings: Settings) -> list[tuple[str, str, str]]:
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


def _curl(url: str, key: str) -> str:
    return (
        f"curl -s {url}/v1/generate -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' "
        """-d '{"prompt": "A cute banana wearing sunglasses"}'"""
    )


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
