"""All routes under /v1."""

from fastapi import APIRouter

from nanobanana.web.api import accounts, api_keys, generations

router = APIRouter(prefix="/v1")
router.include_router(generations.router)
router.include_router(api_keys.router)
router.include_router(accounts.router)
