"""An order as the lines that send it."""

import json
from collections.abc import Mapping

from nanobanana.web.api.schemas.generations import NewGeneration

_CURL = """curl -s {base_url}/v1/generate \\
     -H {authorization} \\
     -H 'Content-Type: application/json' \\
     -d {body}"""

_PYTHON = """{imports}import requests

answer = requests.post(
    "{base_url}/v1/generate",
    headers={{"Authorization": {authorization}}},
    json={body},
    timeout=90,
)
answer.raise_for_status()
print(answer.json()["url"])"""

_JAVASCRIPT = """const answer = await fetch("{base_url}/v1/generate", {{
  method: "POST",
  headers: {{
    Authorization: {authorization},
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({body}),
}})
const image = await answer.json()
console.log(image.url)"""


def request_code(base_url: str, *, key: str | None = None, order: Mapping[str, str]) -> dict[str, str]:
    """By language. Without a key it is taken from the environment. `order`: the fields of the body; what JSON makes of
    their texts is Python and JavaScript too."""
    body = json.dumps(order, ensure_ascii=False)
    if key is None:
        shell = '"Authorization: Bearer $NANOBANANA_KEY"'
        imports, python = "import os\n\n", "f\"Bearer {os.environ['NANOBANANA_KEY']}\""
        javascript = "`Bearer ${process.env.NANOBANANA_KEY}`"
    else:
        shell, imports = _quoted(f"Authorization: Bearer {key}"), ""
        python = javascript = f'"Bearer {key}"'
    return {
        "curl": _CURL.format(base_url=base_url, authorization=shell, body=_quoted(body)),
        "Python": _PYTHON.format(base_url=base_url, imports=imports, authorization=python, body=body),
        "JavaScript": _JAVASCRIPT.format(base_url=base_url, authorization=javascript, body=body),
    }


def without_defaults(order: Mapping[str, str]) -> dict[str, str]:
    """Of an order and what stands beside it the fields that the API takes, but for those that may as well be left out."""
    fields = NewGeneration.model_fields.items()
    return {name: order[name] for name, field in fields if name in order and order[name] != field.default}


def _quoted(text: str) -> str:
    """For a shell, in single quotes also where none would be needed."""
    escaped = text.replace("'", r"'\''")
    return f"'{escaped}'"
