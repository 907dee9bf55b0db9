from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field

from nanobanana.domain.sessions import types
from nanobanana.domain.sessions.types import NewSession


class Session(BaseModel):
    access_token: str = Field(examples=["nb_session_Jx0bT7..."])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a scheme, no secret
    expires_at: datetime

    @classmethod
    def of(cls, session: NewSession) -> Self:
        return cls(access_token=session.token, expires_at=session.expires_at)


class SessionInfo(BaseModel):
    """A session without its token."""

    id: str = Field(examples=["ses_0351xffvmzhinA5Ot7fOms"])
    created_at: datetime
    last_used_at: datetime = Field(description="To the hour")
    expires_at: datetime = Field(description="At the latest; 14 days without use end it too")
    user_agent: str | None = Field(description="What logged in said it is, its first 120 characters")
    current: bool = Field(description="Whether this request comes with it")

    @classmethod
    def of(cls, session: types.Session, *, current: bool) -> Self:
        return cls(
            id=session.id,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            user_agent=session.user_agent,
            current=current,
        )


class SessionList(BaseModel):
    data: list[SessionInfo]
