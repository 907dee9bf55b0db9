"""One call as it came in."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Call:
    """`key` is the API key, or the bearer token of a Vertex project. `parent` is `models` or the Vertex path."""

    version: str
    parent: str
    model_id: str
    method: str
    key: str
    http_method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_vertex(self) -> bool:
        return self.parent != "models"

    @property
    def model_name(self) -> str:
        return f"{self.parent}/{self.model_id}"

    @property
    def server_timeout_s(self) -> float | None:
        """What the caller asks with X-Server-Timeout; nonsense counts as not asked."""
        try:
            return float(self.headers["x-server-timeout"])
        except (KeyError, ValueError):
            return None
