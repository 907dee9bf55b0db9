from nanobanana.integrations.google.errors import GoogleError


class NoRouteError(Exception):
    """There is no picture, and the reason has nothing to do with the request: no route could be tried (each is shut or
    full, or it is too late), or those that were tried failed, at most one of them after Google had begun.

    So the same request may go back to wait, with the loss that was noted, and should be tried again when
    `Routes.room()` is not 0. `retry_after_s` is when that is worth a look; it is a guess, and five minutes at most.
    """

    def __init__(self, *, retry_after_s: float, cause: GoogleError | None = None) -> None:
        super().__init__(
            f"No route to Google can be used: {cause}" if cause else "No route to Google can be used."
        )
        self.retry_after_s = retry_after_s
        self.cause = cause


class NotServedError(Exception):
    """There is no picture, and this request must not go back to wait: Google refuses it, or may have charged for it
    as often as anybody is ready to pay.

    `cause` is the last failure; `lost_attempts` is how often Google may have made, and charged, a picture.
    """

    def __init__(self, cause: GoogleError, *, lost_attempts: int, retry_after_s: float) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.lost_attempts = lost_attempts
        self.retry_after_s = retry_after_s
