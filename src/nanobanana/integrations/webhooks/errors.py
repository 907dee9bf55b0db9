class RefusedUrlError(Exception):
    """Nothing is sent there; its text says why, to whoever owns the endpoint."""


class RefusedAddressError(OSError):
    """Where the host leads is not public. An OSError, because aiohttp hands those on as what kept it from connecting."""

    def __init__(self) -> None:
        super().__init__("The host leads to an address that is not public.")
