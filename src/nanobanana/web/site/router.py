"""Pages for everybody."""

from fastapi import APIRouter

from nanobanana.web.dashboard.same_origin import FromOurPages
from nanobanana.web.site import for_browsers, landing, status, tryout

router = APIRouter(include_in_schema=False, dependencies=[FromOurPages])
router.include_router(landing.router)
router.include_router(tryout.router)
router.include_router(status.router)
router.include_router(for_browsers.router)
