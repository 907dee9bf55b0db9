"""All that was made, newest first, and each of it on a page of its own."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Query, Request, Response

from nanobanana.domain.api_keys.types import ApiKey
from nanobanana.domain.generation.errors import NotCancellableError
from nanobanana.domain.generation.service import LOOKED_AT
from nanobanana.domain.generation.types import Filters, Generation
from nanobanana.errors import NanoBananaError, NotFoundError
from nanobanana.kit.ids import milliseconds_of
from nanobanana.web.api.schemas.generations import Deletions
from nanobanana.web.dashboard.failures import failure_of_generation
from nanobanana.web.dashboard.forms import Form, FormLists, InvalidFormError, checked, problems_of
from nanobanana.web.dashboard.gallery_filters import GalleryFilters
from nanobanana.web.dashboard.key_names import key_name
from nanobanana.web.dashboard.pictures import picture_of
from nanobanana.web.dashboard.visitors import LoggedIn, Sender, Visitor
from nanobanana.web.dependencies import Id, ServicesDep
from nanobanana.web.pages import page, redirect

router = APIRouter(prefix="/gallery")

_ON_A_PAGE = 24
_DONE = {
    "deleted": "Deleted for good.",
    "some": "What had ended is deleted for good. The rest is still on its way: cancel it, or wait for it.",
    "none": "Nothing is deleted. Choose from 1 to 100 images.",
    "cancelled": "Cancelled. Nothing is charged for it.",
}

Cursor = Annotated[str, Query(pattern=r"^(gen_[0-9A-Za-z]{22})?$")]


@router.get("")
async def show_gallery(
    request: Request, visitor: LoggedIn, services: ServicesDep, cursor: Cursor = "", done: str = ""
) -> Response:
    chosen = _chosen(request)
    found: Sequence[Generation] = []
    further, problem, filters = None, None, Filters()
    try:
        filters = checked(GalleryFilters, chosen).filters()
        found, further = await services.generations.page(
            account_id=visitor.account.id, before=cursor or None, limit=_ON_A_PAGE, filters=filters
        )
    except InvalidFormError as error:
        problem = error
    keys = await services.api_keys.list_alive(account_id=visitor.account.id)
    return page(
        "dashboard/gallery.html",
        error=problem,
        problems=problems_of(problem),
        notice=_DONE.get(done),
        images_from=services.images.links_lead_to,
        visitor=visitor,
        form=chosen,
        key_names=_key_names(keys, chosen.get("key")),
        pictures=[picture_of(generation, services.images) for generation in found],
        is_first=not cursor,
        query=urlencode(chosen),
        further=further and f"/gallery?{urlencode({**chosen, 'cursor': further})}",
        # Where the page ends before it is full: so far it was looked for, and through so many.
        looked_back_to=_made_at(further) if further and len(found) < _ON_A_PAGE else None,
        looked_at=LOOKED_AT,
    )


@router.get("/{id}")
async def show_generation(id: Id, visitor: LoggedIn, services: ServicesDep, done: str = "") -> Response:
    return await _page_of(id, visitor, services, notice=_DONE.get(done))


@router.post("/delete")
async def delete(lists: FormLists, form: Form, sender: Sender, services: ServicesDep) -> Response:
    """Asks first: what is deleted is gone for good."""
    back = urlencode(parse_qsl(form.get("query", "")))
    try:
        ids = checked(Deletions, {"ids": lists.get("ids", [])}).ids
    except InvalidFormError:
        return redirect(_to_gallery(back, "none"))
    if "sure" not in form:
        return page("dashboard/gallery_delete.html", visitor=sender, ids=ids, back=back)
    results = await services.gallery.delete_many(ids, account_id=sender.account.id)
    if set(results.values()) == {"not_found"}:
        raise NotFoundError("There is no such generation.")
    done = "some" if "not_deletable" in results.values() else "deleted"
    return redirect(_to_gallery(back, done))


@router.post("/{id}/cancel")
async def cancel(id: Id, sender: Sender, services: ServicesDep) -> Response:
    try:
        await services.generations.cancel(id, account_id=sender.account.id)
    except NotCancellableError as error:
        return await _page_of(id, sender, services, error=error)
    return redirect(f"/gallery/{id}?done=cancelled")


async def _page_of(
    id: str,
    visitor: Visitor,
    services: ServicesDep,
    *,
    error: NanoBananaError | None = None,
    notice: str | None = None,
) -> Response:
    generation = await services.generations.get(id, account_id=visitor.account.id)
    keys = await services.api_keys.list_alive(account_id=visitor.account.id)
    return page(
        "dashboard/gallery_item.html",
        error=error,
        notice=notice,
        images_from=services.images.links_lead_to,
        visitor=visitor,
        picture=picture_of(generation, services.images),
        failure=failure_of_generation(generation),
        key_name=_key_names(keys, generation.api_key_id)[generation.api_key_id],
        format=generation.image_format or generation.format,
    )


def _chosen(request: Request) -> Mapping[str, str]:
    """The filters as they stand in the address; an empty one is none."""
    names = GalleryFilters.names()
    return {name: value for name, value in request.query_params.items() if name in names and value}


def _to_gallery(query: str, done: str) -> str:
    return f"/gallery?{urlencode({**dict(parse_qsl(query)), 'done': done})}"


def _key_names(keys: Sequence[ApiKey], id: str | None) -> Mapping[str, str]:
    """Of the living keys; and of this one, which may have been revoked."""
    names = {key.id: key_name(key) for key in keys}
    return names if id is None or id in names else {**names, id: "A key that is revoked"}


def _made_at(id: str) -> datetime:
    return datetime.fromtimestamp(milliseconds_of(id) / 1000, UTC)
