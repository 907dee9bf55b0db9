class MailError(Exception):
    """The mail was not taken. `retryable`: whether the same mail may be taken later."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable
