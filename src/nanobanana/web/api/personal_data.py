from collections.abc import AsyncIterator

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from nanobanana.domain.personal_data.types import Export
from nanobanana.domain.sessions.types import Session
from nanobanana.services import Services
from nanobanana.web.api.generations import listed_view
from nanobanana.web.api.schemas.errors import BODY, SESSION, error_responses
from nanobanana.web.api.schemas.personal_data import AccountExport, Erasure, ErasureBegun
from nanobanana.web.dependencies import BaseUrl, ClientAddress, CurrentSession, JsonBody, ServicesDep

router = APIRouter(prefix="/account", tags=["Accounts"])

_EXPORT_HEADERS = {
    "Content-Disposition": 'attachment; filename="nanobanana-export.json"',
    "Cache-Control": "no-store",
}


@router.delete(
    "",
    status_code=202,
    dependencies=[JsonBody],
    responses=error_responses(*BODY, *SESSION, "wrong_password", "rate_limited", "overloaded"),
)
async def erase_account(
    body: Erasure, session: CurrentSession, address: ClientAddress, services: ServicesDep
) -> ErasureBegun:
    """Erases the account for good. Its keys and sessions end at once and its address is free; pictures, prompts and
    other personal data are deleted within a day. What was made and what it cost stays, as nobody's. Takes the
    current password."""
    await services.throttle.take("current_password", address=address, account_id=session.account_id)
    await services.people.personal_data.erase(session, current_password=body.current_password)
    return ErasureBegun()


@router.get(
    "/export", response_model=AccountExport, responses=error_responses(*SESSION, "rate_limited", "overloaded")
)
async def export_account(
    session: CurrentSession, address: ClientAddress, services: ServicesDep, base_url: BaseUrl
) -> Response:
    """All that we hold of you, as a JSON file. It ends with a cut connection, not with valid JSON, when it cannot be
    completed."""
    await services.throttle.take("export", address=address, account_id=session.account_id)
    return await download(session, services, base_url)


async def download(session: Session, services: Services, base_url: str) -> Response:
    export = await services.people.personal_data.export(session)
    pieces = _pieces(export, session, services, base_url)
    return StreamingResponse(pieces, media_type="application/json", headers=_EXPORT_HEADERS)


async def _pieces(export: Export, session: Session, services: Services, base_url: str) -> AsyncIterator[str]:
    """The JSON page by page: its end, and with it the sense, comes only after the last one."""
    yield AccountExport.without_generations(export, current=session).model_dump_json().removesuffix("]}")
    comma = ""
    async for page in export.generations:
        views = (listed_view(row, services, base_url) for row in page)
        yield comma + ",".join(view.model_dump_json() for view in views)
        comma = ","
    yield "]}"
