"""What a browser sends with the forms of our pages. The client of the tests keeps cookies by itself."""

import re

from httpx2 import AsyncClient, Response

from tests.people import PASSWORD

FROM_OURS = {"Origin": "http://nanobanana.test"}


async def log_in(client: AsyncClient, email: str, password: str = PASSWORD, **more: str) -> Response:
    form = {"email": email, "password": password, **more}
    return await client.post("/login", data=form, headers={"Origin": str(client.base_url)})


def form_token_of(page: Response) -> str:
    (token,) = set(re.findall(r'name="form_token" value="(\w+)"', page.text))
    return token


async def press(client: AsyncClient, action: str) -> Response:
    """A button of the account page."""
    form = {"form_token": form_token_of(await client.get("/account"))}
    return await client.post(action, data=form, headers=FROM_OURS)
