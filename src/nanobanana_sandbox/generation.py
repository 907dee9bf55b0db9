"""The generation endpoint, for every path it is known by."""

import asyncio
import random
import time
from typing import Any

from starlette.requests import Request

from nanobanana_sandbox import errors, generate_content, generated_content, predict, scenarios
from nanobanana_sandbox.answers import Answer, json_segments
from nanobanana_sandbox.authentication import authenticate
from nanobanana_sandbox.calls import Call
from nanobanana_sandbox.generate_content import GenerateContentRequest
from nanobanana_sandbox.journal import Received
from nanobanana_sandbox.models import RETIRED_MODELS, Model
from nanobanana_sandbox.pictures import Pictures
from nanobanana_sandbox.plan import Plan
from nanobanana_sandbox.sandbox import Sandbox

SCENARIO_HEADER = "x-sandbox-scenario"
_HTML_502 = b"""<!DOCTYPE html>
<html lang=en>
  <meta charset=utf-8>
  <title>Error 502 (Server Error)!!1</title>
  <p><b>502.</b> <ins>That's an error.</ins>
  <p>The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.
  <ins>That's all we know.</ins>
"""


async def generate(request: Request) -> Answer:
    """Answer one call. Scenarios come from the header, the key's script and the prompt, in this order."""
    started = time.monotonic()
    sandbox: Sandbox = request.app.state.sandbox
    received = await _receive(request, sandbox)
    call = received.call
    scripted = scenarios.split(sandbox.scripts.take(call.key))
    model = _served_model(call, sandbox)
    parse = predict.parse if model.method == "predict" else generate_content.parse
    asked = parse(call, model)
    asked_for = scenarios.split(call.headers.get(SCENARIO_HEADER, ""))
    usual = Plan(latency=sandbox.config.latency, signature_bytes=sandbox.config.thought_signature_bytes)
    plan = scenarios.plan([*asked_for, *scripted, *scenarios.tokens_in(asked.prompt)], usual=usual)
    sandbox.quotas.take(call)
    # The drawing is part of the latency, not on top of it.
    document, _ = await asyncio.gather(_document(call, asked, plan, sandbox.pictures), _wait(call, plan))
    received.made_picture = plan.makes_picture and asked.wants_image
    return _answer(request, call, plan, document, started)


async def _receive(request: Request, sandbox: Sandbox) -> Received:
    key = authenticate(request, api_keys=sandbox.config.api_keys)
    call = Call(
        version=request.url.path.split("/")[1],
        parent=_parent(request),
        model_id=request.path_params["model"],
        method=request.path_params["method"],
        key=key,
        http_method=request.method,
        path=request.url.path,
        headers=dict(request.headers),
        body=await request.body(),
    )
    return sandbox.journal.record(call)


def _parent(request: Request) -> str:
    path = request.url.path.split("/", 2)[2]
    return path.rsplit("/", 1)[0]


def _served_model(call: Call, sandbox: Sandbox) -> Model:
    model = sandbox.models.get(call.model_id)
    method = call.method.replace("streamGenerateContent", "generateContent")
    if model is not None and model.method == method:
        return model
    if call.model_id in RETIRED_MODELS and not call.is_vertex:
        raise errors.model_retired(call, RETIRED_MODELS[call.model_id])
    raise errors.model_not_found(call)


async def _document(
    call: Call, asked: predict.PredictRequest | GenerateContentRequest, plan: Plan, pictures: Pictures
) -> dict[str, Any]:
    if plan.error is not None:
        return plan.error(call).body
    if isinstance(asked, predict.PredictRequest):
        return await predict.answer(asked, plan, pictures)
    return await generated_content.answer(call, asked, plan, pictures)


async def _wait(call: Call, plan: Plan) -> None:
    """Take the model's time, but not more than the caller grants: then 504."""
    seconds = random.uniform(plan.latency.low, plan.latency.high)  # noqa: S311  # no secret
    timeout_s = call.server_timeout_s
    if timeout_s is not None and seconds > timeout_s:
        await asyncio.sleep(timeout_s)
        raise errors.deadline_exceeded()
    await asyncio.sleep(seconds)


def _answer(request: Request, call: Call, plan: Plan, document: dict[str, Any], started: float) -> Answer:
    if plan.front_end_error:
        return Answer.html(_HTML_502, status_code=502, wire=plan.wire, started=started)
    status = document["error"]["code"] if "error" in document else 200
    body: Any = [document] if plan.error_in_list else document
    if call.method != "streamGenerateContent":
        return Answer(json_segments(body), status, wire=plan.wire, started=started)
    if request.query_params.get("alt") != "sse" or status != 200:
        return Answer(json_segments([document]), status, wire=plan.wire, started=started)
    event = [b"data: ", *json_segments(document, pretty=False), b"\r\n\r\n"]
    return Answer(event, content_type="text/event-stream", wire=plan.wire, started=started)
