"""A Google of a test's own, played by the sandbox of the run."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from httpx2 import Response, delete, get, post

from nanobanana.settings import Settings


@dataclass(frozen=True)
class Google:
    url: str
    key: str = field(default_factory=lambda: f"test-{secrets.token_hex(8)}")

    def answers(self, *scenarios: str) -> None:
        """The next calls, in turn; those after them get pictures."""
        self._control(post, "script", json={"scenarios": list(scenarios)})

    def recovers(self) -> None:
        self._control(delete, "script")

    def calls(self) -> int:
        return len(self._control(get, "calls")["calls"])

    def of(self, settings: Settings) -> Settings:
        known = Settings(gemini_api_key=self.key, gemini_base_url=self.url)
        return settings.model_copy(
            update={"gemini_api_key": known.gemini_api_key, "gemini_base_url": known.gemini_base_url}
        )

    def _control(self, method: Callable[..., Response], what: str, **body: object) -> Any:
        headers = {"x-goog-api-key": self.key}
        return method(f"{self.url}/_sandbox/{what}", headers=headers, timeout=30, **body).json()
