from typing import Annotated

from fastapi import APIRouter, Query, Response

from nanobanana.domain.credentials.errors import WrongPasswordError
from nanobanana.domain.limits.errors import RateLimitedError
from nanobanana.domain.plans.service import in_force
from nanobanana.errors import NanoBananaError
from nanobanana.services import Services
from nanobanana.web.api.schemas.accounts import AccountChange
from nanobanana.web.dashboard.forms import Form, InvalidFormError, checked, problems_of
from nanobanana.web.dashboard.visitors import LoggedIn, Sender, Visitor
from nanobanana.web.dependencies import BaseUrl, ClientAddress, ServicesDep
from nanobanana.web.pages import page, redirect, usd

router = APIRouter(prefix="/billing")

_MOVEMENTS = 50
_MONTHS = 24
_DONE = {"cap": "Your spending cap is set.", "no-cap": "Your spending cap is taken away."}


@router.get("")
async def show_billing(visitor: LoggedIn, services: ServicesDep, done: str = "") -> Response:
    return await _billing(visitor, services, notice=_DONE.get(done))


@router.get("/ledger")
async def show_ledger(
    visitor: LoggedIn,
    services: ServicesDep,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> Response:
    movements, older = await services.billing.movements(
        account_id=visitor.account.id, before=before, limit=_MOVEMENTS
    )
    return page(
        "dashboard/ledger.html", visitor=visitor, movements=movements, older=older, is_newest=before is None
    )


@router.post("/cap")
async def change_cap(
    sender: Sender, form: Form, services: ServicesDep, address: ClientAddress, base_url: BaseUrl
) -> Response:
    """As PATCH /v1/account does; an empty field takes the cap away."""
    cap = form.get("monthly_spending_cap_usd")
    try:
        change = checked(
            AccountChange,
            {
                "current_password": form.get("current_password", ""),
                "monthly_spending_cap_usd": None if cap is None else _as_number(cap),
            },
        )
        await services.throttle.take("current_password", address=address, account_id=sender.account.id)
        await services.people.credentials.change(
            sender.session,
            current_password=change.current_password,
            changes=change.changes(),
            base_url=base_url,
        )
    except (InvalidFormError, WrongPasswordError, RateLimitedError) as error:
        return await _billing(sender, services, form={"monthly_spending_cap_usd": cap or ""}, error=error)
    return redirect(f"/billing?done={'no-cap' if cap is None else 'cap'}")


async def _billing(
    visitor: Visitor,
    services: Services,
    *,
    form: Form | None = None,
    error: NanoBananaError | None = None,
    notice: str | None = None,
) -> Response:
    account = visitor.account
    cap = account.spending_cap_micro_usd
    movements, older = await services.billing.movements(account_id=account.id, before=None, limit=_MOVEMENTS)
    return page(
        "dashboard/billing.html",
        visitor=visitor,
        error=error,
        notice=notice,
        plans=await in_force(services.database),
        balance=await services.billing.balance(account_id=account.id),
        months=await services.billing.months(account_id=account.id, limit=_MONTHS),
        movements=movements,
        older=older,
        is_newest=True,
        form=form or {"monthly_spending_cap_usd": "" if cap is None else usd(cap)[1:].replace(",", "")},
        problems=problems_of(error),
    )


def _as_number(text: str) -> float | str:
    """What is none is left to the schema to refuse."""
    try:
        return float(text.strip().removeprefix("$"))
    except ValueError:
        return text
