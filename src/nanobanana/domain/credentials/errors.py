from nanobanana.errors import NanoBananaError


class WrongPasswordError(NanoBananaError):
    """Not 401: the session is fine."""

    status = 403
    code = "wrong_password"
    type = "permission_error"

    def __init__(self) -> None:
        super().__init__("The current password is wrong.", param="current_password")
