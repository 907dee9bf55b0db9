"""What `serve` prints when it is ready: where it listens, what is real and what stands in, a key to try it with."""

from rich.console import Console
from rich.markup import escape

from nanobanana import __version__
from nanobanana.cli.margins import losses
from nanobanana.cli.parts import parts
from nanobanana.settings import Settings


def announce(settings: Settings, *, url: str, key: str, seconds: float) -> None:
    """`settings` as the operator gave them: what is unset there has a stand-in."""
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"[bold]NanoBanana {__version__}[/] listens on [bold]{escape(url)}[/] (ready in {seconds:.1f} s)"
    )
    for name, what, hint in parts(settings):
        console.print(f"  {name:<11}[green]{escape(what)}[/] [dim]{escape(hint)}[/]".rstrip())
    if found := losses(settings):
        console.print(
            f"  [yellow]Fully used, these plans lose money: {escape(', '.join(found))}[/] [dim](nanobanana doctor)[/]"
        )
    if key:
        console.print(f"API key: [bold]{key}[/]")
        console.print(f"Try it:  {escape(_curl(url, key))}")


def _curl(url: str, key: str) -> str:
    return (
        f"curl -s {url}/v1/generate -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' "
        """-d '{"prompt": "A cute banana wearing sunglasses"}'"""
    )
