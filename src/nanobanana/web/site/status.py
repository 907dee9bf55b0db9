from fastapi import APIRouter, Response

from nanobanana.web.api.schemas.status import PublicStatus
from nanobanana.web.dependencies import ServicesDep
from nanobanana.web.pages import page

router = APIRouter()

HEADLINES = {
    "operational": "NanoBanana works",
    "degraded": "NanoBanana works, with limits",
    "down": "NanoBanana is down",
}
_NAMES = {"images": "Images", "api": "API", "database": "Database"}


@router.get("/status")
async def show_status(services: ServicesDep) -> Response:
    status = PublicStatus.of(services.status.now())
    return page(
        "site/status.html",
        title=HEADLINES[status.status],
        names=_NAMES,
        status=status,
        store_is_away=services.stores.chosen.is_away,
    )
