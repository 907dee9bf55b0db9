import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator

from nanobanana.errors import InvalidRequestError
from nanobanana.web.api.schemas.errors import KEY_OR_SESSION, error_responses
from nanobanana.web.api.schemas.usage import UsageReport, UsageSummary
from nanobanana.web.dependencies import ServicesDep, UsageReaderAccountId

router = APIRouter(tags=["Usage"])

LONGEST = timedelta(days=366)


def _written_as_a_day(value: object) -> object:
    """Not the seconds since 1970 that pydantic would take too."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError("This must be a day, as in '2027-01-31'.")
    return value


Day = Annotated[date, BeforeValidator(_written_as_a_day)]


@router.get(
    "/usage",
    response_model=UsageReport,
    responses=error_responses("invalid_request", *KEY_OR_SESSION, "overloaded"),
)
async def get_usage(
    account_id: UsageReaderAccountId,
    services: ServicesDep,
    response: Response,
    first: Annotated[
        Day | None, Query(alias="from", description="First day, in UTC; the first of this month")
    ] = None,
    last: Annotated[Day | None, Query(alias="to", description="Last day, included; today")] = None,
) -> Response:
    """What the account has used, by day and by key, and what is left of quota, key caps and balance. 366 days at most."""
    today = datetime.now(UTC).date()
    last = last or today
    first = first or (min(today, last)).replace(day=1)
    if first > last:
        raise InvalidRequestError("from: This must not be after `to`.", param="from")
    if last - first >= LONGEST:
        raise InvalidRequestError("from: This must be within 366 days of `to`.", param="from")
    usage = await services.usage.report(account_id=account_id, first=first, last=last)
    summary = UsageSummary.of(usage, first=first, last=last).model_dump(by_alias=True, mode="json")
    # Straight from the rows: as models, those of a year would take five times as long.
    body = orjson.dumps({**summary, "data": usage.days})
    return Response(body, headers=dict(response.headers), media_type="application/json")
