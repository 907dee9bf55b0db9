"""`serve` from the top: everything is started in order, watched, and ended in the opposite order."""

import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Never

from nanobanana.cli.announcement import announce
from nanobanana.cli.child_environment import child_environment, empty_metrics_dir
from nanobanana.cli.configuration import StartError
from nanobanana.cli.listening import listen, url_of
from nanobanana.cli.supervisor import Supervisor
from nanobanana.settings import Settings
from nanobanana.storage.embedded.claim import Claim
from nanobanana.storage.embedded.places import make_data_dir
from nanobanana.storage.embedded.process import run
from nanobanana.storage.embedded.servers import embedded_servers

APPLICATION = "nanobanana.app:create_app"
_CLAIM_PATIENCE_S = 10  # processes of a killed supervisor end within a second


def run_service(settings: Settings, *, workers: int, began: float, application: str = APPLICATION) -> None:
    """Returns after SIGTERM, SIGINT or SIGHUP and a clean stop. Raises StartError and EmbeddedServerError.

    `began`: when the command was given, on the monotonic clock.
    """
    _handle_signals()
    data_dir = make_data_dir(settings.data_dir)
    try:
        with (
            _only_service(data_dir) as claim,
            listen(settings.host, settings.port) as listener,
            listen("127.0.0.1", 0) as sandbox,
        ):
            addresses = {
                "port": listener.getsockname()[1],
                "sandbox_url": url_of(sandbox),
                "data_dir": data_dir,
            }
            _serve(
                settings.model_copy(update=addresses),
                workers=workers,
                application=application,
                claim=claim,
                sockets=(listener, sandbox),
                began=began,
            )
    except KeyboardInterrupt:
        return


@contextmanager
def _only_service(data_dir: Path) -> Iterator[Claim]:
    with Claim(data_dir, "serve") as claim:
        try:
            other = claim.take_or_read(patience_s=_CLAIM_PATIENCE_S)
        except TimeoutError:
            raise StartError(f"Processes of an earlier service on {data_dir} have not ended.") from None
        if other:
            raise StartError(
                f"The service already runs on {data_dir}: process {other['pid']}, {other['address']}. "
                "Stop it first, or set another DATA_DIR."
            )
        yield claim


def _serve(
    settings: Settings,
    *,
    workers: int,
    application: str,
    claim: Claim,
    sockets: tuple[socket.socket, socket.socket],
    began: float,
) -> None:
    listener, sandbox = sockets
    claim.announce({"pid": os.getpid(), "address": url_of(listener), "sandbox": url_of(sandbox)})
    empty_metrics_dir(settings.data_dir)
    with embedded_servers(settings, join=False) as servers:
        environment = child_environment(servers.settings, workers=workers)
        with Supervisor(servers, environment=environment, claim=claim, listener=listener) as supervisor:
            supervisor.start_sandbox(sandbox)
            supervisor.start_web(application, workers=workers)
            key = _prepare(environment)
            supervisor.open_gate()
            supervisor.wait_until_ready()
            announce(settings, url=url_of(listener), key=key, seconds=time.monotonic() - began)
            supervisor.watch()


def _prepare(environment: Mapping[str, str]) -> str:
    # Its gauges would go on saying 0 when it has ended.
    unmeasured = {name: value for name, value in environment.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, "-m", "nanobanana.cli.prepare"]
        if run(command, env=unmeasured, stdout=output) != 0:
            raise StartError("The database could not be made ready; the reason stands above.")
        output.seek(0)
        return output.read().decode().strip()


def _handle_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        ignored_by_nohup = number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
        if not ignored_by_nohup:
            signal.signal(number, _begin_stop)


def _begin_stop(number: int, frame: FrameType | None) -> Never:
    del number, frame
    signal.signal(signal.SIGINT, _end_at_once)
    signal.signal(signal.SIGTERM, _end_at_once)
    raise KeyboardInterrupt


def _end_at_once(number: int, frame: FrameType | None) -> Never:
    """The children get their death signals: PostgreSQL a clean shutdown, the others a kill."""
    del frame
    os._exit(128 + number)
