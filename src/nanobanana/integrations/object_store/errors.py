class StoreError(Exception):
    """A picture was not stored or not deleted. The message is for logs."""
