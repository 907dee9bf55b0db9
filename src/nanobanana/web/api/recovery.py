"""What a link in a mail is good for, and how to ask for one."""

from fastapi import APIRouter

from nanobanana.web.api.schemas.accounts import Address, LinkToken, MailBegun, NewPassword
from nanobanana.web.api.schemas.errors import BODY, error_responses
from nanobanana.web.dependencies import BaseUrl, ClientAddress, JsonBody, ServicesDep

router = APIRouter(prefix="/auth", tags=["Accounts"], dependencies=[JsonBody])


@router.post(
    "/forgot-password", status_code=202, responses=error_responses(*BODY, "rate_limited", "overloaded")
)
async def forgot_password(
    body: Address, address: ClientAddress, services: ServicesDep, base_url: BaseUrl
) -> MailBegun:
    """A mail with a link to choose a new password, if the address has an account. The answer does not tell."""
    await services.throttle.take("forgot_password", address=address, email=body.email)
    await services.people.credentials.forgot_password(email=body.email, base_url=base_url)
    return MailBegun()


@router.post(
    "/reset-password",
    status_code=204,
    responses=error_responses(*BODY, "invalid_token", "rate_limited", "overloaded"),
)
async def reset_password(body: NewPassword, address: ClientAddress, services: ServicesDep) -> None:
    """A new password for the token of the link. Ends all sessions and tells the owner."""
    await services.throttle.take("reset_password", address=address)
    await services.people.credentials.reset_password(token=body.token, password=body.password)


@router.post(
    "/confirm-email",
    status_code=204,
    responses=error_responses(*BODY, "invalid_token", "rate_limited", "overloaded"),
)
async def confirm_email(body: LinkToken, address: ClientAddress, services: ServicesDep) -> None:
    """The account's new address, for the token of the link that was mailed to it. Tells the old one."""
    await services.throttle.take("reset_password", address=address)
    await services.people.credentials.confirm_email(token=body.token)
