"""Each mail with values as they may be: what /dev/mail/templates shows, and what tests look at."""

from collections.abc import Awaitable, Callable, Mapping

from nanobanana.domain.notifications.letters import FOLDER
from nanobanana.domain.notifications.service import Notifications
from nanobanana.integrations.email.types import Mail

_TO = "ada@example.com"
_TOKEN = "Vb3hPq-0xkq8Rr2Q6mZ1dT5nYw9uLc4e"  # noqa: S105 - nobody's
_PAGES = "https://nanobanana.example"

# By template; more than one where it says different things.
_SENT: Mapping[str, tuple[Callable[[Notifications], Awaitable[None]], ...]] = {
    "account_erased": (lambda mails: mails.account_erased(_TO),),
    "account_suspended": (
        lambda mails: mails.account_suspended(_TO, refusals=50, day="3 August 2026", reason=None),
        lambda mails: mails.account_suspended(_TO, refusals=None, day=None, reason="the card was stolen"),
        lambda mails: mails.account_suspended(_TO, refusals=None, day=None, reason=None),
    ),
    "address_changed": (lambda mails: mails.address_changed(_TO),),
    "already_registered": (lambda mails: mails.already_registered(_TO),),
    "confirm_address": (
        lambda mails: mails.confirm_address(_TO, link=f"{_PAGES}/confirm-email?token={_TOKEN}"),
    ),
    "key_surge": (
        lambda mails: mails.key_surge(
            _TO,
            key_name="موز & Söhne <production>",
            last4="x9Qe",
            api_key_id="key_0351xffvmzhinA5Ot7fOms",
            hour="14:00 UTC",
            images="1,200",
            usual="110",
        ),
    ),
    "password_changed": (lambda mails: mails.password_changed(_TO),),
    "pictures_will_go": (
        lambda mails: mails.pictures_will_go(
            _TO, plan="free", days=30, moved_on="3 August 2026", gone_on="2 September 2026"
        ),
    ),
    "quota_warning": (
        lambda mails: mails.quota_warning(
            _TO, percent=80, images=4_000, quota=5_000, resets_on="1 September"
        ),
        lambda mails: mails.quota_warning(
            _TO, percent=100, images=5_000, quota=5_000, resets_on="1 September"
        ),
    ),
    "reset_password": (
        lambda mails: mails.reset_password(_TO, link=f"{_PAGES}/reset-password?token={_TOKEN}"),
    ),
    "verify_address": (
        lambda mails: mails.verify_address(_TO, code="042137", link=f"{_PAGES}/verify-email?token={_TOKEN}"),
    ),
    "webhook_disabled": (
        lambda mails: mails.webhook_disabled(
            _TO,
            webhook_id="whk_0351xffvmzhinA5Ot7fOms",
            url=f"https://example.com/{'a-long-path/' * 20}?a=1&b=2",
            gone=False,
        ),
        lambda mails: mails.webhook_disabled(
            _TO, webhook_id="whk_0351xffvmzhinA5Ot7fOms", url="https://example.com/hooks", gone=True
        ),
    ),
}


class _Tray:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        self.mails.append(mail)


def template_names() -> list[str]:
    return sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


async def samples(name: str, *, pages_url: str | None = _PAGES) -> list[Mail]:
    """None of a template that does not exist."""
    tray = _Tray()
    notifications = Notifications(tray, pages_url=pages_url)
    for send in _SENT.get(name, ()):
        await send(notifications)
    return tray.mails
