from nanobanana.domain.limits.errors import RateLimitedError
from nanobanana.errors import InvalidRequestError, NanoBananaError, NotFoundError


class NoSuchAccountError(NotFoundError):
    """For operators: callers never learn whose addresses have accounts."""

    def __init__(self, email: str) -> None:
        super().__init__(f"There is no account with the address {email}.")


class EmailTakenError(NanoBananaError):
    status = 409
    code = "email_taken"
    type = "invalid_request_error"

    def __init__(self) -> None:
        super().__init__(
            "There is an account with this e-mail address already. Log in instead.", param="email"
        )


class ThrowawayAddressError(InvalidRequestError):
    def __init__(self) -> None:
        super().__init__(
            "Throw-away addresses cannot have a free account: use an address that will still be yours next year.",
            param="email",
        )


class TooManyAccountsError(RateLimitedError):
    """What came by mail is not used up by it, and works once the period is over."""


class GuessablePasswordError(InvalidRequestError):
    def __init__(self) -> None:
        super().__init__(
            "This password is among the first that anybody would try. Choose another one: "
            "a few words that have nothing to do with each other are good.",
            param="password",
        )


class WrongLoginError(NanoBananaError):
    """One text for an unknown address and a wrong password."""

    status = 401
    code = "invalid_credentials"
    type = "authentication_error"

    def __init__(self) -> None:
        super().__init__("E-mail address or password is wrong.")


class InvalidTokenError(NanoBananaError):
    """One text for links that are wrong, expired or used."""

    status = 400
    code = "invalid_token"
    type = "invalid_request_error"

    def __init__(self) -> None:
        super().__init__("This link is wrong, expired or used already. Ask for a new one.", param="token")
