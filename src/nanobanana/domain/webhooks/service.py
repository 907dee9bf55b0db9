"""The endpoints of an account and what was sent to them, for their owner."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from nanobanana.domain.notifications.service import Notifications
from nanobanana.domain.webhooks import delivery_repository, repository
from nanobanana.domain.webhooks.errors import TooManyWebhooksError, WebhookDisabledError, WebhookUrlError
from nanobanana.domain.webhooks.secret_box import SecretBox
from nanobanana.domain.webhooks.types import (
    Delivery,
    DeliveryState,
    EventType,
    IssuedWebhook,
    Webhook,
    WebhookChanges,
)
from nanobanana.errors import NotFoundError
from nanobanana.integrations.webhooks.client import WebhookClient
from nanobanana.integrations.webhooks.errors import RefusedUrlError
from nanobanana.integrations.webhooks.signature import secret_text
from nanobanana.kit.ids import new_id
from nanobanana.storage.database import AsyncConnection, Database

MAX_WEBHOOKS = 10
_SECRET_BYTES = 32
OVERLAP = timedelta(hours=24)
_BATCH = 1_000


class Webhooks:
    def __init__(
        self, database: Database, *, client: WebhookClient, box: SecretBox, notifications: Notifications
    ) -> None:
        self._database = database
        self._client = client
        self._box = box
        self._notifications = notifications

    async def create(self, *, account_id: str, url: str, events: Sequence[EventType]) -> IssuedWebhook:
        await self._check(url)
        secret = secrets.token_bytes(_SECRET_BYTES)
        async with self._database.begin() as connection:
            if not await repository.lock_account(connection, account_id=account_id):
                raise NotFoundError("There is no such account.")  # erased a moment ago
            if await repository.count(connection, account_id=account_id) >= MAX_WEBHOOKS:
                raise TooManyWebhooksError(MAX_WEBHOOKS)
            webhook = await repository.add(
                connection,
                id=new_id("whk"),
                account_id=account_id,
                url=url,
                events=events,
                secret=self._box.encrypt(secret),
            )
        return IssuedWebhook(webhook=webhook, secret=secret_text(secret))

    async def list_all(self, *, account_id: str) -> list[Webhook]:
        async with self._database.begin() as connection:
            return await repository.list_of(connection, account_id=account_id)

    async def list_with_newest(self, *, account_id: str) -> list[tuple[Webhook, Delivery | None]]:
        """Each with what was sent to it last."""
        async with self._database.begin() as connection:
            listed = await repository.list_of(connection, account_id=account_id)
            newest = await delivery_repository.newest_of_each(connection, account_id=account_id)
        return [(webhook, newest.get(webhook.id)) for webhook in listed]

    async def get(self, id: str, *, account_id: str) -> Webhook:
        async with self._database.begin() as connection:
            return await _get(connection, id, account_id)

    async def change(self, id: str, *, account_id: str, changes: WebhookChanges) -> Webhook:
        """What `changes` leaves out stays. What is pending when it is disabled waits until it is enabled."""
        if not changes:
            return await self.get(id, account_id=account_id)
        if "url" in changes:
            await self._check(changes["url"])
        async with self._database.begin() as connection:
            return _found(await repository.change(connection, id=id, account_id=account_id, changes=changes))

    async def delete(self, id: str, *, account_id: str) -> None:
        async with self._database.begin() as connection:
            if not await repository.delete(connection, id=id, account_id=account_id):
                raise NotFoundError(_NO_SUCH_WEBHOOK)

    async def rotate_secret(self, id: str, *, account_id: str) -> IssuedWebhook:
        """The present secret signs for a day more, the one before it no longer."""
        secret = secrets.token_bytes(_SECRET_BYTES)
        async with self._database.begin() as connection:
            rotated = await repository.rotate_secret(
                connection,
                id=id,
                account_id=account_id,
                secret=self._box.encrypt(secret),
                overlap=OVERLAP,
            )
        return IssuedWebhook(webhook=_found(rotated), secret=secret_text(secret))

    async def deliveries(
        self, id: str, *, account_id: str, state: DeliveryState | None, before: str | None, limit: int
    ) -> tuple[list[Delivery], bool]:
        """Newest first, and whether there are more."""
        async with self._database.begin() as connection:
            await _get(connection, id, account_id)
            found = await delivery_repository.page(
                connection, webhook_id=id, state=state, before=before, limit=limit + 1
            )
        return found[:limit], len(found) > limit

    async def delivery(
        self, id: str, delivery_id: str, *, account_id: str
    ) -> tuple[Webhook, Delivery, str | None]:
        """With what it says, from the first try until the last."""
        async with self._database.begin() as connection:
            webhook = await _get(connection, id, account_id)
            found = await delivery_repository.find(connection, delivery_id, webhook_id=id)
        if found is None:
            raise NotFoundError(_NO_SUCH_DELIVERY)
        return webhook, *found

    async def send_test(self, id: str, *, account_id: str) -> Delivery:
        """Whatever events the endpoint wants."""
        async with self._database.begin() as connection:
            await _get_enabled(connection, id, account_id)
            return await delivery_repository.add_test(connection, webhook_id=id)

    async def replay(self, id: str, delivery_id: str, *, account_id: str) -> Delivery:
        async with self._database.begin() as connection:
            await _get_enabled(connection, id, account_id)
            delivery = await delivery_repository.replay(connection, delivery_id, webhook_id=id)
            if delivery is None:
                raise NotFoundError(_NO_SUCH_DELIVERY)
            return delivery

    async def send_disabled_mail(self, id: str) -> None:
        found = await repository.find_owner(self._database, id)
        if found and found[1].disabled_reason in {"gone", "failing"}:  # not enabled again meanwhile
            email, webhook = found
            await self._notifications.webhook_disabled(
                email, webhook_id=id, url=webhook.url, gone=webhook.disabled_reason == "gone"
            )

    async def discard_old(self) -> None:
        """Deliveries after 30 days, and what deleted endpoints have left behind."""
        while await delivery_repository.discard_old(self._database, limit=_BATCH):
            pass
        while await delivery_repository.discard_deleted(self._database, limit=_BATCH):
            pass

    async def _check(self, url: str) -> None:
        try:
            await self._client.check(url)
        except RefusedUrlError as error:
            raise WebhookUrlError(str(error)) from None


_NO_SUCH_WEBHOOK = "There is no such webhook."
_NO_SUCH_DELIVERY = "There is no such delivery."


async def _get(connection: AsyncConnection, id: str, account_id: str) -> Webhook:
    return _found(await repository.get(connection, id=id, account_id=account_id))


async def _get_enabled(connection: AsyncConnection, id: str, account_id: str) -> Webhook:
    webhook = await _get(connection, id, account_id)
    if webhook.disabled_reason:
        raise WebhookDisabledError
    return webhook


def _found(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise NotFoundError(_NO_SUCH_WEBHOOK)
    return webhook
