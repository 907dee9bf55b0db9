"""The web application, put together. No logic lives here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from nanobanana import __version__, logs
from nanobanana.services import open_services
from nanobanana.settings import Settings
from nanobanana.web import dev_mail, errors, health, images, openapi, static_files
from nanobanana.web.api import generate
from nanobanana.web.api.router import router as api
from nanobanana.web.dashboard import router as dashboard
from nanobanana.web.docs import router as docs
from nanobanana.web.middleware.body_limit import BodyLimit
from nanobanana.web.middleware.request_log import RequestLog
from nanobanana.web.middleware.strict_transport import StrictTransport
from nanobanana.web.site.router import router as site
from nanobanana.worker.process import at_work


def create_app(settings: Settings | None = None) -> FastAPI:
    settings = settings or Settings()
    logs.configure(settings.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(app.state.settings) as services, at_work(services) as drain:
            app.state.services = services
            app.state.drain = drain
            yield

    app = FastAPI(
        title="NanoBanana",
        version=__version__,
        summary="AI image generation through a dead-simple API.",
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        generate_unique_id_function=openapi.operation_id,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        # Asking the framework's telemetry whether anybody listens costs each request 7 us; /metrics has ours.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    # The last one added sees a request first.
    app.add_middleware(BodyLimit)
    on_fly = settings.fly_app_name is not None
    app.add_middleware(RequestLog, trusted_proxies=settings.trusted_proxies, on_fly=on_fly)
    if settings.is_https:
        app.add_middleware(StrictTransport)
    errors.install(app)
    generate.install(app)
    app.include_router(api)
    app.include_router(images.router)
    app.include_router(health.router)
    app.include_router(dev_mail.router)
    app.include_router(static_files.router)
    app.include_router(site)
    dashboard.install(app)
    docs.install(app)
    return app
