"""What tests turn and read: the scripted queue, what stands, the received calls, the table of scenarios."""

from typing import Any

import orjson
from starlette.requests import Request

from nanobanana_sandbox import errors, scenarios
from nanobanana_sandbox.answers import Answer
from nanobanana_sandbox.authentication import authenticate
from nanobanana_sandbox.plan import Plan
from nanobanana_sandbox.sandbox import Sandbox


async def extend_script(request: Request) -> Answer:
    """Queue `{"scenarios": ["overloaded", "latency=2,ok", …]}` for the key; refuse names that are not in the table."""
    sandbox, key = _sandbox(request)
    entries = _entries(await request.body())
    for entry in entries:
        scenarios.plan(scenarios.split(entry), usual=Plan())
    return Answer.json({"queued": sandbox.scripts.extend(key, entries)})


async def stand(request: Request) -> Answer:
    """From now on every call of the key gets `{"scenario": "overloaded"}`, once its queue is used up."""
    sandbox, key = _sandbox(request)
    entry = _entry(await request.body())
    scenarios.plan(scenarios.split(entry), usual=Plan())
    sandbox.scripts.stand(key, entry)
    return Answer.json({"standing": entry})


async def clear_script(request: Request) -> Answer:
    """Neither a queue nor anything standing: pictures again."""
    sandbox, key = _sandbox(request)
    sandbox.scripts.clear(key)
    return Answer.json({"queued": 0})


async def list_calls(request: Request) -> Answer:
    sandbox, key = _sandbox(request)
    return Answer.json({"calls": sandbox.journal.of(key)})


async def clear_calls(request: Request) -> Answer:
    sandbox, key = _sandbox(request)
    sandbox.journal.clear(key)
    return Answer.json({"calls": []})


async def list_scenarios(request: Request) -> Answer:
    del request
    rows = scenarios.SCENARIOS.values()
    return Answer.json({"scenarios": [_row(row) for row in rows]})


def _sandbox(request: Request) -> tuple[Sandbox, str]:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox, authenticate(request, api_keys=sandbox.config.api_keys)


def _entries(body: bytes) -> list[str]:
    entries = _field(body, "scenarios")
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise errors.invalid_argument('sandbox: send {"scenarios": ["overloaded", "ok"]}')
    return entries


def _entry(body: bytes) -> str:
    entry = _field(body, "scenario")
    if not isinstance(entry, str):
        raise errors.invalid_argument('sandbox: send {"scenario": "overloaded"}')
    return entry


def _field(body: bytes, name: str) -> Any:
    try:
        return orjson.loads(body)[name]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _row(row: scenarios.Scenario) -> dict[str, Any]:
    return {
        "name": row.name,
        "description": row.description,
        "value": row.value,
        "default": row.default,
        "example": row.example,
    }
