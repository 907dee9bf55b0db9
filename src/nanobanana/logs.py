"""Log lines: JSON for machines, colours for a person at a terminal. No prompt and no secret at info level."""

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import orjson
import structlog


def configure(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_renderers(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=_logger_factory(),
        cache_logger_on_first_use=True,
    )


def _logger_factory() -> structlog.WriteLoggerFactory | structlog.BytesLoggerFactory:
    if sys.stdout.isatty():
        return structlog.WriteLoggerFactory(file=sys.stdout)
    return structlog.BytesLoggerFactory(file=sys.stdout.buffer)


def _renderers() -> list[structlog.typing.Processor]:
    if sys.stdout.isatty():
        return [structlog.dev.ConsoleRenderer()]
    return [
        structlog.processors.format_exc_info,
        _without_secrets,
        structlog.processors.JSONRenderer(serializer=_json),
    ]


def _json(event: structlog.typing.EventDict, *, default: Callable[[Any], Any]) -> bytes:
    return orjson.dumps(event, default=default)


# Keys and sessions come in by mistake, as in `DELETE /v1/keys/nb_live_...`; PostgreSQL's DETAIL quotes whole rows.
_SECRETS = re.compile(r"nb_(live|test|session)_[\w-]+|whsec_[\w+/=]+|DETAIL:.*")


def _without_secrets(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {
        name: _SECRETS.sub("[hidden]", value) if isinstance(value, str) else value
        for name, value in event.items()
    }
