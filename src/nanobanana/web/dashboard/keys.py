from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response

from nanobanana.domain.api_keys.service import MAX_KEYS
from nanobanana.domain.api_keys.types import IssuedKey
from nanobanana.errors import InvalidRequestError, NanoBananaError
from nanobanana.web.dashboard import key_forms
from nanobanana.web.dashboard.forms import Form, FormLists, InvalidFormError, problems_of
from nanobanana.web.dashboard.key_forms import KeyForm
from nanobanana.web.dashboard.visitors import LoggedIn, Sender, Visitor
from nanobanana.web.dependencies import BaseUrl, Id, ServicesDep
from nanobanana.web.pages import page, redirect

router = APIRouter(prefix="/keys")

_DONE = {
    "revoked": "The key is revoked: it is refused from now on.",
    "all-disabled": "All keys are disabled. Enable those that you trust on their pages.",
}
_DONE_TO_ONE = {
    "changed": "Saved. It holds from the next request on.",
    "disabled": "The key is disabled: it is refused until you enable it again.",
    "enabled": "The key is enabled.",
}


@router.get("")
async def show_keys(visitor: LoggedIn, services: ServicesDep, done: str = "") -> Response:
    return await _keys_page(visitor, services, notice=_DONE.get(done))


@router.post("")
async def create_key(lists: FormLists, sender: Sender, services: ServicesDep, base_url: BaseUrl) -> Response:
    form = key_forms.typed(lists)
    try:
        new = key_forms.new_key(form)
        issued = await services.api_keys.create(
            account_id=sender.account.id, mode=new.mode, settings=new.settings()
        )
    except NanoBananaError as error:
        return await _keys_page(sender, services, error=error, form=form)
    return _shown_key(issued, sender, base_url)


@router.post("/disable-all")
async def disable_all_keys(sender: Sender, services: ServicesDep) -> Response:
    await services.api_keys.disable_all(account_id=sender.account.id)
    return redirect("/keys?done=all-disabled")


@router.get("/{id}")
async def show_key(id: Id, visitor: LoggedIn, services: ServicesDep, done: str = "") -> Response:
    return await _key_page(id, visitor, services, notice=_DONE_TO_ONE.get(done))


@router.post("/{id}")
async def change_key(id: Id, lists: FormLists, sender: Sender, services: ServicesDep) -> Response:
    form = key_forms.typed(lists)
    before = await services.api_keys.get(id, account_id=sender.account.id)
    try:
        settings = key_forms.changes(form, before=before).settings()
    except InvalidFormError as error:
        return await _key_page(id, sender, services, error=error, form=form)
    await services.api_keys.change(id, account_id=sender.account.id, settings=settings)
    return redirect(f"/keys/{id}?done=changed")


@router.post("/{id}/rotate")
async def rotate_key(
    id: Id, form: Form, sender: Sender, services: ServicesDep, base_url: BaseUrl
) -> Response:
    try:
        issued = await services.api_keys.rotate(
            id,
            account_id=sender.account.id,
            overlap=timedelta(seconds=key_forms.rotation(form).overlap_seconds),
            last4=form.get("last4", ""),
        )
    except InvalidRequestError as error:
        return await _key_page(id, sender, services, error=error)
    return _shown_key(issued, sender, base_url)


@router.post("/{id}/disable")
async def disable_key(id: Id, sender: Sender, services: ServicesDep) -> Response:
    await services.api_keys.change(id, account_id=sender.account.id, settings={"disabled": True})
    return redirect(f"/keys/{id}?done=disabled")


@router.post("/{id}/enable")
async def enable_key(id: Id, sender: Sender, services: ServicesDep) -> Response:
    await services.api_keys.change(id, account_id=sender.account.id, settings={"disabled": False})
    return redirect(f"/keys/{id}?done=enabled")


@router.post("/{id}/revoke")
async def revoke_key(id: Id, sender: Sender, services: ServicesDep) -> Response:
    await services.api_keys.revoke(id, account_id=sender.account.id)
    return redirect("/keys?done=revoked")


def _shown_key(issued: IssuedKey, visitor: Visitor, base_url: str) -> Response:
    now = datetime.now(UTC)
    return page("dashboard/shown_key.html", visitor=visitor, issued=issued, base_url=base_url, now=now)


async def _keys_page(
    visitor: Visitor,
    services: ServicesDep,
    *,
    form: KeyForm = key_forms.EMPTY,
    notice: str | None = None,
    error: NanoBananaError | None = None,
) -> Response:
    account_id = visitor.account.id
    return page(
        "dashboard/keys.html",
        error=error,
        notice=notice,
        visitor=visitor,
        keys=await services.api_keys.list_alive(account_id=account_id),
        images=await _images_this_month(account_id, services),
        most=MAX_KEYS,
        form=form,
        problems=problems_of(error),
        now=datetime.now(UTC),
    )


async def _key_page(
    id: str,
    visitor: Visitor,
    services: ServicesDep,
    *,
    form: KeyForm | None = None,
    notice: str | None = None,
    error: NanoBananaError | None = None,
) -> Response:
    account_id = visitor.account.id
    api_key = await services.api_keys.get(id, account_id=account_id)
    return page(
        "dashboard/key.html",
        error=error,
        notice=notice,
        visitor=visitor,
        key=api_key,
        images=await _images_this_month(account_id, services),
        overlaps=key_forms.OVERLAPS,
        form=form or key_forms.present(api_key),
        problems=problems_of(error),
        now=datetime.now(UTC),
    )


async def _images_this_month(account_id: str, services: ServicesDep) -> Mapping[str, int]:
    """By the ids of live keys."""
    months = await services.usage.keys_this_month(account_id=account_id)
    return {month.api_key_id: month.images for month in months}
