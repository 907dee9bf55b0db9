class UnusablePictureError(Exception):
    """The bytes are no whole picture of a format and size we take. The message is for logs, not for callers."""
