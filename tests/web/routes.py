"""All addresses that answer people, as the application has them: what walks these walks every page that is added."""

import re

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts

ID = "ses_0000000000000000000000"


def page_routes(app: FastAPI) -> list[RouteContext]:
    frameworks = {app.docs_url, app.swagger_ui_oauth2_redirect_url, app.openapi_url}
    files = ("/images/", "/thumbnails/", "/static/", "/try/picture", "/robots.txt", "/favicon.ico", "/llms")
    return [
        route
        for route in iter_route_contexts(app.routes)
        if not (route.include_in_schema or route.path in frameworks or route.path.startswith(files))
    ]


def some_path(route: RouteContext) -> str:
    """Whatever its parameters are called, they name nothing that there is."""
    return re.sub(r"\{[^}]+\}", ID, route.path)
