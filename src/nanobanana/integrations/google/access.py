"""How one is let in at Google: where a model is asked, and with what."""

from collections.abc import Mapping
from typing import Protocol

from nanobanana.integrations.google.errors import GoogleError


class Access(Protocol):
    def url(self, model: str, method: str) -> str: ...

    async def headers(self) -> Mapping[str, str]:
        """What lets the request in; raises GoogleError when there is nothing of the kind."""
        ...

    def refused(self, error: GoogleError) -> GoogleError:
        """What an answer that is not 200 means to who came in this way."""
        ...


class ApiKeyAccess:
    """The Gemini API with a key."""

    def __init__(self, *, base_url: str, api_version: str, api_key: str) -> None:
        self._models_url = f"{base_url}/{api_version}/models"
        self._headers = {"x-goog-api-key": api_key}

    def url(self, model: str, method: str) -> str:
        return f"{self._models_url}/{model}:{method}"

    async def headers(self) -> Mapping[str, str]:
        return self._headers

    def refused(self, error: GoogleError) -> GoogleError:
        return error
