from fastapi import APIRouter

from nanobanana.web.api.schemas.api_keys import ApiKeyInfo, ApiKeyList, NewApiKey, ShownApiKey
from nanobanana.web.api.schemas.errors import error_responses
from nanobanana.web.dependencies import Id, JsonBody, ServicesDep, SessionAccount

router = APIRouter(prefix="/keys", tags=["API keys"])


@router.post("", status_code=201, dependencies=[JsonBody], responses=error_responses(400, 401, 413, 415, 503))
async def create_api_key(body: NewApiKey, account: SessionAccount, services: ServicesDep) -> ShownApiKey:
    """A new key, shown in this answer only."""
    return ShownApiKey.shown(
        await services.api_keys.create(account_id=account.id, mode=body.mode, name=body.name)
    )


@router.get("", responses=error_responses(401, 503))
async def list_api_keys(account: SessionAccount, services: ServicesDep) -> ApiKeyList:
    """The living keys of the account, newest first."""
    found = await services.api_keys.list_alive(account_id=account.id)
    return ApiKeyList(data=[ApiKeyInfo.of(api_key) for api_key in found])


@router.delete("/{id}", status_code=204, responses=error_responses(401, 404, 503))
async def revoke_api_key(id: Id, account: SessionAccount, services: ServicesDep) -> None:
    """Ends the key at once and for good."""
    await services.api_keys.revoke(id, account_id=account.id)
