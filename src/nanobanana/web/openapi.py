"""What the OpenAPI document says beyond its operations."""

import re
from typing import Any

from fastapi.routing import APIRoute

DESCRIPTION = """
Register, take the key, post a prompt, receive a picture:

```
curl $URL/v1/generate -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
     -d '{"prompt": "a cute banana wearing sunglasses"}'
```

**No image, no charge.** Every error says in `charged` whether anything was charged, and in `retryable`
whether the same request may succeed later. Errors have one shape: `{"error": {"message", "type", "code",
"param", "request_id", "retryable", "charged"}}`. Every answer carries `X-Request-Id`.

Keys that begin with `nb_test_` draw pictures in the sandbox and never reach Google.
"""

TAGS: list[dict[str, Any]] = [
    {"name": "Generations", "description": "Ask for images and look them up."},
    {"name": "API keys", "description": "Keys of your account. These calls need a session."},
    {"name": "Accounts", "description": "Registration and sessions."},
    {
        "name": "Webhooks",
        "description": "What we tell your servers, and how it went. These calls need a session.",
    },
    {"name": "Usage", "description": "What was used, and what is left."},
    {"name": "Operations", "description": "For whoever runs the service."},
]


def operation_id(route: APIRoute) -> str:
    """`create_api_key` becomes `createApiKey`: the names that generated clients give their methods."""
    return re.sub(r"_(\w)", lambda match: match[1].upper(), route.name)
