from collections.abc import Sequence
from pathlib import Path

from nanobanana.errors import NanoBananaError


class UnusableFileError(NanoBananaError):
    """For the operator: a plan table or a cost table that cannot be used, with everything that is wrong in it."""

    def __init__(self, file: Path, problems: Sequence[str]) -> None:
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


class PlanInUseError(NanoBananaError):
    def __init__(self, file: Path, names: Sequence[str]) -> None:
        super().__init__(
            f"{file}: accounts are on plans that it does not have: {', '.join(names)}. "
            "Add them, or move the accounts with `nanobanana admin plan EMAIL PLAN` first."
        )
