"""PostgreSQL and Valkey for whoever needs them: those that the settings name, those that run already, or our own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from nanobanana.settings import Settings
from nanobanana.storage.embedded.claim import Claim
from nanobanana.storage.embedded.errors import EmbeddedServerError
from nanobanana.storage.embedded.logs import cut_long_logs
from nanobanana.storage.embedded.places import make_data_dir
from nanobanana.storage.embedded.postgres import Postgres
from nanobanana.storage.embedded.valkey import Valkey

# As long as another command may need to start its servers or, killed, to see them end.
_PATIENCE_S = 60


class Server(Protocol):
    name: str
    home: Path

    @property
    def url(self) -> str: ...
    @property
    def running(self) -> bool: ...
    def start(self, *, claim_fd: int) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class OwnedServer:
    """A server this process started and must look after."""

    server: Server
    claim_fd: int

    @property
    def name(self) -> str:
        return self.server.name

    @property
    def running(self) -> bool:
        return self.server.running

    def start(self) -> None:
        """Once more, after it ended by itself; it listens where it did before."""
        self.server.start(claim_fd=self.claim_fd)


@dataclass(frozen=True)
class RunningServers:
    settings: Settings
    owned: list[OwnedServer]


@contextmanager
def running_servers(settings: Settings) -> Iterator[Settings]:
    """The settings with `database_url` and `redis_url` filled in, for as long as the context lasts.

    Servers that the settings name are left alone. Embedded ones that another command runs are joined; else they are
    started here, and stopped at the end. Raises EmbeddedServerError.
    """
    with embedded_servers(settings, join=True) as servers:
        yield servers.settings


@contextmanager
def embedded_servers(settings: Settings, *, join: bool) -> Iterator[RunningServers]:
    """Without `join` it waits until a command that runs them has ended: a service must not lose them under way."""
    launchers: dict[str, Callable[[Path], Server]] = {}
    if settings.database_url is None:
        launchers["database_url"] = Postgres
    if settings.redis_url is None:
        launchers["redis_url"] = Valkey
    urls: dict[str, Any] = {}
    owned: list[OwnedServer] = []
    with ExitStack() as stack:
        for setting, launcher in launchers.items():
            data_dir = make_data_dir(settings.data_dir)
            cut_long_logs(data_dir)
            url, started = stack.enter_context(_started_or_joined(launcher(data_dir), join=join))
            urls[setting] = SecretStr(url)
            owned.extend(started)
        yield RunningServers(settings.model_copy(update=urls), owned)


@contextmanager
def _started_or_joined(server: Server, *, join: bool) -> Iterator[tuple[str, list[OwnedServer]]]:
    with Claim(server.home, "server") as claim:
        if facts := _take(claim, server, join=join):
            yield facts["url"], []
            return
        try:
            server.start(claim_fd=claim.inherited_fd)
            claim.announce({"url": server.url})
            yield server.url, [OwnedServer(server, claim.inherited_fd)]
        finally:
            claim.withdraw()
            server.stop()


def _take(claim: Claim, server: Server, *, join: bool) -> dict[str, Any] | None:
    try:
        if join:
            return claim.take_or_read(patience_s=_PATIENCE_S)
        claim.take(patience_s=_PATIENCE_S)
    except TimeoutError:
        raise EmbeddedServerError(
            f"{server.name} in {server.home} is held by another command that has not ended within {_PATIENCE_S} seconds."
        ) from None
    return None
