from nanobanana.errors import InvalidRequestError


class AlreadySuspendedError(InvalidRequestError):
    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is suspended already.")


class NotSuspendedError(InvalidRequestError):
    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is not suspended.")
