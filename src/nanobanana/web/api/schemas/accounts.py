from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints, model_validator

from nanobanana.domain.accounts.types import Account, NewAccount
from nanobanana.domain.credentials.types import AccountChanges
from nanobanana.domain.registration.types import Verified
from nanobanana.web.api.schemas.api_keys import ShownApiKey
from nanobanana.web.api.schemas.money import Usd, micro_usd, usd_or_none
from nanobanana.web.api.schemas.sessions import Session
from nanobanana.web.api.schemas.strict import RequestBody

Password = Annotated[
    str, StringConstraints(min_length=10, max_length=1024), Field(examples=["bananas sail at midnight"])
]
# Not held against what a new one must be: then a mistyped one would be told to grow longer.
CurrentPassword = Annotated[
    str, StringConstraints(min_length=1, max_length=1024), Field(examples=["bananas sail at midnight"])
]
_Email = Annotated[EmailStr, Field(examples=["ada@example.com"])]
_SPENDING_CAP = "What images may take from the balance in a month of UTC; null: all of it"


class Credentials(RequestBody):
    email: _Email
    password: Password = Field(description="10 to 1,024 characters, and none of the most common ones")


class Address(RequestBody):
    email: _Email


_Token = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,100}$"),
    Field(examples=["Jx0bT7vQ2mZ4kR9s"], description="What follows `token=` in the link"),
]


class Verification(RequestBody):
    """Either the code with the address, or the token of the link."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ada@example.com", "code": "314159"}]}
    )

    email: _Email | None = None
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = Field(None, examples=["314159"])
    token: _Token | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.token is None) != (self.email is not None and self.code is not None):
            raise ValueError("Send email and code, or token alone.")
        return self


class LinkToken(RequestBody):
    token: _Token


class NewPassword(LinkToken):
    password: Password


class AccountChange(RequestBody):
    """What is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"current_password": "bananas sail at midnight", "monthly_spending_cap_usd": 25}]
        }
    )

    current_password: CurrentPassword
    password: Password | None = None
    email: _Email | None = None
    monthly_spending_cap_usd: Usd | None = Field(default=None, description=_SPENDING_CAP)

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.changes():
            raise ValueError("Name what is to change: password, email or monthly_spending_cap_usd.")
        return self

    def changes(self) -> AccountChanges:
        changes = AccountChanges()
        if self.password is not None:
            changes["password"] = self.password
        if self.email is not None:
            changes["email"] = self.email
        if "monthly_spending_cap_usd" in self.model_fields_set:
            cap = self.monthly_spending_cap_usd
            changes["spending_cap_micro_usd"] = None if cap is None else micro_usd(cap)
        return changes


class RegistrationBegun(BaseModel):
    """The same for every address."""

    message: str = (
        "If this address can have an account, a mail with a code is on its way to it. "
        "Send the code to POST /v1/auth/verify-email."
    )


class MailBegun(BaseModel):
    """The same for every address."""

    message: str = "If this address has an account, a mail with a link is on its way to it."


class AccountInfo(BaseModel):
    id: str = Field(examples=["usr_0351xffvmzhinA5Ot7fOms"])
    email: str = Field(examples=["ada@example.com"])
    email_verified: bool
    created_at: datetime
    plan: str = Field(examples=["payg"])
    monthly_spending_cap_usd: float | None = Field(description=_SPENDING_CAP, examples=[25])
    balance_usd: float | None = Field(
        description="What images are paid from, held parts included; null where images are not paid one by one",
        examples=[7.5],
    )

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(
            id=account.id,
            email=account.email,
            email_verified=account.email_verified_at is not None,
            created_at=account.created_at,
            plan=account.plan,
            monthly_spending_cap_usd=usd_or_none(account.spending_cap_micro_usd),
            balance_usd=usd_or_none(account.balance_micro_usd),
        )


class RegisteredAccount(AccountInfo):
    api_key: ShownApiKey
    test_key: ShownApiKey

    @classmethod
    def registered(cls, new: NewAccount) -> Self:
        return cls(
            api_key=ShownApiKey.shown(new.live_key),
            test_key=ShownApiKey.shown(new.test_key),
            **AccountInfo.of(new.account).model_dump(),
        )


class VerifiedAccount(RegisteredAccount):
    session: Session

    @classmethod
    def verified(cls, verified: Verified) -> Self:
        registered = RegisteredAccount.registered(verified.new)
        return cls(
            api_key=registered.api_key,
            test_key=registered.test_key,
            session=Session.of(verified.session),
            **AccountInfo.of(verified.new.account).model_dump(),
        )
