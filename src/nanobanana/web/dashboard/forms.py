"""What forms bring, and the token that ties them to the session whose page they stood on."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar
from urllib.parse import parse_qs

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from nanobanana.errors import InvalidRequestError, NanoBananaError
from nanobanana.web.problems import message_of

Body = TypeVar("Body", bound=BaseModel)


class StaleFormError(NanoBananaError):
    """The form token is missing, forged, or of another session."""

    status = 403
    code = "stale_form"
    type = "permission_error"

    def __init__(self) -> None:
        super().__init__(
            "This form is from before you last logged in. Go back, reload the page and send it again."
        )


class InvalidFormError(InvalidRequestError):
    """`problems`: what is wrong with which field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("Something needs another look: see below.")
        self.problems = problems


def checked(schema: type[Body], values: Mapping[str, object]) -> Body:
    """A form as the API would take the same as JSON. Raises InvalidFormError with all that is wrong at once."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise InvalidFormError(_by_field(error)) from None


def problems_of(error: NanoBananaError | None) -> Mapping[str, str]:
    """What a page shows at the fields of its form."""
    return error.problems if isinstance(error, InvalidFormError) else {}


def whole_number(text: str) -> object:
    """As JSON would have it, an emptied field as null. What is no number stays text, for the schema to refuse."""
    text = text.strip()
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text or None


def _by_field(error: ValidationError) -> dict[str, str]:
    """Of a list, which comes from a text, with the lines that are wrong in the same way."""
    found: dict[str, dict[str, list[str]]] = {}
    for problem in error.errors():
        field, *place = problem["loc"] or ("",)
        lines = found.setdefault(str(field), {}).setdefault(message_of(problem), [])
        if place and isinstance(place[0], int):
            lines.append(str(place[0] + 1))
    return {
        field: " ".join(_with_lines(message, lines) for message, lines in problems.items())
        for field, problems in found.items()
    }


def _with_lines(message: str, lines: Sequence[str]) -> str:
    return f"Line {', '.join(lines)}: {message}" if lines else message


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
