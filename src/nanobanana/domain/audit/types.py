from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

# The service itself, when a limit is reached, or somebody at its command line.
Actor = Literal["service", "operator"]
Action = Literal["suspend", "unsuspend", "plan", "credit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was done to an account; `email` None when the account is erased."""

    created_at: datetime
    actor: Actor
    action: Action
    account_id: str
    email: str | None
    detail: Mapping[str, Any]
