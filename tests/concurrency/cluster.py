"""Three web processes of one service on a database of their own, and Google's view of them."""

import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from httpx2 import AsyncClient, get

from nanobanana.domain.billing.service import Billing
from nanobanana.storage.database import Database
from tests.cli.serving import Service, serving
from tests.conftest import fresh_database

# Of the clusters that tests share: all that accounts of the plan `free` may make together.
FREE_A_DAY = 7


@dataclass(frozen=True)
class Cluster:
    service: Service
    database_url: str
    google_key: str
    sandbox_url: str

    @property
    def url(self) -> str:
        return self.service.url

    def google_calls(self, *, about: str = "") -> int:
        """How many of them had these words in their prompt."""
        headers = {"x-goog-api-key": self.google_key}
        calls = get(f"{self.sandbox_url}/_sandbox/calls", headers=headers, timeout=30).json()["calls"]
        return sum(about in str(call["body"]) for call in calls)

    def client(self) -> AsyncClient:
        return AsyncClient(base_url=self.url, timeout=100)


@contextmanager
def running_cluster(*, redis: bool = True, **settings: str) -> Iterator[Cluster]:
    google_key, sandbox_url = f"test-{secrets.token_hex(8)}", os.environ["TEST_SANDBOX_URL"]
    with fresh_database() as database_url, tempfile.TemporaryDirectory(prefix="nb-") as folder:
        settings = {
            "DATABASE_URL": database_url,
            "REDIS_URL": os.environ["TEST_REDIS_URL"] if redis else "redis://127.0.0.1:1/0",
            "PLANS_FILE": str(Path(__file__).parent / "plans.toml"),
            "GEMINI_API_KEY": google_key,
            "GEMINI_BASE_URL": sandbox_url,
            "THROTTLE_SCALE": "1000",
            "LOG_LEVEL": "warning",
            **settings,
        }
        with serving(Path(folder) / "data", factory=None, workers=3, settings=settings) as service:
            yield Cluster(service, database_url, google_key, sandbox_url)


@asynccontextmanager
async def billing_of(cluster: Cluster) -> AsyncIterator[Billing]:
    database = Database(cluster.database_url, size=1)
    await database.open()
    yield Billing(database)
    await database.close()
