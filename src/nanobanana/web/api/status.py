from fastapi import APIRouter, Response

from nanobanana.web.api.schemas.errors import error_responses
from nanobanana.web.api.schemas.status import PublicStatus
from nanobanana.web.dependencies import ServicesDep

router = APIRouter(tags=["Operations"])


@router.get("/status", response_model=PublicStatus, responses=error_responses())
async def get_status(services: ServicesDep) -> Response:
    """How the service stands, for everybody: 200 also while nothing works."""
    status = PublicStatus.of(services.status.now())
    # The answer is as old as the last look at the database, too: two seconds.
    headers = {"Cache-Control": "public, max-age=2", "Access-Control-Allow-Origin": "*"}
    return Response(status.model_dump_json(), headers=headers, media_type="application/json")
