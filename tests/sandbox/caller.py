"""Speaks Google's REST protocol as a client with one API key would."""

import base64
import io
from typing import Any

import httpx2
from PIL import Image, ImageFile

MODEL = "gemini-nano-banana-2.1"


class Caller:
    def __init__(self, http: httpx2.Client, *, key: str) -> None:
        self.http = http
        self.key = key

    def generate(
        self,
        prompt: str = "a fox",
        *,
        model: str = MODEL,
        scenario: str = "",
        config: dict[str, Any] | None = None,
        method: str = "generateContent",
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": prompt}]}]}
        if config is not None:
            body["generationConfig"] = config
        return self.post(
            f"/v1beta/models/{model}:{method}", body, {"x-sandbox-scenario": scenario, **(headers or {})}
        )

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx2.Response:
        return self.http.post(path, json=body, headers={"x-goog-api-key": self.key, **(headers or {})})

    def put(self, path: str, body: Any) -> httpx2.Response:
        return self.http.put(path, json=body, headers={"x-goog-api-key": self.key})

    def get(self, path: str) -> httpx2.Response:
        return self.http.get(path, headers={"x-goog-api-key": self.key})

    def delete(self, path: str) -> httpx2.Response:
        return self.http.delete(path, headers={"x-goog-api-key": self.key})


def final_part(answer: httpx2.Response) -> dict[str, Any]:
    """Return the last part with a picture that is no thought: the rule for real answers."""
    parts: list[dict[str, Any]] = answer.json()["candidates"][0]["content"]["parts"]
    return [part for part in parts if "inlineData" in part and not part.get("thought")][-1]


def file_of(part: dict[str, Any]) -> bytes:
    return base64.b64decode(part["inlineData"]["data"], validate=True)


def picture(answer: httpx2.Response) -> ImageFile.ImageFile:
    image = Image.open(io.BytesIO(file_of(final_part(answer))))
    image.load()
    return image
