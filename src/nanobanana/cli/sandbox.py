"""The sandbox for commands that are no service of their own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nanobanana.cli.listening import listen, url_of
from nanobanana.settings import Settings
from nanobanana.storage.embedded.claim import Claim
from nanobanana.storage.embedded.process import spawn, stop


@contextmanager
def sandbox(settings: Settings) -> Iterator[str]:
    """The address of the one that the service on this DATA_DIR has started, else of one started here."""
    with Claim(settings.data_dir, "serve") as claim:
        service = claim.read()
    if known := settings.sandbox_url or (service and service["sandbox"]):
        yield known
        return
    with listen("127.0.0.1", 0) as listener:
        fd = str(listener.fileno())
        command = [sys.executable, "-m", "nanobanana_sandbox", "--fd", fd]
        process = spawn(command, stdout=subprocess.DEVNULL, inherited_fds=[listener.fileno()])
        try:
            yield url_of(listener)
        finally:
            stop(process)
