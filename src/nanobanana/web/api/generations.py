import re
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from nanobanana.domain.generation.errors import error_of
from nanobanana.domain.generation.types import Generation
from nanobanana.web.api.schemas.errors import error_responses
from nanobanana.web.api.schemas.generations import GenerationPage, GenerationView, NewGeneration
from nanobanana.web.dependencies import ClientAddress, Id, JsonBody, ReaderAccountId, RecentKey, ServicesDep

router = APIRouter(tags=["Generations"])

# Proxies in front often cut a connection at 60 s.
_DEFAULT_WAIT_S = 55
_LONGEST_WAIT_S = 90
_ASK_AGAIN_S = 2

Prefer = Annotated[
    str | None,
    Header(
        description="`wait=N` holds the call for up to N seconds (0 to 90, default 55), `respond-async` for none",
        examples=["wait=30"],
    ),
]


@router.post(
    "/generate",
    dependencies=[JsonBody],
    responses={
        202: {
            "model": GenerationView,
            "description": "Not finished yet: ask at `Location` after `Retry-After`",
        },
        **error_responses(400, 401, 402, 403, 413, 415, 422, 429, 503),
    },
)
async def create_generation(
    *,
    body: NewGeneration,
    key: RecentKey,
    client_address: ClientAddress,
    services: ServicesDep,
    request: Request,
    response: Response,
    prefer: Prefer = None,
) -> GenerationView:
    """Makes an image. Answers 200 with its link, or 202 when it takes longer than the caller wants to wait;
    the work goes on when the caller leaves."""
    generation = await services.generations.create(
        body.order(), bearer=key, client_address=client_address, wait_s=_wait_s(prefer)
    )
    location = f"/v1/generations/{generation.id}"
    if generation.error_code and generation.error_message:
        error = error_of(generation.error_code, generation.error_message)
        error.headers["Location"] = location
        raise error
    if generation.state != "succeeded":
        response.status_code = 202
        response.headers["Location"] = location
        response.headers["Retry-After"] = str(_ASK_AGAIN_S)
    return await _view(generation, services, request)


@router.get("/generations/{id}", responses=error_responses(401, 403, 404, 503))
async def get_generation(
    id: Id, account_id: ReaderAccountId, services: ServicesDep, request: Request
) -> GenerationView:
    """One generation as it stands, with a link that works."""
    return await _view(await services.generations.get(id, account_id=account_id), services, request)


@router.get("/generations", responses=error_responses(400, 401, 403, 503))
async def list_generations(
    account_id: ReaderAccountId,
    services: ServicesDep,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[
        str | None, Query(pattern=r"^gen_[0-9A-Za-z]{22}$", description="`next_cursor`")
    ] = None,
) -> GenerationPage:
    """The account's generations, newest first."""
    found, has_more = await services.generations.page(account_id=account_id, before=cursor, limit=limit)
    return GenerationPage(
        data=[await _view(generation, services, request) for generation in found],
        has_more=has_more,
        next_cursor=found[-1].id if has_more else None,
    )


async def _view(generation: Generation, services: ServicesDep, request: Request) -> GenerationView:
    url = None
    if generation.image_state == "kept" and generation.image_format:
        link = await services.images.link(generation.image_name, generation.image_format)
        url = f"{_base_url(services, request)}{link}" if link and link.startswith("/") else link
    return GenerationView.of(generation, url=url)


def _base_url(services: ServicesDep, request: Request) -> str:
    return services.settings.public_url or str(request.base_url).rstrip("/")


def _wait_s(prefer: str | None) -> float:
    """Seconds to hold the call; what RFC 7240 does not let us understand is ignored."""
    if prefer and re.search(r"\brespond-async\b", prefer):
        return 0
    wait = re.search(r"\bwait\s*=\s*(\d{1,6})\b", prefer or "")
    return min(int(wait[1]), _LONGEST_WAIT_S) if wait else _DEFAULT_WAIT_S
