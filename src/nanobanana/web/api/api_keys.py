from datetime import timedelta

from fastapi import APIRouter

from nanobanana.web.api.schemas.api_keys import (
    ApiKeyChanges,
    ApiKeyInfo,
    ApiKeyList,
    NewApiKey,
    Rotation,
    ShownApiKey,
)
from nanobanana.web.api.schemas.errors import BODY, SESSION, error_responses
from nanobanana.web.dependencies import Id, JsonBody, ServicesDep, SessionAccount

router = APIRouter(prefix="/keys", tags=["API keys"])


@router.post(
    "",
    status_code=201,
    dependencies=[JsonBody],
    responses=error_responses(*BODY, *SESSION, "too_many_keys", "overloaded"),
)
async def create_api_key(body: NewApiKey, account: SessionAccount, services: ServicesDep) -> ShownApiKey:
    """A new key, shown in this answer only. An account has 100 at most."""
    return ShownApiKey.shown(
        await services.api_keys.create(account_id=account.id, mode=body.mode, settings=body.settings())
    )


@router.get("", responses=error_responses(*SESSION, "overloaded"))
async def list_api_keys(account: SessionAccount, services: ServicesDep) -> ApiKeyList:
    """The keys of the account that are not revoked, newest first."""
    return ApiKeyList.of(await services.api_keys.list_alive(account_id=account.id))


@router.post("/disable-all", responses=error_responses(*SESSION, "overloaded"))
async def disable_all_api_keys(account: SessionAccount, services: ServicesDep) -> ApiKeyList:
    """Disables every key of the account at once, for when one of them is lost and you do not know which."""
    return ApiKeyList.of(await services.api_keys.disable_all(account_id=account.id))


@router.get("/{id}", responses=error_responses(*SESSION, "not_found", "overloaded"))
async def get_api_key(id: Id, account: SessionAccount, services: ServicesDep) -> ApiKeyInfo:
    """One key as it stands."""
    return ApiKeyInfo.of(await services.api_keys.get(id, account_id=account.id))


@router.patch(
    "/{id}", dependencies=[JsonBody], responses=error_responses(*BODY, *SESSION, "not_found", "overloaded")
)
async def change_api_key(
    id: Id, body: ApiKeyChanges, account: SessionAccount, services: ServicesDep
) -> ApiKeyInfo:
    """Changes what is named and leaves the rest. It holds from the next request on."""
    return ApiKeyInfo.of(await services.api_keys.change(id, account_id=account.id, settings=body.settings()))


@router.delete("/{id}", status_code=204, responses=error_responses(*SESSION, "not_found", "overloaded"))
async def revoke_api_key(id: Id, account: SessionAccount, services: ServicesDep) -> None:
    """Ends the key at once and for good."""
    await services.api_keys.revoke(id, account_id=account.id)


@router.post(
    "/{id}/rotate",
    dependencies=[JsonBody],
    responses=error_responses(*BODY, *SESSION, "not_found", "overloaded"),
)
async def rotate_api_key(
    id: Id, body: Rotation, account: SessionAccount, services: ServicesDep
) -> ShownApiKey:
    """A new text for the same key, shown in this answer only; id and settings stay.

    The present text works for `overlap_seconds` more. One that still worked from a rotation before ends at once.
    """
    overlap = timedelta(seconds=body.overlap_seconds)
    return ShownApiKey.shown(await services.api_keys.rotate(id, account_id=account.id, overlap=overlap))
