"""Endpoints that are told of events, and what was sent to them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from nanobanana.domain.webhooks.service import MAX_WEBHOOKS
from nanobanana.domain.webhooks.types import (
    DeliveryState,
    DisabledReason,
    EventType,
    IssuedWebhook,
    Webhook,
    WebhookChanges,
)
from nanobanana.errors import NanoBananaError
from nanobanana.web.api.schemas.webhooks import NewWebhook
from nanobanana.web.dashboard.forms import FormLists, InvalidFormError, checked, problems_of
from nanobanana.web.dashboard.visitors import LoggedIn, Sender, Visitor
from nanobanana.web.dependencies import ClientAddress, Id, ServicesDep
from nanobanana.web.pages import page, redirect

router = APIRouter(prefix="/webhooks")

EVENTS: Mapping[EventType, str] = {
    "image.completed": "An image is there, with its link.",
    "image.failed": "An image will not come, and why. It costs nothing.",
    "quota.warning": "80 % of the images of the month are used.",
    "quota.exhausted": "All of the images of the month are used.",
    "key.rotated": "A key has a new text, and until when the old one works.",
}
REASONS: Mapping[DisabledReason, str] = {
    "owner": "You disabled it.",
    "gone": "It answered 410 Gone, which says that it wants no more deliveries.",
    "failing": "Nothing was delivered for five days.",
}
_DONE = {
    "changed": "The endpoint is changed.",
    "enabled": "The endpoint is enabled, and what was waiting is sent.",
    "disabled": "The endpoint is disabled. What is pending waits until you enable it.",
    "deleted": "The endpoint is deleted, and what was sent to it.",
    "test": "A test event is on its way.",
    "replayed": "The delivery is sent once more.",
}
_PER_PAGE = 20
# What nearly everybody wants to be told of.
_USUAL = MappingProxyType({"events": ["image.completed", "image.failed"]})

Cursor = Annotated[str | None, Query(pattern=r"^whd_[0-9A-Za-z]{22}$")]


@router.get("")
async def show_webhooks(visitor: LoggedIn, services: ServicesDep, done: str = "") -> Response:
    return await _list_page(visitor, services, notice=_DONE.get(done))


@router.post("")
async def create_webhook(
    sender: Sender, lists: FormLists, address: ClientAddress, services: ServicesDep
) -> Response:
    try:
        new = _typed(lists)
        await services.throttle.take("webhook_change", address=address, account_id=sender.account.id)
        issued = await services.webhooks.create(account_id=sender.account.id, url=new.url, events=new.events)
    except NanoBananaError as error:
        return await _list_page(sender, services, error=_beside_its_field(error), lists=lists)
    return _secret_page(sender, issued, title="Your endpoint is there")


@router.get("/{id}")
async def show_webhook(
    *,
    id: Id,
    visitor: LoggedIn,
    request: Request,
    services: ServicesDep,
    status: DeliveryState | None = None,
    cursor: Cursor = None,
    done: str = "",
) -> Response:
    webhook = await services.webhooks.get(id, account_id=visitor.account.id)
    template = "webhook_deliveries" if request.headers.get("hx-request") == "true" else "webhook"
    return await _webhook_page(
        webhook, visitor, services, template=template, status=status, cursor=cursor, notice=_DONE.get(done)
    )


@router.post("/{id}")
async def change_webhook(
    id: Id, sender: Sender, lists: FormLists, address: ClientAddress, services: ServicesDep
) -> Response:
    """Both are on the form: a new endpoint's schema tells when one is missing."""
    try:
        new = _typed(lists)
        return await _changed(
            id, {"url": new.url, "events": new.events}, sender, address, services, done="changed"
        )
    except NanoBananaError as error:
        return await _failed(id, sender, services, _beside_its_field(error), lists)


@router.post("/{id}/enable")
async def enable_webhook(id: Id, sender: Sender, address: ClientAddress, services: ServicesDep) -> Response:
    try:
        return await _changed(id, {"disabled": False}, sender, address, services, done="enabled")
    except NanoBananaError as error:
        return await _failed(id, sender, services, error)


@router.post("/{id}/disable")
async def disable_webhook(id: Id, sender: Sender, address: ClientAddress, services: ServicesDep) -> Response:
    try:
        return await _changed(id, {"disabled": True}, sender, address, services, done="disabled")
    except NanoBananaError as error:
        return await _failed(id, sender, services, error)


@router.post("/{id}/rotate-secret")
async def rotate_webhook_secret(id: Id, sender: Sender, services: ServicesDep) -> Response:
    issued = await services.webhooks.rotate_secret(id, account_id=sender.account.id)
    return _secret_page(sender, issued, title="Your endpoint has a new secret")


@router.post("/{id}/delete")
async def delete_webhook(id: Id, sender: Sender, services: ServicesDep) -> Response:
    await services.webhooks.delete(id, account_id=sender.account.id)
    return redirect("/webhooks?done=deleted")


@router.post("/{id}/test")
async def send_test_event(id: Id, sender: Sender, address: ClientAddress, services: ServicesDep) -> Response:
    try:
        await services.throttle.take("webhook_send", address=address, account_id=sender.account.id)
        await services.webhooks.send_test(id, account_id=sender.account.id)
    except NanoBananaError as error:
        return await _failed(id, sender, services, error)
    return redirect(f"/webhooks/{id}?done=test")


@router.get("/{id}/deliveries/{delivery_id}")
async def show_delivery(id: Id, delivery_id: Id, visitor: LoggedIn, services: ServicesDep) -> Response:
    webhook, delivery, body = await services.webhooks.delivery(id, delivery_id, account_id=visitor.account.id)
    payload = body and json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return page(
        "dashboard/webhook_delivery.html",
        visitor=visitor,
        webhook=webhook,
        delivery=delivery,
        payload=payload,
    )


@router.post("/{id}/deliveries/{delivery_id}/replay")
async def replay_delivery(
    id: Id, delivery_id: Id, sender: Sender, address: ClientAddress, services: ServicesDep
) -> Response:
    try:
        await services.throttle.take("webhook_send", address=address, account_id=sender.account.id)
        await services.webhooks.replay(id, delivery_id, account_id=sender.account.id)
    except NanoBananaError as error:
        return await _failed(id, sender, services, error)
    return redirect(f"/webhooks/{id}?done=replayed")


async def _changed(
    id: str,
    changes: WebhookChanges,
    sender: Visitor,
    address: ClientAddress,
    services: ServicesDep,
    *,
    done: str,
) -> Response:
    await services.throttle.take("webhook_change", address=address, account_id=sender.account.id)
    await services.webhooks.change(id, account_id=sender.account.id, changes=changes)
    return redirect(f"/webhooks/{id}?done={done}")


async def _failed(
    id: str,
    sender: Visitor,
    services: ServicesDep,
    error: NanoBananaError,
    lists: Mapping[str, list[str]] | None = None,
) -> Response:
    """The page of the endpoint again, which raises what is missing there."""
    webhook = await services.webhooks.get(id, account_id=sender.account.id)
    return await _webhook_page(webhook, sender, services, error=error, lists=lists)


async def _list_page(
    visitor: Visitor,
    services: ServicesDep,
    *,
    error: NanoBananaError | None = None,
    notice: str | None = None,
    lists: Mapping[str, list[str]] = _USUAL,
) -> Response:
    return page(
        "dashboard/webhooks.html",
        visitor=visitor,
        error=error,
        notice=notice,
        webhooks=await services.webhooks.list_with_newest(account_id=visitor.account.id),
        most=MAX_WEBHOOKS,
        events=EVENTS,
        reasons=REASONS,
        problems=problems_of(error),
        form={"url": _url_in(lists)},
        ticked=lists.get("events", []),
    )


async def _webhook_page(
    webhook: Webhook,
    visitor: Visitor,
    services: ServicesDep,
    *,
    template: str = "webhook",
    status: DeliveryState | None = None,
    cursor: str | None = None,
    error: NanoBananaError | None = None,
    notice: str | None = None,
    lists: Mapping[str, list[str]] | None = None,
) -> Response:
    deliveries, has_more = await services.webhooks.deliveries(
        webhook.id, account_id=visitor.account.id, state=status, before=cursor, limit=_PER_PAGE
    )
    if lists is None:
        lists = {"url": [webhook.url], "events": [*webhook.events]}
    return page(
        f"dashboard/{template}.html",
        visitor=visitor,
        error=error,
        notice=notice,
        webhook=webhook,
        now=datetime.now(UTC),
        events=EVENTS,
        reasons=REASONS,
        problems=problems_of(error),
        deliveries=deliveries,
        older=deliveries[-1].id if has_more else None,
        status=status,
        cursor=cursor,
        form={"url": _url_in(lists)},
        ticked=lists.get("events", []),
    )


def _secret_page(sender: Visitor, issued: IssuedWebhook, *, title: str) -> Response:
    return page(
        "dashboard/webhook_secret.html",
        visitor=sender,
        title=title,
        webhook=issued.webhook,
        secret_text=issued.secret,
    )


def _typed(lists: Mapping[str, list[str]]) -> NewWebhook:
    return checked(NewWebhook, {"url": _url_in(lists), "events": lists.get("events", [])})


def _url_in(lists: Mapping[str, list[str]]) -> str:
    return lists.get("url", [""])[0]


def _beside_its_field(error: NanoBananaError) -> NanoBananaError:
    """What the service finds wrong with a URL is told where it was typed."""
    if error.param is None:
        return error
    return InvalidFormError({error.param: error.message.removeprefix(f"{error.param}: ")})
