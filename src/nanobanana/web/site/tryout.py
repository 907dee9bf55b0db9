"""The example that works without an account: a request, its answer, and the picture."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from nanobanana.domain.generation.types import Order
from nanobanana.domain.images.types import MEDIA_TYPES
from nanobanana.domain.limits.errors import RateLimitedError
from nanobanana.domain.tryout.types import Ticket
from nanobanana.errors import NanoBananaError, OverloadedError
from nanobanana.web.api.schemas.generations import NewGeneration, Prompt
from nanobanana.web.dashboard.forms import InvalidFormError, checked, problems_of
from nanobanana.web.dashboard.visitors import Anybody
from nanobanana.web.dependencies import BaseUrl, ClientAddress, ServicesDep
from nanobanana.web.errors import envelope
from nanobanana.web.pages import page
from nanobanana.web.request_code import request_code, without_defaults
from nanobanana.web.static_files import static_url

router = APIRouter()

SIZES = {
    "1024x1024": "Square, 1024 × 1024",
    "1280x896": "Landscape, 1280 × 896",
    "896x1280": "Portrait, 896 × 1280",
    "1408x768": "Wide, 1408 × 768",
    "768x1408": "Tall, 768 × 1408",
}
STYLES = {"natural": "Natural", "artistic": "Artistic"}
_KEY = "nb_test_..."
FIRST = {"prompt": "A cute banana wearing sunglasses"}
_PICTURE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class TriedOrder(NewGeneration):
    """Shorter than an order may be: it travels in an address."""

    prompt: Annotated[Prompt, Field(max_length=500)]


class _Drawn(TriedOrder):
    ends_at: Annotated[int, Field(strict=False, ge=0, le=2**40)]
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What was sent and what came back; `picture` is its address, or None where there is none."""

    languages: Mapping[str, str]
    status: str
    answer: str
    picture: str | None
    order: Order
    left: int | None = None


def first_exchange(base_url: str) -> Exchange:
    """Before anybody has tried anything: what the sandbox once made of it."""
    order = TriedOrder.model_validate(FIRST).order()
    return Exchange(
        languages=request_code(base_url, key=_KEY, order=_body(order)),
        status="200 OK",
        answer=_success(order, base_url),
        picture=static_url("first-picture.webp"),
        order=order,
    )


@router.get("/try")
async def show_try(
    *,
    request: Request,
    visitor: Anybody,
    services: ServicesDep,
    address: ClientAddress,
    base_url: BaseUrl,
    prompt: str = "",
    size: str = "",
    style: str = "",
) -> Response:
    """The first screen of the landing page, with the answer in it; that part alone where a script puts it in place."""
    form = {"prompt": prompt, "size": size, "style": style}
    exchange, error = first_exchange(base_url), None
    if any(form.values()):
        try:
            order = checked(TriedOrder, {name: value for name, value in form.items() if value}).order()
            attempt = await services.tryout.attempt(order, address=address)
            exchange = _exchange(order, attempt.outcome, base_url, request, left=attempt.left)
        except (InvalidFormError, RateLimitedError, OverloadedError) as refused:
            error = refused
    return page(
        "site/first_screen.html" if "hx-request" in request.headers else "site/try.html",
        error=error,
        visitor=visitor,
        exchange=exchange,
        form=form if any(form.values()) else FIRST,
        problems=problems_of(error),
        sizes=SIZES,
        styles=STYLES,
    )


async def _drawn(request: Request) -> _Drawn:
    return checked(_Drawn, dict(request.query_params))


@router.get("/try/picture")
async def draw_picture(
    drawn: Annotated[_Drawn, Depends(_drawn)], services: ServicesDep, address: ClientAddress
) -> Response:
    """Drawn when somebody looks at it, and kept by their browser alone."""
    ticket = Ticket(ends_at=drawn.ends_at, signature=drawn.signature)
    picture = await services.tryout.draw(drawn.order(), ticket, address=address)
    caching = {"Cache-Control": f"private, max-age={services.tryout.left_s(ticket)}"}
    return Response(
        picture.data, media_type=MEDIA_TYPES[picture.ending], headers={**_PICTURE_HEADERS, **caching}
    )


def _exchange(
    order: Order, outcome: Ticket | NanoBananaError, base_url: str, request: Request, *, left: int
) -> Exchange:
    languages = request_code(base_url, key=_KEY, order=_body(order))
    if isinstance(outcome, NanoBananaError):
        error = {"error": envelope(outcome, request_id=request.state.request_id)}
        status = f"{outcome.status} {HTTPStatus(outcome.status).phrase}"
        return Exchange(
            languages=languages, status=status, answer=_json(error), picture=None, order=order, left=left
        )
    query = {"prompt": order.prompt, "size": order.size, "style": order.style}
    query |= {"ends_at": str(outcome.ends_at), "signature": outcome.signature}
    return Exchange(
        languages=languages,
        status="200 OK",
        answer=_success(order, base_url),
        picture=f"/try/picture?{urlencode(query)}",
        order=order,
        left=left,
    )


def _body(order: Order) -> dict[str, str]:
    return without_defaults({"prompt": order.prompt, "size": order.size, "style": order.style})


def _success(order: Order, base_url: str) -> str:
    """In its shape: there is no row, and so no id."""
    return _json(
        {
            "id": "gen_…",
            "status": "succeeded",
            "url": f"{base_url}/images/….jpg",
            "prompt": order.prompt,
            "size": order.size,
            "style": order.style,
            "mode": "test",
            "charge": {"state": "released", "images": 0, "amount_usd": 0, "reason": "test_mode"},
            "error": None,
        }
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
