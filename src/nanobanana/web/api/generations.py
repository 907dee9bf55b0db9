from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from nanobanana.domain.generation import rules
from nanobanana.domain.generation.types import Filters, Generation, ImageState, Size, State
from nanobanana.errors import InvalidRequestError
from nanobanana.web.api.picture_answer import PictureAnswer
from nanobanana.web.api.schemas.errors import BODY, KEY_OR_SESSION, error_responses
from nanobanana.web.api.schemas.generations import (
    DeletionList,
    Deletions,
    DeletionView,
    GenerationPage,
    GenerationView,
)
from nanobanana.web.api.schemas.moments import Moment
from nanobanana.web.dependencies import (
    BaseUrl,
    Id,
    JsonBody,
    MakerAccountId,
    ReaderAccountId,
    ServicesDep,
)

router = APIRouter(tags=["Generations"])

_LONGEST_WAIT_S = 90
# By then some of the answers that hold pictures have been taken.
_ROOM_AGAIN_S = 5


async def _filters(
    *,
    created_after: Annotated[
        Moment | None, Query(description="Made then or later: a moment with its zone, or a day in UTC")
    ] = None,
    created_before: Annotated[
        Moment | None, Query(description="Made before then, or before that day")
    ] = None,
    key: Annotated[
        str | None, Query(pattern=r"^key_[0-9A-Za-z]{22}$", description="The id of the API key")
    ] = None,
    status: State | None = None,
    size: Size | None = None,
    image_state: ImageState | None = None,
) -> Filters:
    if created_after and created_before and created_after > created_before:
        raise InvalidRequestError(
            "created_after: This must not be after `created_before`.", param="created_after"
        )
    return Filters(
        created_after=created_after,
        created_before=created_before,
        api_key_id=key,
        state=status,
        size=size,
        image_state=image_state,
    )


@router.get(
    "/generations/{id}",
    response_model=GenerationView,
    responses=error_responses(
        "invalid_request", *KEY_OR_SESSION, "not_found", "image_expired", "image_deleted", "overloaded"
    ),
)
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
) -> Response:
    """One generation as it stands, with a link that works; `Retry-After` until it has ended, or while too many answers
    hold pictures that no store has. One whose picture is gone
    is 410, and stands in the list."""
    generation = await services.gallery.get(id, account_id=account_id, wait_s=wait)
    if not generation.has_ended:
        response.headers["Retry-After"] = str(rules.ask_again_s(generation))
    return answer_of(generation, services, base_url, headers=dict(response.headers))


@router.post(
    "/generations/{id}/cancel",
    responses=error_responses(*KEY_OR_SESSION, "not_found", "not_cancellable", "overloaded"),
)
async def cancel_generation(
    id: Id, account_id: MakerAccountId, services: ServicesDep, base_url: BaseUrl
) -> GenerationView:
    """Ends a generation that is queued; nothing is charged for it. One that is being made, or has ended, is 409."""
    return listed_view(await services.generations.cancel(id, account_id=account_id), services, base_url)


@router.delete(
    "/generations/{id}",
    status_code=204,
    responses=error_responses(*KEY_OR_SESSION, "not_found", "not_deletable", "overloaded"),
)
async def delete_generation(id: Id, account_id: MakerAccountId, services: ServicesDep) -> None:
    """Deletes picture and prompt, at once and for good. That it was made stays listed and charged. One that has not
    ended is 409: cancel it while it is queued."""
    await services.gallery.delete(id, account_id=account_id)


@router.post(
    "/generations/delete",
    dependencies=[JsonBody],
    responses=error_responses(*BODY, *KEY_OR_SESSION, "overloaded"),
)
async def delete_generations(
    body: Deletions, account_id: MakerAccountId, services: ServicesDep
) -> DeletionList:
    """Deletes up to 100, as one by one, and says of each what became of it."""
    results = await services.gallery.delete_many(body.ids, account_id=account_id)
    return DeletionList(data=[DeletionView(id=id, result=result) for id, result in results.items()])


@router.get("/generations", responses=error_responses("invalid_request", *KEY_OR_SESSION, "overloaded"))
async def list_generations(
    *,
    account_id: ReaderAccountId,
    services: ServicesDep,
    base_url: BaseUrl,
    filters: Annotated[Filters, Depends(_filters)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[
        str | None, Query(pattern=r"^gen_[0-9A-Za-z]{22}$", description="`next_cursor`")
    ] = None,
) -> GenerationPage:
    """The account's generations, newest first. Pictures that no store holds have no `url` here, only one by one.

    With `key`, `status`, `size` or `image_state` a page may be short or even empty before the last one: go on while
    `has_more`."""
    found, next_cursor = await services.generations.page(
        account_id=account_id, before=cursor, limit=limit, filters=filters
    )
    return GenerationPage(
        data=[listed_view(row, services, base_url) for row in found],
        has_more=next_cursor is not None,
        next_cursor=next_cursor,
    )


def link_to(generation: Generation, services: ServicesDep, base_url: str) -> str | None:
    """Where the picture is served, if it is served at all."""
    return _link(generation, services, base_url) if generation.is_stored else None


def listed_view(generation: Generation, services: ServicesDep, base_url: str) -> GenerationView:
    """Without the pictures that only an answer of their own can hold."""
    return _view(generation, services, base_url, url=link_to(generation, services, base_url))


def answer_of(
    generation: Generation,
    services: ServicesDep,
    base_url: str,
    *,
    headers: Mapping[str, str],
    later_status: int = 200,
) -> Response:
    """With the picture itself where nothing links to it."""
    view = listed_view(generation, services, base_url)
    if view.url or not generation.has_picture or generation.image_format is None:
        return json_of(view, headers=headers)
    again = {"Location": f"/v1/generations/{generation.id}", "Retry-After": str(_ROOM_AGAIN_S)}
    return PictureAnswer(
        view,
        services.images.data_url(generation.image_name, generation.image_format),
        # What does not wait any more has come to the store a moment ago.
        link=_link(generation, services, base_url),
        headers=headers,
        later=json_of(view, headers={**headers, **again}, status=later_status),
    )


def json_of(view: BaseModel, *, headers: Mapping[str, str], status: int = 200) -> Response:
    return Response(view.model_dump_json(), status, headers, media_type="application/json")


def _link(generation: Generation, services: ServicesDep, base_url: str) -> str | None:
    if not generation.has_picture or generation.image_format is None:
        return None
    return services.images.link(
        generation.image_name,
        generation.image_format,
        expires_at=generation.expires_at,
        base_url=base_url,
    )


def _view(generation: Generation, services: ServicesDep, base_url: str, *, url: str | None) -> GenerationView:
    thumbnail_url = None
    if generation.has_picture:
        thumbnail_url = services.images.thumbnail_link(generation.image_name, base_url=base_url)
    return GenerationView.of(generation, url=url, thumbnail_url=thumbnail_url)
