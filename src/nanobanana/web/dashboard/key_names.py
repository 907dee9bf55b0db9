from nanobanana.domain.api_keys.types import ApiKey


def key_name(api_key: ApiKey) -> str:
    """Where keys are chosen or told apart: names may be the same."""
    return f"{api_key.name} ({api_key.mode}, …{api_key.last4})"
