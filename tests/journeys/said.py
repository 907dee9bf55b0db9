"""What a running service has logged."""

import json
import time
from typing import Any

from tests.cli.serving import Service


def lines_about(requests: list[str], service: Service) -> list[dict[str, Any]]:
    """Once each has its line, which comes after its answer."""
    deadline = time.monotonic() + 10
    while True:
        said = [json.loads(line) for line in service.said.splitlines() if line.startswith("{")]
        lines = [line for line in said if line.get("request_id") in requests]
        answered = sum(line["event"] == "request" for line in lines)
        if answered >= len(requests) or time.monotonic() > deadline:
            return lines
        time.sleep(0.05)
