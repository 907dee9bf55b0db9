from nanobanana.errors import NanoBananaError


class InvalidSessionError(NanoBananaError):
    """One text for missing, wrong and expired sessions."""

    status = 401
    code = "invalid_session"
    type = "authentication_error"

    def __init__(self) -> None:
        super().__init__(
            "This request needs a session: log in at POST /v1/auth/login and send its access_token "
            "in the header 'Authorization: Bearer nb_session_...'.",
            headers={"WWW-Authenticate": "Bearer"},
        )
