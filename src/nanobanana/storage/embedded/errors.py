"""The one failure the launchers raise on purpose."""


class EmbeddedServerError(Exception):
    """An embedded server cannot be used; the message is a sentence for the operator."""
