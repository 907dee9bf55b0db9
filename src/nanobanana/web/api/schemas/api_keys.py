from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints

from nanobanana.domain.api_keys.types import ApiKey, IssuedKey, Mode
from nanobanana.web.api.schemas.strict import RequestBody


class NewApiKey(RequestBody):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] = Field(
        default="API key", examples=["my side project"]
    )
    mode: Mode = Field(default="live", description="`test` keys draw in the sandbox and never reach Google")


class ApiKeyInfo(BaseModel):
    """A key without its text, which nobody has but its owner."""

    id: str = Field(examples=["key_0351xffvmzhinA5Ot7fOms"])
    name: str
    mode: Mode
    last4: str = Field(description="The last four characters, to tell keys apart")
    created_at: datetime

    @classmethod
    def of(cls, api_key: ApiKey) -> Self:
        return cls(
            id=api_key.id,
            name=api_key.name,
            mode=api_key.mode,
            last4=api_key.last4,
            created_at=api_key.created_at,
        )


class ShownApiKey(ApiKeyInfo):
    """The one answer that holds the key. Keep it now: it is not stored and cannot be shown again."""

    key: str = Field(examples=["nb_live_4kq0rZbQ2m8VY1hJc7TfW3sXnEaLp9x0Yz1A"])

    @classmethod
    def shown(cls, issued: IssuedKey) -> Self:
        return cls(key=issued.text, **ApiKeyInfo.of(issued.api_key).model_dump())


class ApiKeyList(BaseModel):
    data: list[ApiKeyInfo]
