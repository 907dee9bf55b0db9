"""An order as the lines that send it."""

import json
from collections.abc import Mapping

_CURL = """curl -s {base_url}/v1/generate \\
     -H {authorization} \\
     -H 'Content-Type: application/json' \\
     -d {body}"""

_PYTHON = """import requests

answer = requests.post(
    "{base_url}/v1/generate",
    headers={{"Authorization": "Bearer {key}"}},
    json={body},
    timeout=90,
)
answer.raise_for_status()
print(answer.json()["url"])"""

_JAVASCRIPT = """const answer = await fetch("{base_url}/v1/generate", {{
  method: "POST",
  headers: {{
    Authorization: "Bearer {key}",
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({body}),
}})
const image = await answer.json()
console.log(image.url)"""


def request_code(base_url: str, *, key: str, order: Mapping[str, str]) -> dict[str, str]:
    """By language. `order`: the fields of the body; what JSON makes of their texts is Python and JavaScript too."""
    body = json.dumps(order, ensure_ascii=False)
    return {
        "curl": _CURL.format(
            base_url=base_url, authorization=_quoted(f"Authorization: Bearer {key}"), body=_quoted(body)
        ),
        "Python": _PYTHON.format(base_url=base_url, key=key, body=body),
        "JavaScript": _JAVASCRIPT.format(base_url=base_url, key=key, body=body),
    }


def _quoted(text: str) -> str:
    """For a shell, in single quotes also where none would be needed."""
    escaped = text.replace("'", r"'\''")
    return f"'{escaped}'"
