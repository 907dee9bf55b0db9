class StoreError(Exception):
    """A picture was not stored or not deleted. The message is for logs: it has no name, which is all that whoever wants the
    picture needs."""
