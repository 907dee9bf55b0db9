from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, EmailStr, Field, StringConstraints

from nanobanana.domain.accounts.types import NewSession, Registration
from nanobanana.web.api.schemas.api_keys import ShownApiKey
from nanobanana.web.api.schemas.strict import RequestBody

Password = Annotated[str, StringConstraints(min_length=10, max_length=1024)]


class Credentials(RequestBody):
    email: EmailStr = Field(examples=["ada@example.com"])
    password: Password = Field(examples=["correct horse battery"], description="10 to 1,024 characters")


class RegisteredAccount(BaseModel):
    id: str = Field(examples=["usr_0351xffvmzhinA5Ot7fOms"])
    email: str
    email_verified: bool
    created_at: datetime
    api_key: ShownApiKey
    test_key: ShownApiKey

    @classmethod
    def of(cls, registration: Registration) -> Self:
        account = registration.account
        return cls(
            id=account.id,
            email=account.email,
            email_verified=account.email_verified_at is not None,
            created_at=account.created_at,
            api_key=ShownApiKey.shown(registration.live_key),
            test_key=ShownApiKey.shown(registration.test_key),
        )


class Session(BaseModel):
    access_token: str = Field(examples=["nb_session_Jx0bT7..."])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a scheme, no secret
    expires_at: datetime

    @classmethod
    def of(cls, session: NewSession) -> Self:
        return cls(access_token=session.token, expires_at=session.expires_at)
