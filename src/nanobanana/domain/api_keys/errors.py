from nanobanana.errors import InvalidRequestError, NanoBananaError


class InvalidApiKeyError(NanoBananaError):
    """One text for missing, wrong, revoked and expired keys: it must not tell whether a key was ever right."""

    status = 401
    code = "invalid_api_key"
    type = "authentication_error"

    def __init__(self) -> None:
        super().__init__(
            "This request needs a valid API key in the header 'Authorization: Bearer nb_live_...'.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class MistypedApiKeyError(InvalidApiKeyError):
    def __init__(self) -> None:
        super().__init__()
        self.message = "This API key is mistyped or cut off: its checksum does not match. Copy the whole key."


class AccountSuspendedError(NanoBananaError):
    status = 403
    code = "account_suspended"
    type = "permission_error"

    def __init__(self) -> None:
        super().__init__("This account is suspended. Write to the operator of this service.")


class ScopeMissingError(NanoBananaError):
    status = 403
    code = "scope_missing"
    type = "permission_error"

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"This API key lacks the scope {scope!r}. Its owner can add it: PATCH /v1/keys/{{id}}."
        )


class IpNotAllowedError(NanoBananaError):
    status = 403
    code = "ip_not_allowed"
    type = "permission_error"

    def __init__(self) -> None:
        super().__init__(
            "This API key may not be used from this address. Its owner decides: PATCH /v1/keys/{id}."
        )


class RotatedMeanwhileError(InvalidRequestError):
    """A page that is sent twice would end the text that it has just promised to keep."""

    def __init__(self) -> None:
        super().__init__(
            "This key was rotated already, and its new text shown then. Rotate it again if it is lost."
        )


class TooManyKeysError(NanoBananaError):
    status = 409
    code = "too_many_keys"
    type = "invalid_request_error"

    def __init__(self, most: int) -> None:
        super().__init__(f"This account has {most} API keys, and no account has more. Revoke one first.")
