"""Pages of people with an account, and of how one comes by it."""

from fastapi import APIRouter, FastAPI

from nanobanana.web.dashboard import (
    account,
    billing,
    credentials,
    erasure,
    forgotten_password,
    gallery,
    keys,
    login,
    mail_links,
    overview,
    playground,
    register,
    webhooks,
    welcome,
)
from nanobanana.web.dashboard.same_origin import FromOurPages
from nanobanana.web.dashboard.visitors import LoginNeededError, to_login

router = APIRouter(include_in_schema=False, dependencies=[FromOurPages])
router.include_router(login.router)
router.include_router(register.router)
router.include_router(welcome.router)
router.include_router(forgotten_password.router)
router.include_router(account.router)
router.include_router(credentials.router)
router.include_router(erasure.router)
router.include_router(keys.router)
router.include_router(mail_links.router)
router.include_router(overview.router)
router.include_router(gallery.router)
router.include_router(playground.router)
router.include_router(webhooks.router)
router.include_router(billing.router)


def install(app: FastAPI) -> None:
    app.include_router(router)
    app.add_exception_handler(LoginNeededError, to_login)
