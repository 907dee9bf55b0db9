"""A Google of a test's own, played by the sandbox of the run."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx2

from nanobanana.settings import Settings


@dataclass(frozen=True)
class Google:
    """`http`: a connection for who speaks to it often."""

    url: str
    key: str = field(default_factory=lambda: f"test-{secrets.token_hex(8)}")
    http: httpx2.Client | None = None

    def answers(self, *scenarios: str) -> None:
        """The next calls, in turn; those after them get pictures."""
        self._control("POST", "script", json={"scenarios": list(scenarios)})

    def always_answers(self, scenario: str) -> None:
        """Until it `recovers`."""
        self._control("PUT", "standing", json={"scenario": scenario})

    def recovers(self) -> None:
        self._control("DELETE", "script")

    def calls(self) -> int:
        return len(self.received())

    def received(self) -> list[dict[str, Any]]:
        """With `received_at`, in seconds since the epoch, and `made_picture`; the oldest first."""
        return self._control("GET", "calls")["calls"]

    def forgets_calls(self) -> None:
        self._control("DELETE", "calls")

    def of(self, settings: Settings) -> Settings:
        known = Settings(gemini_api_key=self.key, gemini_base_url=self.url)
        return settings.model_copy(
            update={"gemini_api_key": known.gemini_api_key, "gemini_base_url": known.gemini_base_url}
        )

    def _control(self, method: str, what: str, **body: Any) -> Any:
        request = self.http.request if self.http else httpx2.request
        headers = {"x-goog-api-key": self.key}
        answer = request(method, f"{self.url}/_sandbox/{what}", headers=headers, timeout=30, **body)
        return answer.raise_for_status().json()
