from typing import Annotated

from fastapi import APIRouter, Query

from nanobanana.domain.webhooks.types import DeliveryState
from nanobanana.web.api.schemas.errors import BODY, SESSION, error_responses
from nanobanana.web.api.schemas.webhooks import (
    DeliveryPage,
    DeliveryView,
    NewWebhook,
    ShownWebhook,
    WebhookInfo,
    WebhookList,
    WebhookUpdate,
)
from nanobanana.web.dependencies import ClientAddress, Id, JsonBody, ServicesDep, SessionAccount

router = APIRouter(prefix="/webhooks", tags=["Webhooks"])


@router.post(
    "",
    status_code=201,
    dependencies=[JsonBody],
    responses=error_responses(*BODY, *SESSION, "too_many_webhooks", "rate_limited", "overloaded"),
)
async def create_webhook(
    body: NewWebhook, account: SessionAccount, address: ClientAddress, services: ServicesDep
) -> ShownWebhook:
    """A new endpoint, with its secret in this answer only. An account has 10 at most.

    Deliveries follow the Standard Webhooks specification: verify their signature with any of its libraries."""
    await services.throttle.take("webhook_change", address=address, account_id=account.id)
    return ShownWebhook.shown(
        await services.webhooks.create(account_id=account.id, url=body.url, events=body.events)
    )


@router.get("", responses=error_responses(*SESSION, "overloaded"))
async def list_webhooks(account: SessionAccount, services: ServicesDep) -> WebhookList:
    """The endpoints of the account, newest first."""
    return WebhookList.of(await services.webhooks.list_all(account_id=account.id))


@router.get("/{id}", responses=error_responses(*SESSION, "not_found", "overloaded"))
async def get_webhook(id: Id, account: SessionAccount, services: ServicesDep) -> WebhookInfo:
    """One endpoint as it stands."""
    return WebhookInfo.of(await services.webhooks.get(id, account_id=account.id))


@router.patch(
    "/{id}",
    dependencies=[JsonBody],
    responses=error_responses(*BODY, *SESSION, "not_found", "rate_limited", "overloaded"),
)
async def change_webhook(
    id: Id, body: WebhookUpdate, account: SessionAccount, address: ClientAddress, services: ServicesDep
) -> WebhookInfo:
    """Changes what is named and leaves the rest. `"disabled": false` brings back an endpoint that was disabled."""
    await services.throttle.take("webhook_change", address=address, account_id=account.id)
    return WebhookInfo.of(await services.webhooks.change(id, account_id=account.id, changes=body.changes()))


@router.delete("/{id}", status_code=204, responses=error_responses(*SESSION, "not_found", "overloaded"))
async def delete_webhook(id: Id, account: SessionAccount, services: ServicesDep) -> None:
    """Ends the endpoint at once and for good, and deletes what was sent to it."""
    await services.webhooks.delete(id, account_id=account.id)


@router.post("/{id}/rotate-secret", responses=error_responses(*SESSION, "not_found", "overloaded"))
async def rotate_webhook_secret(id: Id, account: SessionAccount, services: ServicesDep) -> ShownWebhook:
    """A new secret, shown in this answer only. The present one signs too for 24 hours; one that still did from a
    rotation before ends at once."""
    return ShownWebhook.shown(await services.webhooks.rotate_secret(id, account_id=account.id))


@router.post(
    "/{id}/test",
    status_code=202,
    responses=error_responses(*SESSION, "not_found", "webhook_disabled", "rate_limited", "overloaded"),
)
async def send_test_event(
    id: Id, account: SessionAccount, address: ClientAddress, services: ServicesDep
) -> DeliveryView:
    """Sends an event of the type `webhook.test`, whatever events the endpoint wants."""
    await services.throttle.take("webhook_send", address=address, account_id=account.id)
    return DeliveryView.of(await services.webhooks.send_test(id, account_id=account.id))


@router.get(
    "/{id}/deliveries", responses=error_responses("invalid_request", *SESSION, "not_found", "overloaded")
)
async def list_webhook_deliveries(
    *,
    id: Id,
    account: SessionAccount,
    services: ServicesDep,
    status: Annotated[DeliveryState | None, Query(description="Only those")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[
        str | None, Query(pattern=r"^whd_[0-9A-Za-z]{22}$", description="`next_cursor`")
    ] = None,
) -> DeliveryPage:
    """What was sent to the endpoint in the last 30 days, newest first, and what became of it."""
    found, has_more = await services.webhooks.deliveries(
        id, account_id=account.id, state=status, before=cursor, limit=limit
    )
    return DeliveryPage.of(found, has_more=has_more)


@router.post(
    "/{id}/deliveries/{delivery_id}/replay",
    status_code=202,
    responses=error_responses(*SESSION, "not_found", "webhook_disabled", "rate_limited", "overloaded"),
)
async def replay_webhook_delivery(
    id: Id, delivery_id: Id, account: SessionAccount, address: ClientAddress, services: ServicesDep
) -> DeliveryView:
    """Sends a delivery again, whatever became of it, under the same `webhook-id`. It says how its image stands now:
    without prompt and link when that is gone."""
    await services.throttle.take("webhook_send", address=address, account_id=account.id)
    return DeliveryView.of(await services.webhooks.replay(id, delivery_id, account_id=account.id))
