from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """Unknown fields are refused by name, and nothing is guessed: the number 5 is no text."""

    model_config = ConfigDict(extra="forbid", strict=True)
