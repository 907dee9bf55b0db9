"""What is wrong with a request is told in our words, never in those of a library."""

from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    EmailStr,
    Field,
    StringConstraints,
    ValidationError,
)

from nanobanana.web.problems import message_of


class Everything(BaseModel):
    text: Annotated[str, StringConstraints(min_length=10, max_length=1024)] | None = None
    name: Annotated[str, StringConstraints(min_length=1)] | None = None
    checked: Annotated[str, AfterValidator(str.strip), Field(max_length=5)] | None = None
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = None
    email: EmailStr | None = None
    number: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    usd: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] | None = None
    flag: bool | None = None
    several: Annotated[list[int], Field(min_length=1, max_length=50)] | None = None
    pair: Annotated[list[int], Field(min_length=2)] | None = None
    mode: Literal["live", "test"] | None = None
    at: AwareDatetime | None = None
    day: Annotated[date, Field(ge=date(2020, 1, 1))] | None = None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"text": "short"}, "This must have at least 10 characters."),
        ({"text": "x" * 1025}, "This must have at most 1,024 characters."),
        ({"text": 5}, "This must be a text."),
        ({"checked": "x" * 6}, "This must have at most 5 characters."),
        ({"name": ""}, "This must not be empty."),
        ({"code": "x"}, "This does not have the form it must have: see /docs."),
        ({"email": "x"}, "An email address must have an @-sign."),
        ({"number": "x"}, "This must be a whole number."),
        ({"number": 1.5}, "This must be a whole number."),
        ({"number": 0}, "This must be at least 1."),
        ({"number": 10**10}, "This must be at most 1,000,000,000."),
        ({"day": "2019-12-31"}, "This must be at least 2020-01-01."),
        ({"usd": 0}, "This must be more than 0."),
        ({"usd": 1_000_000.5}, "This must be at most 1,000,000."),
        ({"usd": float("nan")}, "This must be a number."),
        ({"usd": "x"}, "This must be a number."),
        ({"flag": "x"}, "This must be true or false."),
        ({"several": []}, "This must not be empty."),
        ({"several": [1] * 51}, "This must have at most 50 entries."),
        ({"several": 5}, "This must be a list."),
        ({"pair": [1]}, "This must have at least 2 entries."),
        ({"mode": "x"}, "This must be 'live' or 'test'."),
        ({"at": "2027-02-31T08:00:00Z"}, "There is no such day or time."),
    ],
)
def test_a_problem_says_what_would_be_right(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Everything.model_validate(values)

    assert [message_of(problem) for problem in raised.value.errors()] == [message]
