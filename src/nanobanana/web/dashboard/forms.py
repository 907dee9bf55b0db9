"""What forms bring, and the token that ties them to the session whose page they stood on."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar
from urllib.parse import parse_qs

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from nanobanana.errors import InvalidRequestError, NanoBananaError
from nanobanana.web.errors import message_of

Body = TypeVar("Body", bound=BaseModel)


class StaleFormError(NanoBananaError):
    """The form token is missing, forged, or of another session."""

    status = 403
    code = "stale_form"
    type = "permission_error"

    def __init__(self) -> None:
        super().__init__("This page was loaded before you last logged in. Reload it and try again.")


class InvalidFormError(InvalidRequestError):
    """`problems`: what is wrong with which field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("Some of this cannot be so: see below.")
        self.problems = problems


def checked(schema: type[Body], values: Mapping[str, object]) -> Body:
    """A form as the API would take the same as JSON. Raises InvalidFormError with all that is wrong at once."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        problems = {
            str(problem["loc"][0]): message_of(problem) for problem in error.errors() if problem["loc"]
        }
        raise InvalidFormError(problems) from None


def form_token(session_id: str, secret: str) -> str:
    return hmac.digest(secret.encode(), f"form:{session_id}".encode(), hashlib.sha256).hex()


def check_form_token(token: str, *, session_id: str, secrets: Sequence[str]) -> None:
    """All secrets verify: a page that was loaded before they changed is still good."""
    rights = [form_token(session_id, secret) for secret in secrets]
    if not any(hmac.compare_digest(token.encode(), right.encode()) for right in rights):
        raise StaleFormError


async def _lists(request: Request) -> Mapping[str, list[str]]:
    return parse_qs((await request.body()).decode(errors="replace"))


async def _fields(lists: "FormLists") -> Mapping[str, str]:
    return {name: values[0] for name, values in lists.items()}


# Fields by name, without those that are empty; with all values where a field may have several, as boxes that are ticked.
FormLists = Annotated[Mapping[str, list[str]], Depends(_lists)]
Form = Annotated[Mapping[str, str], Depends(_fields)]
