"""Routes to the run's sandbox, which keeps a script and a journal for each key, and a clock that is turned by hand."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from unittest.mock import AsyncMock

import aiohttp
import pytest

from nanobanana.domain.routes.repository import BreakersInRedis
from nanobanana.domain.routes.route import Route
from nanobanana.domain.routes.service import NoteLoss, Routes
from nanobanana.domain.routes.types import Served
from nanobanana.integrations.google.access import ApiKeyAccess
from nanobanana.integrations.google.client import GoogleImages
from nanobanana.integrations.google.http import open_http
from nanobanana.integrations.google.types import ImageRequest

MODEL, LITE = "gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image"
# A Sunday noon in California.
NOON = 1_795_377_600.0
A_MINUTE_LATER = NOON + 60


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Google:
    """What the sandbox is told to answer, and was asked, by key."""

    http: aiohttp.ClientSession
    url: str
    keys: dict[str, str] = field(
        default_factory=lambda: {name: _key(name) for name in ("primary", "standby")}
    )

    async def will(self, name: str, *scenarios: str) -> None:
        await self._control("post", "script", name, json={"scenarios": scenarios})

    async def calls(self, name: str) -> int:
        return len(await self.models_asked(name))

    async def models_asked(self, name: str) -> list[str]:
        return [call["model"] for call in (await self._control("get", "calls", name))["calls"]]

    async def _control(self, method: str, what: str, name: str, **options: object) -> dict[str, list]:
        headers = {"x-goog-api-key": self.keys[name]}
        async with self.http.request(
            method, f"{self.url}/_sandbox/{what}", headers=headers, **options
        ) as answer:
            answer.raise_for_status()
            return await answer.json()


def _key(name: str) -> str:
    return f"test-{name}-{secrets.token_hex(8)}"


RoutesFactory = Callable[..., Routes]


@pytest.fixture
async def google(sandbox_url: str) -> AsyncIterator[Google]:
    async with open_http() as http:
        yield Google(http, sandbox_url)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def routes(google: Google, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> RoutesFactory:
    monkeypatch.setattr("nanobanana.domain.routes.rules._PAUSES_S", (0.0, 0.0))

    def build(
        *names: str,
        models: Sequence[str] = (MODEL,),
        url: str = google.url,
        shared: BreakersInRedis | None = None,
        calls_at_once: int = 1_000,
    ) -> Routes:
        def way(name: str, model: str) -> GoogleImages:
            access = ApiKeyAccess(base_url=url, api_version="v1beta", api_key=google.keys[name])
            slots = asyncio.Semaphore(8)
            return GoogleImages(google.http, access=access, model=model, timeout_s=5, body_slots=slots)

        ways = [
            Route(
                name,
                {model: way(name, model) for model in models},
                identity=google.keys[name],
                calls_at_once=calls_at_once,
            )
            for name in names
        ]
        return Routes(ways, models=models, shared=shared, clock=clock)

    return build


async def ask(
    routes: Routes, prompt: str = "a quiet hill", *, deadline: float = 4e9, note_loss: NoteLoss | None = None
) -> Served:
    note_loss = note_loss or AsyncMock()
    request = ImageRequest(prompt=prompt, width=1024, height=1024)
    async with routes.generate(request, deadline=deadline, note_loss=note_loss) as served:
        return served


def states(routes: Routes) -> dict[str, str]:
    """By route, of the first model."""
    return {health.route: health.state for health in reversed(routes.health())}
