from nanobanana.errors import NanoBananaError


class EmailTakenError(NanoBananaError):
    status = 409
    code = "email_taken"
    type = "invalid_request_error"

    def __init__(self) -> None:
        super().__init__(
            "There is an account with this e-mail address already. Log in instead.", param="email"
        )


class WrongPasswordError(NanoBananaError):
    """One text for an unknown address and a wrong password."""

    status = 401
    code = "invalid_credentials"
    type = "authentication_error"

    def __init__(self) -> None:
        super().__init__("E-mail address or password is wrong.")


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
