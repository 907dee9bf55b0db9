from nanobanana.errors import InvalidRequestError, NanoBananaError


class WebhookUrlError(InvalidRequestError):
    def __init__(self, reason: str) -> None:
        super().__init__(f"url: {reason}", param="url")


class TooManyWebhooksError(NanoBananaError):
    status = 409
    code = "too_many_webhooks"
    type = "invalid_request_error"

    def __init__(self, most: int) -> None:
        super().__init__(f"This account has {most} webhooks, and no account has more. Delete one first.")


class WebhookDisabledError(NanoBananaError):
    status = 409
    code = "webhook_disabled"
    type = "invalid_request_error"

    def __init__(self) -> None:
        super().__init__(
            "This webhook is disabled, nothing is sent to it. Enable it first: PATCH /v1/webhooks/{id} with "
            '{"disabled": false}.'
        )
