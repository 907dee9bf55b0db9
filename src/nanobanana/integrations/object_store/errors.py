class StoreError(Exception):
    """A picture was not stored. The message is for logs."""
