from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response

from nanobanana.domain.generation.types import Filters
from nanobanana.web.dashboard.pictures import picture_of
from nanobanana.web.dashboard.usage_by_day import busiest_keys, usage_by_day
from nanobanana.web.dashboard.visitors import LoggedIn
from nanobanana.web.dependencies import BaseUrl, ServicesDep
from nanobanana.web.pages import page

router = APIRouter()

_SPANS = {"7": 7, "30": 30, "90": 90}
_USUAL_SPAN = 30
_LATEST = 6


@router.get("/dashboard")
async def show_overview(
    visitor: LoggedIn, services: ServicesDep, base_url: BaseUrl, days: str = ""
) -> Response:
    account_id = visitor.account.id
    span = _SPANS.get(days, _USUAL_SPAN)
    today = datetime.now(UTC).date()
    first = today - timedelta(days=span - 1)
    usage = await services.usage.report(account_id=account_id, first=first, last=today)
    busiest = busiest_keys(usage.days)
    names = await services.api_keys.names(busiest, account_id=account_id)
    latest, _ = await services.generations.page(
        account_id=account_id, before=None, limit=_LATEST, filters=Filters()
    )
    return page(
        "dashboard/overview.html",
        visitor=visitor,
        images_from=services.images.links_lead_to,
        standing=usage.standing,
        hour=await services.generations.hour_of(account_id),
        by_day=usage_by_day(
            usage.days, names={id: names.get(id) or "A key" for id in busiest}, first=first, last=today
        ),
        spans=_SPANS.values(),
        span=span,
        keys_near_cap=[key for key in usage.keys if key.is_near_cap],
        latest=[picture_of(generation, services.images) for generation in latest],
        base_url=base_url,
    )
