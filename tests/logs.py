"""What a module logs."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

from structlog import get_logger
from structlog.testing import capture_logs


@contextmanager
def logged_by(module: ModuleType) -> Iterator[list[dict[str, Any]]]:
    """Its lines while the block lasts; by a logger of its own, since the module's may be bound to where lines went before."""
    with capture_logs() as lines, patch.object(module, "log", get_logger()):
        yield lines
