from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one attempt. `status` is None when no answer came; `problem` is None when it was taken."""

    status: int | None
    problem: str | None
    retry_after_s: int | None = None
