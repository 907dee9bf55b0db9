"""The list of models, without those that Google has retired."""

import time
from collections.abc import Sequence

import structlog

# Long enough that hardly a request pays for the extra round trip, short enough to notice a model that comes back.
FORGET_AFTER_S = 600.0

_log = structlog.get_logger(__name__)


class ModelList:
    """Remembers for ten minutes which models are gone."""

    def __init__(self, models: Sequence[str]) -> None:
        self._models = tuple(models)
        self._gone_until: dict[str, float] = {}

    def to_try(self) -> tuple[str, ...]:
        """Return the models in order. With all of them gone the memory is worthless: all are tried again."""
        return tuple(model for model in self._models if not self._is_gone(model)) or self._models

    def report_gone(self, model: str, *, reason: str) -> None:
        """Log the model once per period, however many requests meet the 404 at the same time."""
        if not self._is_gone(model):
            self._gone_until[model] = time.monotonic() + FORGET_AFTER_S
            _log.warning("google.model_gone", model=model, reason=reason)

    def _is_gone(self, model: str) -> bool:
        return time.monotonic() < self._gone_until.get(model, 0.0)
