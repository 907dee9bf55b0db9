"""An image without a line of code, and the code of it."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response

from nanobanana.domain.api_keys.types import ApiKey, Bearer
from nanobanana.domain.generation.types import Generation, Order
from nanobanana.errors import NanoBananaError
from nanobanana.kit.addresses import IPAddress
from nanobanana.services import Services
from nanobanana.web.api.schemas.generations import NewGeneration
from nanobanana.web.dashboard.costs import cost_of
from nanobanana.web.dashboard.failures import Failure, failure_of, failure_of_generation
from nanobanana.web.dashboard.forms import Form, InvalidFormError, checked, problems_of
from nanobanana.web.dashboard.key_names import key_name
from nanobanana.web.dashboard.pictures import picture_of
from nanobanana.web.dashboard.visitors import LoggedIn, Sender, Visitor
from nanobanana.web.dependencies import BaseUrl, ClientAddress, Id, ServicesDep, of_known_shape
from nanobanana.web.pages import page, redirect
from nanobanana.web.request_code import request_code, without_defaults

router = APIRouter(prefix="/playground")

_FIELDS = tuple(NewGeneration.model_fields)
_EXAMPLE = "a cute banana wearing sunglasses"
# While nothing is typed: what any image costs.
_ANY_ORDER = Order(prompt="", size="1024x1024", style="natural", format=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The page, for whoever stands before it."""

    visitor: Visitor
    services: Services
    address: IPAddress
    base_url: str

    async def page(
        self,
        form: Mapping[str, str],
        *,
        problem: InvalidFormError | None = None,
        refusal: Failure | None = None,
        generation: Generation | None = None,
    ) -> Response:
        """With what is typed, and what came of it."""
        keys = _usable(await self.services.api_keys.list_alive(account_id=self.visitor.account.id))
        if form.get("key") not in keys:
            form = {**form, "key": next(iter(keys), "")}
        cost, hindrance = await self._cost(form)
        return page(
            "dashboard/playground.html",
            error=problem,
            images_from=self.services.images.links_lead_to,
            visitor=self.visitor,
            form=form,
            problems=problems_of(problem),
            keys=keys,
            # One form makes one image, however often it is sent.
            once=secrets.token_urlsafe(16),
            cost=cost,
            hindrance=hindrance,
            example=_EXAMPLE,
            languages=request_code(self.base_url, order=without_defaults({"prompt": _EXAMPLE, **form})),
            **self._came_of(generation, refusal),
        )

    def result(self, generation: Generation) -> Response:
        """That part of the page alone."""
        return page("dashboard/playground_result.html", **self._came_of(generation, None))

    def _came_of(self, generation: Generation | None, refusal: Failure | None) -> dict[str, Any]:
        return {
            "failure": refusal or (failure_of_generation(generation) if generation else None),
            "picture": picture_of(generation, self.services.images) if generation else None,
            "seconds": _seconds_since(generation.created_at) if generation else 0,
        }

    async def _cost(self, form: Mapping[str, str]) -> tuple[str | None, Failure | None]:
        """Or why there would be no image."""
        if not form["key"]:
            return None, None
        try:
            order = checked(NewGeneration, without_defaults(form)).order()
        except InvalidFormError:
            order = _ANY_ORDER
        try:
            bearer = await self.bearer(form)
            quote = await self.services.generations.quote(order, bearer=bearer, client_address=self.address)
        except NanoBananaError as error:
            return None, failure_of(error)
        return cost_of(quote), None

    async def bearer(self, form: Mapping[str, str]) -> Bearer:
        id = of_known_shape(form.get("key", ""))
        return await self.services.api_keys.bearer_of(id, account_id=self.visitor.account.id)


async def _bench(
    visitor: LoggedIn, services: ServicesDep, address: ClientAddress, base_url: BaseUrl
) -> Bench:
    return Bench(visitor=visitor, services=services, address=address, base_url=base_url)


BenchDep = Annotated[Bench, Depends(_bench)]


@router.get("")
async def show_playground(bench: BenchDep, again: Id | None = None) -> Response:
    """`again`: the generation whose order is to be sent once more."""
    if again is None:
        return await bench.page({})
    account_id = bench.visitor.account.id
    return await bench.page(_order_of(await bench.services.generations.get(again, account_id=account_id)))


@router.post("/preview")
async def preview(form: Form, _: Sender, bench: BenchDep) -> Response:
    """Code and cost of what is typed; makes nothing."""
    return await bench.page(_typed(form))


@router.post("")
async def make(request: Request, form: Form, _: Sender, bench: BenchDep) -> Response:
    typed = _typed(form)
    try:
        created = await bench.services.generations.create(
            checked(NewGeneration, without_defaults(typed)).order(),
            bearer=await bench.bearer(typed),
            client_address=bench.address,
            idempotency_key=_idempotency_key(form),
            wait_s=0,
        )
    except InvalidFormError as error:
        return await bench.page(typed, problem=error)
    except NanoBananaError as error:
        refusal = failure_of(error, request_id=request.state.request_id)
        response = await bench.page(typed, refusal=refusal)
        response.status_code = error.status
        return response
    more = f"?{urlencode({'retention': typed['retention']})}" if "retention" in typed else ""
    return redirect(f"/playground/{created.generation.id}{more}#result")


@router.get("/{id}")
async def show_result(id: Id, bench: BenchDep, request: Request, retention: str = "") -> Response:
    """The order as it was typed, and what came of it so far. The script asks for the latter alone."""
    generation = await bench.services.generations.get(id, account_id=bench.visitor.account.id)
    if request.headers.get("hx-target") == "section#result":
        return bench.result(generation)
    form = _order_of(generation)
    return await bench.page({**form, "retention": retention} if retention else form, generation=generation)


def _typed(form: Mapping[str, str]) -> Mapping[str, str]:
    """Browsers end the lines of a form as mails do."""
    return {name: form[name].replace("\r\n", "\n") for name in (*_FIELDS, "key") if name in form}


def _order_of(generation: Generation) -> Mapping[str, str]:
    order = {
        "prompt": generation.prompt,
        "size": generation.size,
        "style": generation.style,
        "format": generation.format or "",
        "key": generation.api_key_id,
    }
    return {name: value for name, value in order.items() if value}


def _idempotency_key(form: Mapping[str, str]) -> str:
    """Apart from those that programs choose."""
    once = form.get("once", "")
    if not re.fullmatch(r"[\w-]{22}", once):
        once = secrets.token_urlsafe(16)
    return f"playground {once}"


def _usable(keys: Sequence[ApiKey]) -> Mapping[str, str]:
    """The names of the keys that can make images, by their ids: those of the sandbox first, the newest of each."""
    now = datetime.now(UTC)
    usable = [
        key
        for key in keys
        if not key.disabled and "generate" in key.scopes and (key.expires_at is None or key.expires_at > now)
    ]
    usable.sort(key=lambda key: key.mode == "live")
    return {key.id: key_name(key) for key in usable}


def _seconds_since(moment: datetime) -> int:
    return int((datetime.now(UTC) - moment).total_seconds())
