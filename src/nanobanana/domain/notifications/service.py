"""Which mail goes out when. The texts are in templates/, a folder a mail."""

from nanobanana.domain.notifications.letters import letter
from nanobanana.integrations.email.types import Mailer


class Notifications:
    def __init__(self, mailer: Mailer, *, pages_url: str | None) -> None:
        """Without `pages_url` mails have no links to our pages; those that work once come with their own."""
        self._mailer = mailer
        self._pages_url = pages_url

    async def verify_address(self, to: str, *, code: str, link: str) -> None:
        """Somebody registered with an address that has no account yet."""
        await self._send("verify_address", to, code=code, link=link)

    async def already_registered(self, to: str) -> None:
        """Somebody registered with, or changed to, an address that has an account."""
        await self._send("already_registered", to)

    async def reset_password(self, to: str, *, link: str) -> None:
        """Somebody has forgotten the password."""
        await self._send("reset_password", to, link=link)

    async def password_changed(self, to: str) -> None:
        """The password was changed or reset."""
        await self._send("password_changed", to)

    async def confirm_address(self, to: str, *, link: str) -> None:
        """The owner wants to use this address from now on."""
        await self._send("confirm_address", to, link=link)

    async def address_changed(self, to: str) -> None:
        """To the old address, when the new one is confirmed."""
        await self._send("address_changed", to)

    async def account_erased(self, to: str) -> None:
        """The last mail, to an address that we no longer know otherwise."""
        await self._send("account_erased", to)

    async def key_surge(
        self, to: str, *, key_name: str, last4: str, api_key_id: str, hour: str, images: str, usual: str
    ) -> None:
        """A key does far more than usual."""
        numbers = {"hour": hour, "images": images, "usual": usual}
        await self._send("key_surge", to, key_name=key_name, last4=last4, api_key_id=api_key_id, **numbers)

    async def quota_warning(self, to: str, *, percent: int, images: int, quota: int, resets_on: str) -> None:
        """The month's images have reached 80 % or 100 % of the plan's."""
        await self._send(
            "quota_warning", to, percent=percent, images=images, quota=quota, resets_on=resets_on
        )

    async def account_suspended(
        self, to: str, *, refusals: int | None, day: str | None, reason: str | None
    ) -> None:
        """For that many refusals on that day, or at an operator's word, with a reason or without."""
        await self._send("account_suspended", to, refusals=refusals, day=day, reason=reason)

    async def webhook_disabled(self, to: str, *, webhook_id: str, url: str, gone: bool) -> None:
        """An endpoint said that it is gone, or failed for days."""
        await self._send("webhook_disabled", to, webhook_id=webhook_id, url=url, gone=gone)

    async def pictures_will_go(self, to: str, *, plan: str, days: int, moved_on: str, gone_on: str) -> None:
        """The account has come to a plan that keeps its older pictures until that day."""
        await self._send("pictures_will_go", to, plan=plan, days=days, moved_on=moved_on, gone_on=gone_on)

    async def _send(self, name: str, to: str, **values: str | int | None) -> None:
        await self._mailer.send(letter(name, to=to, pages_url=self._pages_url, values=values))
