"""For load balancers and Prometheus."""

import asyncio
import ipaddress
import os
import secrets

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from nanobanana.errors import NanoBananaError, NotFoundError
from nanobanana.settings import Settings
from nanobanana.storage.redis import answers
from nanobanana.web.api.schemas.health import Health, Readiness
from nanobanana.web.dependencies import ServicesDep

router = APIRouter(tags=["Operations"])


@router.get("/healthz")
async def alive() -> Health:
    """The process lives and answers."""
    return Health()


@router.get(
    "/readyz",
    responses={
        503: {
            "model": Readiness,
            "description": "PostgreSQL does not answer, or the process drains: it finishes and takes no more",
        }
    },
)
async def ready(services: ServicesDep, response: Response) -> Readiness:
    """The service can take requests. Without Redis it can, with stricter limits."""
    database, redis = await asyncio.gather(_database_answers(services), answers(services.redis))
    draining = services.runner.is_draining
    is_ready = database and not draining
    response.status_code = 200 if is_ready else 503
    return Readiness(ready=is_ready, draining=draining, database=database, redis=redis)


@router.get("/metrics", response_class=Response, responses={200: {"content": {CONTENT_TYPE_LATEST: {}}}})
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Prometheus metrics of all web processes, for this machine and for holders of METRICS_TOKEN."""
    if not _may_see_metrics(request, services.settings):
        raise NotFoundError("There is no GET /metrics. See /docs.")
    return Response(generate_latest(_registry()), media_type=CONTENT_TYPE_LATEST)


async def _database_answers(services: ServicesDep) -> bool:
    try:
        async with asyncio.timeout(2):
            await services.database.statement("select 1", {})
    except (NanoBananaError, TimeoutError):
        return False
    return True


def _may_see_metrics(request: Request, settings: Settings) -> bool:
    token = settings.metrics_token
    if token:
        expected = f"Bearer {token.get_secret_value()}"
        if secrets.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
            return True
    # A proxy on this machine speaks from loopback for anybody; it says so in this header.
    forwarded = "x-forwarded-for" in request.headers or "forwarded" in request.headers
    return not forwarded and request.client is not None and _is_loopback(request.client.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
