class NoRouteError(Exception):
    """No route to Google can be used at this moment; one may be again in `retry_after_s` seconds."""

    def __init__(self, *, retry_after_s: float) -> None:
        super().__init__("No route to Google can be used.")
        self.retry_after_s = retry_after_s
