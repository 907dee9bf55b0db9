"""The cast of the tests."""

from dataclasses import dataclass

from httpx2 import AsyncClient

PASSWORD = "correct horse battery"


@dataclass(frozen=True, kw_only=True)
class Person:
    email: str
    key: str
    test_key: str
    token: str

    @property
    def by_key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def by_test_key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.test_key}"}

    @property
    def by_session(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


async def sign_up(client: AsyncClient, email: str) -> Person:
    credentials = {"email": email, "password": PASSWORD}
    registered = (await client.post("/v1/auth/register", json=credentials)).json()
    session = (await client.post("/v1/auth/login", json=credentials)).json()
    return Person(
        email=email,
        key=registered["api_key"]["key"],
        test_key=registered["test_key"]["key"],
        token=session["access_token"],
    )
