import re
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import AfterValidator

from nanobanana.domain.generation import rules
from nanobanana.domain.generation.errors import error_of
from nanobanana.domain.generation.types import Generation
from nanobanana.web.api.schemas.errors import error_responses
from nanobanana.web.api.schemas.generations import DryRun, GenerationPage, GenerationView, NewGeneration
from nanobanana.web.dependencies import (
    BaseUrl,
    ClientAddress,
    Id,
    JsonBody,
    MakerAccountId,
    ReaderAccountId,
    RecentKey,
    ServicesDep,
)

router = APIRouter(tags=["Generations"])

# Proxies in front often cut a connection at 60 s.
_DEFAULT_WAIT_S = 55
_LONGEST_WAIT_S = 90


def _unquoted(value: str | None) -> str | None:
    """Bare, or quoted as the standard's draft has it: both are the same key."""
    if value is None:
        return None
    bare = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", bare):
        raise ValueError("This must be 1 to 255 visible ASCII characters.")
    return bare


Prefer = Annotated[
    list[str] | None,
    Header(
        description="`wait=N` holds the call for up to N seconds (0 to 90, default 55), `respond-async` for none",
        examples=[["wait=30"]],
    ),
]


IdempotencyKey = Annotated[
    str | None,
    Header(
        description="One value per intended image, the same on every retry; 1 to 255 visible characters, kept 24 h. "
        "`Idempotent-Replayed: true` marks an answer to a repeated one",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
    AfterValidator(_unquoted),
]


@router.post(
    "/generate",
    dependencies=[JsonBody],
    responses={
        202: {
            "model": GenerationView,
            "description": "Not finished yet: ask at `Location` after `Retry-After`. `queued` while the image model is "
            "unavailable",
        },
        **error_responses(400, 401, 402, 403, 409, 413, 415, 422, 429, 503),
    },
)
async def create_generation(
    *,
    body: NewGeneration,
    key: RecentKey,
    client_address: ClientAddress,
    services: ServicesDep,
    base_url: BaseUrl,
    response: Response,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
    dry_run: Annotated[
        bool, Query(description="Only says what the image would cost and what is left")
    ] = False,
) -> GenerationView | DryRun:
    """Makes an image. Answers 200 with its link, or 202 when it takes longer than the caller wants to wait;
    the work goes on when the caller leaves. Send the same `Idempotency-Key` on every retry of one image: however
    often it arrives, one image is made and charged."""
    if dry_run:
        quote = await services.generations.quote(body.order(), bearer=key, client_address=client_address)
        response.headers.update(quote.headers)
        return DryRun.of(quote)
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
        error = error_of(generation.error_code, generation.error_message)
        error.headers.update(headers, Location=location)
        raise error
    response.headers.update(headers)
    if generation.state != "succeeded":
        response.status_code = 202
        response.headers["Location"] = location
        response.headers["Retry-After"] = str(rules.ask_again_s(generation))
    return await _view(generation, services, base_url)


@router.get("/generations/{id}", responses=error_responses(400, 401, 403, 404, 503))
async def get_generation(
    *,
    id: Id,
    account_id: ReaderAccountId,
    services: ServicesDep,
    base_url: BaseUrl,
    response: Response,
    wait: Annotated[
        int, Query(ge=0, le=_LONGEST_WAIT_S, description="Seconds to hold the call until it has ended")
    ] = 0,
) -> GenerationView:
    """One generation as it stands, with a link that works; `Retry-After` until it has ended."""
    generation = await services.generations.get(id, account_id=account_id, wait_s=wait)
    if not generation.has_ended:
        response.headers["Retry-After"] = str(rules.ask_again_s(generation))
    return await _view(generation, services, base_url)


@router.post("/generations/{id}/cancel", responses=error_responses(401, 403, 404, 409, 503))
async def cancel_generation(
    id: Id, account_id: MakerAccountId, services: ServicesDep, base_url: BaseUrl
) -> GenerationView:
    """Ends a generation that is queued; nothing is charged for it. One that is being made, or has ended, is 409."""
    return await _view(await services.generations.cancel(id, account_id=account_id), services, base_url)


@router.get("/generations", responses=error_responses(400, 401, 403, 503))
async def list_generations(
    account_id: ReaderAccountId,
    services: ServicesDep,
    base_url: BaseUrl,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[
        str | None, Query(pattern=r"^gen_[0-9A-Za-z]{22}$", description="`next_cursor`")
    ] = None,
) -> GenerationPage:
    """The account's generations, newest first. Pictures that no store holds have no `url` here, only one by one."""
    found, has_more = await services.generations.page(account_id=account_id, before=cursor, limit=limit)
    return GenerationPage(
        data=[GenerationView.of(row, url=link_to(row, services, base_url)) for row in found],
        has_more=has_more,
        next_cursor=found[-1].id if has_more else None,
    )


def link_to(generation: Generation, services: ServicesDep, base_url: str) -> str | None:
    """Where the picture is served, if it is served at all."""
    if generation.image_state != "kept" or generation.image_format is None:
        return None
    path = services.images.path(generation.image_name, generation.image_format)
    return path and f"{base_url}{path}"


async def _view(generation: Generation, services: ServicesDep, base_url: str) -> GenerationView:
    url = link_to(generation, services, base_url)
    if url is None and generation.image_state == "kept" and generation.image_format:
        url = await services.images.data_url(generation.image_name, generation.image_format)
    return GenerationView.of(generation, url=url)


def _wait_s(prefer: list[str]) -> float:
    """Seconds to hold the call; what we do not know is ignored, as RFC 7240 wants it."""
    for preference in ",".join(prefer).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "respond-async":
            return 0
        if name.strip().lower() == "wait" and value.strip().isdecimal():
            return min(int(value), _LONGEST_WAIT_S)
    return _DEFAULT_WAIT_S
