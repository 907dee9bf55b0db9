"""A mail as it is sent: subject, text and HTML of its folder in templates/, which say the same."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from nanobanana.integrations.email.types import Mail

FOLDER = Path(__file__).parent / "templates"

_templates = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def letter(name: str, *, to: str, pages_url: str | None, values: dict[str, str | int | None]) -> Mail:
    """`pages_url`: where our pages are, for links to them; None where nobody has told us."""

    def rendered(part: str, **more: str) -> str:
        return _templates.get_template(f"{name}/{part}").render(values, pages_url=pages_url, **more)

    subject = rendered("subject.txt").strip()
    return Mail(
        to=to,
        subject=subject,
        # Where a template leaves something out, more than one line is empty.
        text=re.sub(r"\n{3,}", "\n\n", rendered("body.txt", subject=subject)),
        html=rendered("body.html", subject=subject),
    )
