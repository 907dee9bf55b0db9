from collections.abc import Sequence

from nanobanana.errors import InvalidRequestError


class NoSuchPlanError(InvalidRequestError):
    def __init__(self, plan: str, plans: Sequence[str]) -> None:
        super().__init__(f"There is no plan {plan!r}. There are: {', '.join(plans)}.")


class BalanceTooSmallError(InvalidRequestError):
    def __init__(self) -> None:
        super().__init__("The balance would fall below what is held for images being made, or below zero.")
