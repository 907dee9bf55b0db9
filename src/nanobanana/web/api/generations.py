from typing import Annotated

from fastapi import APIRouter, Query, Response

from nanobanana.domain.generation import rules
from nanobanana.domain.generation.types import Generation
from nanobanana.web.api.schemas.errors import error_responses
from nanobanana.web.api.schemas.generations import GenerationPage, GenerationView
from nanobanana.web.dependencies import (
    BaseUrl,
    Id,
    MakerAccountId,
    ReaderAccountId,
    ServicesDep,
)

router = APIRouter(tags=["Generations"])

_LONGEST_WAIT_S = 90


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
    return await view_of(generation, services, base_url)


@router.post("/generations/{id}/cancel", responses=error_responses(401, 403, 404, 409, 503))
async def cancel_generation(
    id: Id, account_id: MakerAccountId, services: ServicesDep, base_url: BaseUrl
) -> GenerationView:
    """Ends a generation that is queued; nothing is charged for it. One that is being made, or has ended, is 409."""
    return await view_of(await services.generations.cancel(id, account_id=account_id), services, base_url)


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
    return services.images.link(
        generation.image_name,
        generation.image_format,
        expires_at=generation.expires_at,
        base_url=base_url,
    )


async def view_of(generation: Generation, services: ServicesDep, base_url: str) -> GenerationView:
    url = link_to(generation, services, base_url)
    if url is None and generation.image_state == "kept" and generation.image_format:
        url = await services.images.data_url(generation.image_name, generation.image_format)
    return GenerationView.of(generation, url=url)
