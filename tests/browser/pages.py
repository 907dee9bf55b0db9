"""The pages there are, who visits each, and what is done there before it is looked at. Each is looked at in light and
dark, on a desk and in a hand; `./nb test tests/browser -k login`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Literal

from playwright.async_api import Page

from tests.browser.member import LONG_WORD
from tests.people import PASSWORD

Visitor = Literal["nobody", "newcomer", "member"]


@dataclass(frozen=True)
class Look:
    """`path` may hold what the member has: `{key}`, `{webhook}`, `{succeeded}`, `{failed}`, …"""

    name: str
    path: str
    visitor: Visitor = "nobody"
    then: Callable[[Page], Awaitable[None]] | None = None
    status: int = 200


async def log_in_wrongly(page: Page) -> None:
    await page.locator('[name="email"]').fill(f"{LONG_WORD[:60]}@example.com")
    await page.locator('[name="password"]').fill("a wrong password")
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("alert").wait_for()


async def try_out(page: Page) -> None:
    """A script puts the answer in place, and the picture is drawn."""
    await page.get_by_role("button", name="Draw it").click()
    await page.locator('[role="status"]', has_text="left").wait_for()
    await page.wait_for_load_state("networkidle")


async def register_wrongly(page: Page) -> None:
    await page.locator("form.card").evaluate("form => { form.noValidate = true }")
    await page.locator('[name="email"]').fill("no address")
    await page.get_by_role("button", name="Create the account").click()
    await page.get_by_role("alert").wait_for()


async def wait_for_a_code(page: Page) -> None:
    """As with mail set up, which this service has not."""
    await page.locator("form.card").evaluate(
        "form => { form.noValidate = true; form.action = '/register/again' }"
    )
    await page.locator('[name="email"]').fill(f"{LONG_WORD[:60]}@example.com")
    await page.get_by_role("button", name="Create the account").click()
    await page.locator('[name="code"]').wait_for()


async def register(page: Page) -> None:
    await page.locator('[name="email"]').fill(f"{token_hex(8)}@example.com")
    await page.locator('[name="password"]').fill(PASSWORD)
    await page.locator('[name="terms"]').check()
    await page.get_by_role("button", name="Create the account").click()
    await page.get_by_role("heading", name="Waiting for your first call").wait_for()


async def add_endpoint(page: Page) -> None:
    await page.get_by_label("URL").fill("https://127.0.0.1:9443/added")
    await page.get_by_label("image.failed").check()
    await page.get_by_role("button", name="Add the endpoint").click()
    await page.get_by_text("shown this once").wait_for()


async def add_nothing(page: Page) -> None:
    await page.locator('main form:has([name="url"])').evaluate("form => form.noValidate = true")
    await page.get_by_role("button", name="Add the endpoint").click()
    await page.get_by_role("alert").wait_for()


async def open_all(page: Page) -> None:
    for summary in await page.locator("summary").all():
        await summary.click()


async def create_wrongly(page: Page) -> None:
    await open_all(page)
    await page.locator('[name="name"]').fill(LONG_WORD[:100])
    await page.locator('[name="allowed_addresses"]').fill("10.0.0.0/8\n\n10.0.0.0/99\nnowhere")
    await page.locator('[name="scopes"]').first.uncheck()
    await page.locator('[name="expires_at"]').fill("2020-01-31")
    await page.get_by_role("button", name="Create").click()
    await page.get_by_role("alert").wait_for()


async def rotate(page: Page) -> None:
    await page.get_by_role("button", name="Rotate").click()
    await page.get_by_role("heading", name="Your new key").wait_for()


async def send_wrong_password(page: Page) -> None:
    await page.locator('[name="current_password"]').fill("a wrong password")
    await page.get_by_role("button", name="Erase").click()
    await page.get_by_role("alert").wait_for()


async def order_badly(page: Page) -> None:
    await open_all(page)
    await page.locator('[name="prompt"]').fill(f"{LONG_WORD} [test:content_policy]")
    await page.get_by_role("button", name="Make it").click()
    await page.get_by_role("heading", name="Refused by the content policy").wait_for()


async def tick_two_and_delete(page: Page) -> None:
    for box in (await page.locator('[name="ids"]').all())[:2]:
        await box.check()
    await page.get_by_role("button", name="Delete the chosen ones").click()
    await page.get_by_role("heading", name="Delete 2 images?").wait_for()


async def set_a_wrong_cap(page: Page) -> None:
    await page.get_by_label("In a month").fill("as much as I like")
    await page.get_by_label("Your password").fill("short")
    await page.get_by_role("button", name="Set the cap").click()
    await page.get_by_role("alert").wait_for()


LOOKS = [
    Look("landing", "/"),
    Look("landing-member", "/", "member"),
    Look("landing-tried", "/", then=try_out),
    Look("try-failure", "/try?prompt=%D9%85%D9%88%D8%B2+[test:rate_limited]"),
    Look("try-wrong", f"/try?prompt={501 * 'x'}", status=400),
    Look("register", "/register"),
    Look("register-wrong", "/register", then=register_wrongly),
    Look("register-code", "/register", then=wait_for_a_code),
    Look("welcome", "/register", then=register),
    Look("forgot-password", "/forgot-password"),
    Look("login", "/login"),
    Look("login-refused", "/login", then=log_in_wrongly),
    Look("verify-email", "/verify-email?token=unknown"),
    Look("reset-password", "/reset-password?token=unknown"),
    Look("confirm-email", "/confirm-email?token=unknown"),
    Look("status", "/status"),
    Look("dashboard", "/dashboard", "member"),
    Look("dashboard-new", "/dashboard", "newcomer"),
    Look("dashboard-table", "/dashboard?days=90", "member", then=open_all),
    Look("billing", "/billing", "member"),
    Look("billing-new", "/billing", "newcomer"),
    Look("billing-refused", "/billing", "member", then=set_a_wrong_cap),
    Look("ledger", "/billing/ledger", "member"),
    Look("account", "/account", "member"),
    Look("account-new", "/account", "newcomer"),
    Look("webhooks", "/webhooks", "member"),
    Look("webhooks-new", "/webhooks", "newcomer"),
    Look("webhooks-refused", "/webhooks", "newcomer", then=add_nothing),
    Look("webhook-secret", "/webhooks", "member", then=add_endpoint),
    Look("webhook", "/webhooks/{webhook}", "member", then=open_all),
    Look("webhook-failed", "/webhooks/{webhook}?status=failed", "member"),
    Look("webhook-long", "/webhooks/{webhook_long}", "member"),
    Look("webhook-delivery", "/webhooks/{webhook}/deliveries/{delivery}", "member"),
    Look("account-email", "/account/email", "member"),
    Look("account-password", "/account/password", "member"),
    Look("account-erase", "/account/erase", "member"),
    Look("account-erase-refused", "/account/erase", "member", then=send_wrong_password),
    Look("keys", "/keys", "member", then=open_all),
    Look("keys-new", "/keys", "newcomer"),
    Look("keys-refused", "/keys", "member", then=create_wrongly),
    Look("key", "/keys/{key}", "member", then=open_all),
    Look("key-long", "/keys/{key_long}", "member"),
    Look("key-html", "/keys/{key_html}", "member"),
    Look("key-rotated", "/keys/{key_hebrew}", "member", then=rotate),
    Look("gallery", "/gallery", "member"),
    Look("gallery-new", "/gallery", "newcomer"),
    Look("gallery-filtered", "/gallery?size=768x1408&from=2020-01-01", "member"),
    Look("gallery-none-like-this", "/gallery?to=2020-01-01", "member"),
    Look("gallery-wrong-filter", "/gallery?from=2020-02-01&to=2020-01-01", "member", status=400),
    Look("gallery-delete", "/gallery", "member", then=tick_two_and_delete),
    *(
        Look(f"gallery-{name}", f"/gallery/{{{name}}}", "member")
        for name in (
            "succeeded",
            "running",
            "failed",
            "blocked",
            "expired",
            "deleted",
            "long",
            "arabic",
            "html",
        )
    ),
    Look("playground", "/playground", "member", then=open_all),
    Look("playground-new", "/playground", "newcomer"),
    Look("playground-again", "/playground?again={long}", "member"),
    *(
        Look(f"playground-{name}", f"/playground/{{{name}}}", "member")
        for name in ("succeeded", "running", "failed", "deleted", "hebrew")
    ),
    Look("playground-refused", "/playground", "member", then=order_badly),
    Look("dev-mail", "/dev/mail"),
    Look("dev-mail-templates", "/dev/mail/templates"),
    Look("dev-mail-template", "/dev/mail/templates/webhook_disabled"),
    Look("docs", "/docs"),
    Look("docs-quickstart", "/docs/quickstart"),
    Look("docs-authentication", "/docs/authentication"),
    Look("docs-generating", "/docs/generating"),
    Look("docs-test-mode", "/docs/test-mode"),
    Look("docs-waiting", "/docs/waiting"),
    Look("docs-webhooks", "/docs/webhooks"),
    Look("docs-images", "/docs/images"),
    Look("docs-keys", "/docs/keys"),
    Look("docs-usage", "/docs/usage"),
    Look("docs-errors", "/docs/errors"),
    Look("docs-limits", "/docs/limits"),
    Look("docs-changelog", "/docs/changelog"),
    Look("docs-terms", "/docs/terms"),
    Look("docs-privacy", "/docs/privacy"),
    Look("docs-reference-generations", "/docs/reference/generations"),
    Look("docs-reference-api-keys", "/docs/reference/api-keys"),
    Look("docs-reference-accounts", "/docs/reference/accounts"),
    Look("docs-reference-webhooks", "/docs/reference/webhooks"),
    Look("docs-reference-usage", "/docs/reference/usage"),
    Look("docs-reference-operations", "/docs/reference/operations"),
    Look("not-found", "/account/nothing", status=404),
    Look("not-found-member", "/account/nothing", "member", status=404),
]

# Addresses that a browser gets something else from than a page of ours.
NO_PAGES = {
    "/dev/mail/{id}",  # a mail's own HTML
    "/welcome",  # shown once, in the answer of what made the account
    "/welcome/first-image",  # a part of that
    "/dev/mail/templates/{name}/{number}",
}
