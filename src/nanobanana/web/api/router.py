"""All routes under /v1."""

from fastapi import APIRouter

from nanobanana.web.api import (
    account,
    api_keys,
    auth,
    generations,
    personal_data,
    recovery,
    status,
    usage,
    webhooks,
)

router = APIRouter(prefix="/v1")
router.include_router(generations.router)
router.include_router(api_keys.router)
router.include_router(auth.router)
router.include_router(recovery.router)
router.include_router(account.router)
router.include_router(personal_data.router)
router.include_router(usage.router)
router.include_router(webhooks.router)
router.include_router(status.router)
