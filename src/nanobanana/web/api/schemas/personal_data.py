from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from nanobanana.domain.api_keys.types import ApiKey
from nanobanana.domain.personal_data.types import Export, Owner
from nanobanana.domain.sessions.types import Session
from nanobanana.web.api.schemas.accounts import CurrentPassword
from nanobanana.web.api.schemas.api_keys import ApiKeyInfo
from nanobanana.web.api.schemas.generations import GenerationView
from nanobanana.web.api.schemas.money import usd_or_none
from nanobanana.web.api.schemas.sessions import SessionInfo
from nanobanana.web.api.schemas.strict import RequestBody
from nanobanana.web.api.schemas.webhooks import WebhookInfo


class Erasure(RequestBody):
    current_password: CurrentPassword


class ErasureBegun(BaseModel):
    message: str = (
        "The account is closed: its keys and sessions have ended and its address is free. Pictures, prompts and "
        "other personal data are deleted within a day."
    )


class ExportedAccount(BaseModel):
    """The password is kept as a hash only, which is nobody's to see."""

    id: str = Field(examples=["usr_0351xffvmzhinA5Ot7fOms"])
    email: str
    email_verified_at: datetime | None
    plan: str
    plan_moved_at: datetime | None = Field(description="When the account came to its plan from another one")
    monthly_spending_cap_usd: float | None
    balance_usd: float | None
    suspended_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, owner: Owner) -> Self:
        return cls(
            id=owner.id,
            email=owner.email,
            email_verified_at=owner.email_verified_at,
            plan=owner.plan,
            plan_moved_at=owner.plan_moved_at,
            monthly_spending_cap_usd=usd_or_none(owner.spending_cap_micro_usd),
            balance_usd=usd_or_none(owner.balance_micro_usd),
            suspended_at=owner.suspended_at,
            created_at=owner.created_at,
        )


class ExportedAddress(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    email: str
    created_at: datetime
    expires_at: datetime


class ExportedApiKey(ApiKeyInfo):
    """A key without its text, which nobody has but its owner."""

    revoked_at: datetime | None

    @classmethod
    def of(cls, api_key: ApiKey) -> Self:
        return cls.model_validate(api_key, from_attributes=True)


class AccountExport(BaseModel):
    account: ExportedAccount
    pending_address: ExportedAddress | None = Field(
        description="Where the account moves to once the link that was mailed there comes back"
    )
    sessions: list[SessionInfo]
    api_keys: list[ExportedApiKey] = Field(description="Revoked ones too")
    webhooks: list[WebhookInfo] = Field(description="Without their secrets")
    # The last field: what comes before it is sent as one piece, these page by page.
    generations: list[GenerationView] = Field(description="Newest first; their `url` leads to the pictures")

    @classmethod
    def without_generations(cls, export: Export, *, current: Session) -> Self:
        pending = export.pending_address
        return cls(
            account=ExportedAccount.of(export.account),
            pending_address=ExportedAddress.model_validate(pending) if pending else None,
            sessions=[SessionInfo.of(one, current=one.id == current.id) for one in export.sessions],
            api_keys=[ExportedApiKey.of(api_key) for api_key in export.api_keys],
            webhooks=[WebhookInfo.of(webhook) for webhook in export.webhooks],
            generations=[],
        )
