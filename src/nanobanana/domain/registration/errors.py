from nanobanana.errors import NanoBananaError


class InvalidCodeError(NanoBananaError):
    """One text for codes that are wrong, expired, used up, or were never sent."""

    status = 400
    code = "invalid_code"
    type = "invalid_request_error"

    def __init__(self) -> None:
        super().__init__(
            "This code is wrong, expired or used up. Register again to get a new one.", param="code"
        )
