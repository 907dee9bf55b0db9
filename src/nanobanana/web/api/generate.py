from typing import Annotated

from fastapi import FastAPI, Query, Response

from nanobanana.domain.generation import rules
from nanobanana.domain.generation.errors import error_of
from nanobanana.web.api.generate_route import GenerateRoute
from nanobanana.web.api.generations import answer_of, json_of, listed_view
from nanobanana.web.api.schemas.errors import BODY, KEY, error_responses
from nanobanana.web.api.schemas.generations import DryRun, GenerationView, NewGeneration
from nanobanana.web.api.schemas.headers import IdempotencyKey, Prefer
from nanobanana.web.dependencies import BaseUrl, ClientAddress, JsonBody, RecentKey, ServicesDep

# Proxies in front often cut a connection at 60 s.
DEFAULT_WAIT_S = 55
LONGEST_WAIT_S = 90


def install(app: FastAPI) -> None:
    """Before all other routes and not through a router: the framework goes through every included router's routes at
    each request."""
    app.router.add_api_route(
        "/v1/generate",
        create_generation,
        methods=["POST"],
        route_class_override=GenerateRoute,
        tags=["Generations"],
        dependencies=[JsonBody],
        response_model=GenerationView | DryRun,
        responses={
            202: {
                "model": GenerationView,
                "description": "Not finished yet: ask at `Location` after `Retry-After`. `queued` while the image "
                "model is unavailable; `succeeded` while too many answers hold pictures that no store has",
            },
            **error_responses(
                *BODY,
                *KEY,
                "quota_exceeded",
                "cancelled",
                "content_policy",
                "idempotency_key_reused",
                "rate_limited",
                "upstream_unavailable",
                "overloaded",
                "expired",
            ),
        },
    )


async def create_generation(
    *,
    body: NewGeneration,
    key: RecentKey,
    client_address: ClientAddress,
    services: ServicesDep,
    base_url: BaseUrl,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
    dry_run: Annotated[
        bool, Query(description="Only says what the image would cost and what is left")
    ] = False,
) -> Response:
    """Makes an image. Answers 200 with its link, or 202 when it takes longer than the caller wants to wait;
    the work goes on when the caller leaves. Send the same `Idempotency-Key` on every retry of one image: however
    often it arrives, one image is made and charged."""
    if dry_run:
        quote = await services.generations.quote(body.order(), bearer=key, client_address=client_address)
        return json_of(DryRun.of(quote), headers=quote.headers)
    created = await services.generations.create(
        body.order(),
        bearer=key,
        client_address=client_address,
        idempotency_key=idempotency_key,
        wait_s=_wait_s(prefer or []),
    )
    generation = created.generation
    location = f"/v1/generations/{generation.id}"
    headers = {**created.headers, **({"Idempotent-Replayed": "true"} if created.replayed else {})}
    if generation.error_code and generation.error_message:
        error = error_of(
            generation.error_code, generation.error_message, retry_after_s=generation.retry_after_s
        )
        error.headers.update(headers, Location=location)
        raise error
    if generation.state == "succeeded":
        return answer_of(generation, services, base_url, headers=headers, later_status=202)
    return json_of(
        listed_view(generation, services, base_url),
        status=202,
        headers={**headers, "Location": location, "Retry-After": str(rules.ask_again_s(generation))},
    )


def _wait_s(prefer: list[str]) -> float:
    """Seconds to hold the call; what we do not know is ignored, as RFC 7240 wants it."""
    for preference in ",".join(prefer).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "respond-async":
            return 0
        if name.strip().lower() == "wait" and value.strip().isdecimal():
            return min(int(value), LONGEST_WAIT_S)
    return DEFAULT_WAIT_S
